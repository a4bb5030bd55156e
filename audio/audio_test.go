package audio

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mewkiz/flac"
	"github.com/mewkiz/flac/frame"
	"github.com/mewkiz/flac/meta"

	aflac "vqspeech/audio/flac"
	"vqspeech/audio/resample"
	"vqspeech/audio/wav"
)

const utterance = "../testdata/118-47824-0040.flac"

func sine(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(math.Round(20000*math.Sin(float64(i)*0.05))) / 32768
	}
	return x
}

func wavBytes(t testing.TB, x []float32, rate int) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := wav.Encode(&buf, x, rate); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func write(t testing.TB, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "in")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// withStdin runs f with data on standard input, through a pipe.
func withStdin(t *testing.T, data []byte, f func()) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func(old *os.File) { os.Stdin = old; r.Close() }(os.Stdin)
	os.Stdin = r
	go func() {
		_, _ = w.Write(data)
		w.Close()
	}()
	f()
}

// withStdout runs f and returns what it writes to standard output, through a
// pipe.
func withStdout(t *testing.T, f func()) []byte {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func(old *os.File) { os.Stdout = old; r.Close() }(os.Stdout)
	os.Stdout = w
	done := make(chan []byte)
	go func() {
		b, _ := io.ReadAll(r)
		done <- b
	}()
	f()
	w.Close()
	return <-done
}

func TestLoadSave(t *testing.T) {
	in := &Clip{Samples: sine(100000), SampleRate: 22050}
	path := filepath.Join(t.TempDir(), "a.flac") // the name does not matter
	if err := Save(path, in); err != nil {
		t.Fatal(err)
	}
	got, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(in, got); d != "" {
		t.Error(d)
	}
	if got.Seconds() != 100000.0/22050 {
		t.Errorf("%v s", got.Seconds())
	}
}

func TestLoadFLAC(t *testing.T) {
	clip, err := Load(utterance)
	if err != nil {
		t.Fatal(err)
	}
	if len(clip.Samples) != 51600 || clip.SampleRate != 16000 {
		t.Errorf("%d samples at %d Hz", len(clip.Samples), clip.SampleRate)
	}
	data, err := os.ReadFile(utterance)
	if err != nil {
		t.Fatal(err)
	}
	// With an ID3v2 tag in front, as some taggers leave it.
	tagged := append([]byte("ID3\x04\x00\x00\x00\x00\x01\x00"), make([]byte, 128)...)
	again, err := Load(write(t, append(tagged, data...)))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(clip, again); d != "" {
		t.Error(d)
	}
}

func TestStandardStreams(t *testing.T) {
	want := &Clip{Samples: sine(50000), SampleRate: 16000}
	var got *Clip
	var err error
	withStdin(t, wavBytes(t, want.Samples, 16000), func() { got, err = Load("-") })
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}

	saved := withStdout(t, func() { err = Save("-", want) })
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(saved, wavBytes(t, want.Samples, 16000)) {
		t.Error("Save to standard output differs from a file")
	}

	streamed := withStdout(t, func() {
		w, e := Create("-", 16000)
		if e == nil {
			e = errors.Join(w.Write(want.Samples[:100]), w.Write(want.Samples[100:]), w.Close())
		}
		err = e
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err = Load(write(t, streamed))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestOpenErrorsHaveNoPath(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing.wav")
	_, err := Load(missing)
	if !errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), "missing") {
		t.Errorf("missing file: %v", err)
	}
	if _, err := Load(dir); err == nil || err.Error() != "is a folder, want a WAV or FLAC file" {
		t.Errorf("folder: %v", err)
	}
	for _, f := range []func(string) error{
		func(p string) error { return Save(p, &Clip{SampleRate: 16000}) },
		func(p string) error { _, err := Create(p, 16000); return err },
	} {
		err := f(filepath.Join(dir, "nowhere", "a.wav"))
		if err == nil || strings.Contains(err.Error(), "a.wav") || !strings.Contains(err.Error(), "nowhere") {
			t.Errorf("missing folder: %v", err)
		}
	}
}

