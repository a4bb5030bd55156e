package metric_test

import (
	"fmt"
	"log"

	"vqspeech/audio"
	"vqspeech/features/metric"
)

// How far a recording at 8 kHz is from the same at 16 kHz.
func Example() {
	clip, err := audio.Load("../../testdata/118-47824-0040.flac")
	if err != nil {
		log.Fatal(err)
	}
	narrow, err := clip.Resample(8000)
	if err != nil {
		log.Fatal(err)
	}
	back, err := narrow.Resample(clip.SampleRate)
	if err != nil {
		log.Fatal(err)
	}

	mcd, err := metric.MCD(clip.Samples, back.Samples, clip.SampleRate)
	if err != nil {
		log.Fatal(err)
	}
	stoi, err := metric.STOI(clip.Samples, back.Samples, clip.SampleRate)
	if err != nil {
		log.Fatal(err)
	}
	f0, err := metric.F0Errors(clip.Samples, back.Samples, clip.SampleRate, metric.DefaultF0())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("MCD %.1f dB over %d frames\n", mcd.Value(), mcd.N)
	fmt.Printf("STOI %.3f\n", stoi)
	fmt.Printf("pitch: %.0f cents, %d of %d frames voiced in both\n", f0.RMSECents(), f0.Both, f0.Frames)
	// Output:
	// MCD 17.3 dB over 323 frames
	// STOI 0.993
	// pitch: 0 cents, 143 of 323 frames voiced in both
}
