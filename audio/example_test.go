package audio_test

import (
	"fmt"
	"io"
	"log"

	"vqspeech/audio"
)

func ExampleLoad() {
	clip, err := audio.Load("../testdata/118-47824-0040.flac")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d samples at %d Hz, %.2f s\n", len(clip.Samples), clip.SampleRate, clip.Seconds())
	// Output: 51600 samples at 16000 Hz, 3.23 s
}

// A recording of any length is read piece by piece, at the rate that the caller
// wants.
func ExampleResampled() {
	s, err := audio.Open("../testdata/118-47824-0040.flac")
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	src, err := audio.Resampled(s, 8000)
	if err != nil {
		log.Fatal(err)
	}
	buf := make([]float32, 1024)
	total := 0
	for {
		n, err := src.Read(buf)
		total += n
		if err == io.EOF {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
	}
	fmt.Printf("%d samples at %d Hz\n", total, src.SampleRate())
	// Output: 25800 samples at 8000 Hz
}
