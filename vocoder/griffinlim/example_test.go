package griffinlim_test

import (
	"fmt"

	"vqspeech/features"
	"vqspeech/vocoder"
	"vqspeech/vocoder/griffinlim"
)

// Features go in as they come, samples come out a block at a time.
func Example() {
	cfg := features.Default(features.Stream)
	mel := make([]float32, 100*cfg.NMels) // [T, M], here of a noise

	v, err := griffinlim.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	first, err := v.Push(vocoder.Conditioning{Mel: mel})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(first)/cfg.HopLength, "frames in the first block")
	last, err := v.Flush()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(last)/cfg.HopLength, "frames at the end")
	// Output:
	// 64 frames in the first block
	// 36 frames at the end
}
