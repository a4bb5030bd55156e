package wav

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-audio/wav"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// Half a step rounds to the even neighbour, and what is out of range is clipped.
func TestWriterRounding(t *testing.T) {
	const step = 1.0 / 32768
	in := []float32{0, 0.5 * step, 1.5 * step, 2.5 * step, -0.5 * step, -1.5 * step, 1, 2, -1, -3, math.MaxFloat32}
	want := []int16{0, 0, 2, 2, 0, -2, 32767, 32767, -32768, -32768, 32767}
	var buf bytes.Buffer
	if err := Encode(&buf, in, 16000); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(int16s(want...), buf.Bytes()[headerSize:]); d != "" {
		t.Error(d)
	}
}

func TestWriterRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		codes := rapid.SliceOf(rapid.Int16()).Draw(t, "codes")
		rate := rapid.IntRange(1, MaxSampleRate).Draw(t, "rate")
		in := make([]float32, len(codes))
		for i, c := range codes {
			in[i] = float32(c) / 32768
		}
		var whole, piped bytes.Buffer
		if err := Encode(&whole, in, rate); err != nil {
			t.Fatal(err)
		}
		w, err := NewWriter(&piped, rate)
		if err != nil {
			t.Fatal(err)
		}
		for rest := in; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "n")
			if err := w.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		for _, b := range [][]byte{whole.Bytes(), piped.Bytes()} {
			got, info, err := readAll(bytes.NewReader(b), 100)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != len(in) || len(in) > 0 && !cmp.Equal(in, got) || info.SampleRate != rate {
				t.Fatalf("wrote %v at %d Hz, read %v at %d Hz", in, rate, got, info.SampleRate)
			}
		}
	})
}

// What is written to a file is byte for byte what Encode makes, and the
// go-audio decoder reads the same samples from it.
func TestWriterFile(t *testing.T) {
	in := make([]float32, 100000)
	for i := range in {
		in[i] = float32(math.Sin(float64(i)*0.03)) * 0.7
	}
	path := filepath.Join(t.TempDir(), "a.wav")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := NewWriter(f, 22050)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(in); i += 999 {
		if err := w.Write(in[i:min(i+999, len(in))]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := Encode(&want, in, 22050); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Error("file and Encode differ")
	}
	dec := wav.NewDecoder(bytes.NewReader(got))
	pcm, err := dec.FullPCMBuffer()
	if err != nil {
		t.Fatal(err)
	}
	if dec.SampleRate != 22050 || dec.NumChans != 1 || len(pcm.Data) != len(in) {
		t.Fatalf("go-audio: %d Hz, %d channels, %d samples", dec.SampleRate, dec.NumChans, len(pcm.Data))
	}
	for i, v := range pcm.Data {
		if float64(v) != math.RoundToEven(float64(in[i])*32768) {
			t.Fatalf("go-audio: sample %d is %d, wrote %g", i, v, in[i]*32768)
		}
	}
}

// pipe has a Seek that fails, like an os.File that is a pipe.
type pipe struct{ bytes.Buffer }

func (*pipe) Seek(int64, int) (int64, error) { return 0, errors.New("illegal seek") }

func TestWriterPipeHeader(t *testing.T) {
	var buf pipe
	w, err := NewWriter(&buf, 16000)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write([]float32{0.5}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	want := "RIFF\xff\xff\xff\xffWAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80\x3e\x00\x00\x00\x7d\x00\x00\x02\x00\x10\x00data\xff\xff\xff\xff\x00\x40"
	if buf.String() != want {
		t.Errorf("got  %q\nwant %q", buf.String(), want)
	}
}

func TestWriterRejects(t *testing.T) {
	for _, rate := range []int{-1, 0, MaxSampleRate + 1} {
		if err := Encode(io.Discard, nil, rate); err == nil || !strings.Contains(err.Error(), "sample rate") {
			t.Errorf("rate %d: %v", rate, err)
		}
	}
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		w, err := NewWriter(io.Discard, 16000)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(make([]float32, 70000)); err != nil {
			t.Fatal(err)
		}
		err = w.Write([]float32{0, float32(bad)})
		if err == nil || !strings.Contains(err.Error(), "sample 70001 is") {
			t.Errorf("%v: %v", bad, err)
		}
		if again := w.Close(); again != err {
			t.Errorf("Close after an error: %v", again)
		}
	}
}

// full is a disk with room for n bytes.
type full struct{ n int }

func (f *full) Write(p []byte) (int, error) {
	if len(p) > f.n {
		return 0, errors.New("disk full")
	}
	f.n -= len(p)
	return len(p), nil
}

func TestWriterReportsWriteErrors(t *testing.T) {
	if _, err := NewWriter(&full{10}, 16000); err == nil {
		t.Error("header: no error")
	}
	w, err := NewWriter(&full{44}, 16000)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(make([]float32, 10)); err == nil {
		t.Error("Write: no error")
	}
	if err := w.Close(); err == nil {
		t.Error("Close: no error")
	}
	if err := Encode(&full{1000}, make([]float32, 100000), 16000); err == nil {
		t.Error("Encode: no error")
	}
}

// A file cannot state more than 4 GB; a pipe need not.
func TestWriter4GB(t *testing.T) {
	w, err := NewWriter(&seekable{}, 16000)
	if err != nil {
		t.Fatal(err)
	}
	w.n = maxData/2 - 10
	if err := w.Write(make([]float32, 10)); err != nil {
		t.Fatal(err)
	}
	var unsupported UnsupportedError
	if err := w.Write(make([]float32, 1)); !errors.As(err, &unsupported) {
		t.Errorf("beyond 4 GB: %v", err)
	}
}

type seekable struct{ memory }

func (s *seekable) Seek(int64, int) (int64, error) { return 0, nil }

func TestHeaderSizes(t *testing.T) {
	for _, rate := range []int{1, 8000, 44100, MaxSampleRate} {
		h, err := newHeader(rate, 1000)
		if err != nil {
			t.Fatal(err)
		}
		le := binary.LittleEndian
		if le.Uint32(h[4:]) != 1036 || le.Uint32(h[24:]) != uint32(rate) || le.Uint32(h[28:]) != uint32(2*rate) || le.Uint32(h[40:]) != 1000 {
			t.Errorf("%d Hz: % x", rate, h)
		}
		if n := allocated(func() { _, _ = newHeader(rate, 1000) }); n > 64<<10 {
			t.Errorf("%d Hz: header takes %d bytes of memory", rate, n)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	const seconds = 60
	in := make([]float32, seconds*16000)
	for i := range in {
		in[i] = float32(math.Sin(float64(i) * 0.03))
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := Encode(io.Discard, in, 16000); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(seconds*float64(b.N)/b.Elapsed().Seconds(), "x_realtime")
}