// After a failure the old file is there, unchanged, and nothing beside it.
func TestOutputIsAtomic(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.wav")
	if err := Save(path, &Clip{Samples: sine(10), SampleRate: 16000}); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	nan := []float32{0, float32(math.NaN())}
	if err := Save(path, &Clip{Samples: nan, SampleRate: 16000}); err == nil || !strings.Contains(err.Error(), "sample 1 is NaN") {
		t.Errorf("Save: %v", err)
	}
	if err := Save(path, &Clip{}); err == nil || !strings.Contains(err.Error(), "sample rate") {
		t.Errorf("Save without a rate: %v", err)
	}
	if _, err := Create(path, 0); err == nil {
		t.Error("Create without a rate: no error")
	}
	for _, finish := range []func(w *Writer){
		func(w *Writer) { w.Abort() },
		func(w *Writer) {
			if w.Write(nan) == nil || w.Close() == nil {
				t.Error("NaN: no error")
			}
		},
	} {
		w, err := Create(path, 16000)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(sine(100000)); err != nil {
			t.Fatal(err)
		}
		finish(w)
	}
	after, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, after) || len(entries) != 1 {
		t.Errorf("file changed: %v, files: %v", !bytes.Equal(before, after), entries)
	}
}

func TestCreate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.wav")
	w, err := Create(path, 16000)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	x := sine(70000)
	for i := 0; i < len(x); i += 1000 {
		if err := w.Write(x[i : i+1000]); err != nil {
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
	if !bytes.Equal(got, wavBytes(t, x, 16000)) {
		t.Error("streamed file differs from a saved one")
	}
}

// silence is a FLAC stream of frames that each pack 4096 samples in a few
// bytes.
func silence(t testing.TB, frames int) []byte {
	t.Helper()
	var buf bytes.Buffer
	info := &meta.StreamInfo{BlockSizeMin: 4096, BlockSizeMax: 4096, SampleRate: 16000, NChannels: 1, BitsPerSample: 16}
	enc, err := flac.NewEncoder(&buf, info)
	if err != nil {
		t.Fatal(err)
	}
	f := &frame.Frame{
		Header:    frame.Header{HasFixedBlockSize: true, BlockSize: 4096, SampleRate: 16000, BitsPerSample: 16},
		Subframes: []*frame.Subframe{{SubHeader: frame.SubHeader{Pred: frame.PredConstant}, Samples: make([]int32, 4096), NSamples: 4096}},
	}
	for range frames {
		if err := enc.WriteFrame(f); err != nil {
			t.Fatal(err)
		}
	}
	return buf.Bytes()
}

// A small file does not fill the memory as a clip, but can be streamed.
func TestLoadRefusesBombs(t *testing.T) {
	small, bomb := write(t, silence(t, 100)), write(t, silence(t, maxSmall/4096+100))
	if clip, err := Load(small); err != nil || len(clip.Samples) != 409600 {
		t.Errorf("25 s of silence: %v", err)
	}
	if _, err := Load(bomb); err == nil || !strings.Contains(err.Error(), "expand to more than") {
		t.Errorf("bomb: %v", err)
	}
	s, err := Open(bomb)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if n := len(drain(t, s, func() int { return 1 << 16 })); n != maxSmall+409600 {
		t.Errorf("streamed %d samples", n)
	}
}

func TestDamagedFLAC(t *testing.T) {
	data, err := os.ReadFile(utterance)
	if err != nil {
		t.Fatal(err)
	}
	var format aflac.FormatError
	if _, err := Load(write(t, data[:len(data)/2])); !errors.As(err, &format) {
		t.Errorf("half a file: %v", err)
	}
	data[len(data)/2] ^= 0x10
	if _, err := Load(write(t, data)); !errors.As(err, &format) {
		t.Errorf("one bit: %v", err)
	}
}

func TestClipResampleLength(t *testing.T) {
	clip := &Clip{Samples: sine(1001), SampleRate: 44100}
	got, err := clip.Resample(16000)
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(got.Samples)) != resample.Len(1001, 44100, 16000) || got.SampleRate != 16000 {
		t.Errorf("%d samples at %d Hz", len(got.Samples), got.SampleRate)
	}
	if same, err := clip.Resample(44100); err != nil || same != clip {
		t.Errorf("same rate: another clip, %v", err)
	}
}

func BenchmarkLoad(b *testing.B) {
	samples := 0
	for b.Loop() {
		clip, err := Load(utterance)
		if err != nil {
			b.Fatal(err)
		}
		samples += len(clip.Samples)
	}
	b.ReportMetric(float64(samples)/16000/b.Elapsed().Seconds(), "x_realtime")
}
