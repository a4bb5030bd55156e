package wavenet_test

import (
	"fmt"
	"log"

	"vqspeech/vocoder/wavenet"
	"vqspeech/vocoder/wavenet/wavenettest"
)

// Latents arrive one by one; samples are taken as soon as they are settled.
func Example() {
	cfg, err := wavenet.Preset("tiny")
	if err != nil {
		log.Fatal(err)
	}
	g, err := wavenet.New(cfg, wavenettest.Random(cfg, 1)) // a trained network's weights
	if err != nil {
		log.Fatal(err)
	}
	s, err := g.NewStream(wavenet.DefaultOptions())
	if err != nil {
		log.Fatal(err)
	}
	latents := wavenettest.Latents(cfg, 3, 1) // codebook vectors of units
	for len(latents) > 0 {
		samples, err := s.Push(latents[:cfg.Dim])
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(len(samples), "samples")
		latents = latents[cfg.Dim:]
	}
	fmt.Println(len(s.Flush()), "samples")
	// Output:
	// 0 samples
	// 320 samples
	// 320 samples
	// 320 samples
}
