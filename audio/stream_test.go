package audio

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"vqspeech/audio/wav"
)

func TestMixdown(t *testing.T) {
	// A mono file turned stereo by its number of channels and block align.
	mono := wavBytes(t, []float32{0.5, 0.25, -0.5, 1.0 / 32768, 2.0 / 32768, 0}, 16000)
	copy(mono[22:], []byte{2, 0})
	copy(mono[32:], []byte{4, 0})
	want := []float32{0.375, (-0.5 + 1.0/32768) / 2, 1.0 / 32768}
	for _, size := range []int{1, 2, 10} {
		s, err := NewStream(iotest.OneByteReader(bytes.NewReader(mono)))
		if err != nil {
			t.Fatal(err)
		}
		if s.Len() != 3 {
			t.Errorf("Len is %d", s.Len())
		}
		got := drain(t, s, func() int { return size })
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	}
}

func drain(t testing.TB, s Source, size func() int) []float32 {
	t.Helper()
	var all []float32
	for {
		buf := make([]float32, size())
		n, err := s.Read(buf)
		all = append(all, buf[:n]...)
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A stream at another rate gives the samples of the whole clip at that rate,
// for any sizes of Read.
func TestResampled(t *testing.T) {
	clip, err := Load(utterance)
	if err != nil {
		t.Fatal(err)
	}
	clip.Samples = clip.Samples[:9000]
	data := wavBytes(t, clip.Samples, clip.SampleRate)
	rapid.Check(t, func(rt *rapid.T) {
		rate := rapid.SampledFrom([]int{8000, 11025, 16000, 48000}).Draw(rt, "rate")
		want, err := clip.Resample(rate)
		if err != nil {
			rt.Fatal(err)
		}
		s, err := NewStream(bytes.NewReader(data))
		if err != nil {
			rt.Fatal(err)
		}
		src, err := Resampled(s, rate)
		if err != nil {
			rt.Fatal(err)
		}
		most := rapid.SampledFrom([]int{10, 1000, 1 << 18}).Draw(rt, "most")
		size := most
		got := drain(t, src, func() int { size = size*7919%most + 1; return size })
		if src.SampleRate() != rate || want.SampleRate != rate {
			rt.Fatalf("%d and %d Hz, want %d", src.SampleRate(), want.SampleRate, rate)
		}
		if !cmp.Equal(want.Samples, got) {
			rt.Fatalf("%d samples in pieces, %d whole, or other values", len(got), len(want.Samples))
		}
	})
	if _, err := Resampled(&Stream{dec: mustDecoder(t, wavBytes(t, nil, 1))}, 16000); err == nil {
		t.Error("1 Hz to 16 kHz: no error")
	}
}

func mustDecoder(t *testing.T, data []byte) decoder {
	t.Helper()
	d, err := wav.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Errors in the middle of the input arrive through the resampler.
func TestResampledPassesErrors(t *testing.T) {
	data := wavBytes(t, sine(50000), 48000)
	s, err := NewStream(bytes.NewReader(data[:60001]))
	if err != nil {
		t.Fatal(err)
	}
	src, err := Resampled(s, 16000)
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]float32, 1000)
	for err == nil {
		_, err = src.Read(buf)
	}
	var format wav.FormatError
	if !errors.As(err, &format) || !strings.Contains(err.Error(), "promises 100000 bytes, 59957 are there") {
		t.Errorf("got %v", err)
	}
}

func TestReadFull(t *testing.T) {
	s, err := NewStream(iotest.OneByteReader(bytes.NewReader(wavBytes(t, sine(10), 8000))))
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]float32, 6)
	for i, want := range []struct {
		n   int
		err error
	}{{6, nil}, {4, io.ErrUnexpectedEOF}, {0, io.EOF}} {
		if n, err := ReadFull(s, buf); n != want.n || err != want.err {
			t.Errorf("call %d: %d, %v, want %d, %v", i, n, err, want.n, want.err)
		}
	}
}
