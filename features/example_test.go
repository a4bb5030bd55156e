package features_test

import (
	"fmt"
	"math"

	"vqspeech/audio"
	"vqspeech/features"
)

// One second of a 1 kHz tone: the features of a whole clip, and the same from
// pieces of it.
func Example() {
	clip := &audio.Clip{Samples: make([]float32, 16000), SampleRate: 16000}
	for i := range clip.Samples {
		clip.Samples[i] = float32(0.5 * math.Sin(2*math.Pi*1000*float64(i)/16000))
	}
	cfg := features.Default(features.Stream)
	mel, err := features.LogMel(clip, cfg) // [T, M]
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(mel)/cfg.NMels, "frames of", cfg.NMels, "bands")

	e, err := features.NewExtractor(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	frames := 0
	for start := 0; start < len(clip.Samples); start += 4000 {
		frames += len(e.Push(clip.Samples[start:start+4000])) / cfg.NMels
	}
	frames += len(e.Flush()) / cfg.NMels
	fmt.Println(frames, "frames from pieces")
	// Output:
	// 101 frames of 80 bands
	// 101 frames from pieces
}
