package audio_test

import (
	"io"
	"slices"
	"strings"
	"testing"

	"vqspeech/audio"
)

func TestSegment(t *testing.T) {
	clip := &audio.Clip{SampleRate: 100, Samples: make([]float32, 250)}
	for i := range clip.Samples {
		clip.Samples[i] = float32(i)
	}
	for _, c := range []struct {
		r        audio.Range
		from, to int
	}{
		{audio.Range{}, 0, 250},
		{audio.Range{Duration: 2.5}, 0, 250},
		{audio.Range{Start: 1}, 100, 250},
		{audio.Range{Start: 0.999, Duration: 0.019}, 99, 100}, // both are cut down, not rounded
		{audio.Range{Start: 2, Duration: 0.5}, 200, 250},
		{audio.Range{Start: 0.5, Duration: 0.001}, 50, 50}, // less than a sample
	} {
		for _, size := range []int{1, 7, 1000} {
			s, err := audio.Segment(clip.Source(), c.r)
			if err != nil {
				t.Fatal(err)
			}
			var got []float32
			buf := make([]float32, size)
			for {
				n, err := s.Read(buf)
				got = append(got, buf[:n]...)
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatalf("%+v: %v", c.r, err)
				}
			}
			if !slices.Equal(got, clip.Samples[c.from:c.to]) {
				t.Errorf("%+v in blocks of %d: %d samples, want %d to %d", c.r, size, len(got), c.from, c.to)
			}
		}
	}
	for _, c := range []struct {
		r    audio.Range
		want string
	}{
		{audio.Range{Start: 2, Duration: 0.51}, "segment from 2 s to 2.51 s lies outside the recording of 2.5000 s"},
		{audio.Range{Start: 3}, "segment from 3 s on lies outside the recording of 2.5000 s"},
		{audio.Range{Start: -1}, "segment starts at -1 s and takes 0 s, want neither negative"},
		{audio.Range{Start: 1e300}, "segment starts at 1e+300 s"},
	} {
		s, err := audio.Segment(clip.Source(), c.r)
		for err == nil {
			_, err = s.Read(make([]float32, 64))
		}
		if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %s", c.r, err, c.want)
		}
	}
}
