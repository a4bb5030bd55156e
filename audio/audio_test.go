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
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/mewkiz/flac"
	"github.com/mewkiz/flac/frame"
	"github.com/mewkiz/flac/meta"
	"pgregory.net/rapid"

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

func TestDetect(t *testing.T) {
	cases := []struct{ name, data, want string }{
		{"empty", "", "empty file, want WAV or FLAC"},
		{"mp3", "\xff\xfb\x90\x64" + strings.Repeat("\x00", 100), "ffmpeg -i in.mp3 out.wav"},
		{"aac", "\xff\xf1\x50\x80", "MPEG audio"},
		{"id3-mp3", "ID3\x04\x00\x00\x00\x00\x00\x05.....\xff\xfb\x90\x64", "MP3 is not supported, convert it first"},
		{"id3-cut", "ID3\x04\x00\x00\x7f\x7f\x7f\x7f...", "MP3 is not supported"},
		{"ogg", "OggS\x00\x02", "Ogg (Vorbis, Opus) is not supported, convert it first: ffmpeg -i in.ogg out.wav"},
		{"m4a", "\x00\x00\x00\x20ftypM4A ", "MP4 (AAC)"},
		{"sphere", "NIST_1A\n   1024\n", "ffmpeg -i in.sph out.wav"},
		{"aiff", "FORM\x00\x00\x00\x00AIFF", "AIFF"},
		{"gzip", "\x1f\x8b\x08\x00", "unpack it first"},
		{"text", "hello, world\n", `text (starts with "hello, world\n"), want WAV or FLAC`},
		{"utf16", "\xff\xfeh\x00i\x00", "text (UTF-16)"},
		{"umlaut-cut", strings.Repeat("a", 63) + "ä", "text"},
		{"zeros", "\x00\x00\x00\x00\x00\x00\x00\x00\x00", `unknown format (starts with 00 00 00 00 00 00 00 00)`},
		{"riff-cut", "RIFF", "wav: truncated"},
		{"avi", "RIFF\x00\x00\x00\x00AVI LIST", `wav: invalid format: RIFF form is "AVI "`},
		{"rf64", "RF64\xff\xff\xff\xffWAVEds64", "wav: unsupported: RF64"},
		{"flac-cut", "fLaC", "flac: truncated"},
	}
	for _, c := range cases {
		_, err := Load(write(t, []byte(c.data)))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q in it", c.name, err, c.want)
		}
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

func FuzzNewStream(f *testing.F) {
	f.Add([]byte("ID3\x04\x00\x00\x00\x00\x00\x05.....fLaC"))
	f.Add([]byte("RIFF\x00\x00\x00\x00WAVE"))
	f.Add([]byte("\xff\xfb\x90\x64"))
	f.Add([]byte("text"))
	f.Add(wavBytes(f, sine(10), 16000))
	f.Add(silence(f, 2))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4096 {
			return
		}
		s, err := NewStream(bytes.NewReader(data))
		if err != nil {
			if msg := err.Error(); strings.Contains(msg, "\n") || !strings.Contains(msg, ": ") {
				t.Fatalf("%q", msg)
			}
			return
		}
		if s.SampleRate() < 1 {
			t.Fatalf("rate of %d Hz", s.SampleRate())
		}
		if clip, err := s.readAll(); err == nil && len(clip.Samples) > 1<<24 {
			t.Fatalf("%d samples from %d bytes", len(clip.Samples), len(data))
		}
	})
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
