package flac

import (
	"bytes"
	"crypto/md5"
	"errors"
	"io"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/mewkiz/flac/frame"

	"vqspeech/audio/flac/flactest"
)

const utterance = "../../testdata/118-47824-0040.flac"

// readAll reads all samples in pieces of size samples.
func readAll(r io.Reader, size int) ([]float32, *Reader, error) {
	rd, err := NewReader(r)
	if err != nil {
		return nil, nil, err
	}
	var all []float32
	buf := make([]float32, max(size, rd.Channels()))
	for {
		n, err := rd.Read(buf)
		all = append(all, buf[:n]...)
		if err == io.EOF {
			return all, rd, nil
		}
		if err != nil {
			return all, rd, err
		}
	}
}

// noise returns n samples that use the whole range of bits, extremes first.
func noise(n int, bits uint, seed uint64) []int32 {
	rng := rand.New(rand.NewPCG(seed, 1))
	x := make([]int32, n)
	for i := range x {
		x[i] = int32(rng.Uint32()) >> (32 - bits)
	}
	x[0], x[1] = math.MinInt32>>(32-bits), math.MaxInt32>>(32-bits)
	return x
}

func scaled(bits uint, channels ...[]int32) []float32 {
	var out []float32
	for i := range channels[0] {
		for _, c := range channels {
			v := float32(float64(c[i]) / math.Exp2(float64(bits-1)))
			out = append(out, min(v, 1-1.0/(1<<24)))
		}
	}
	return out
}

func TestReaderBitDepths(t *testing.T) {
	for bits := uint(4); bits <= 32; bits++ {
		for _, nch := range []int{1, 2, 8} {
			var channels [][]int32
			for c := range nch {
				channels = append(channels, noise(150, bits, uint64(c)))
			}
			want := scaled(bits, channels...)
			for _, size := range []int{1, 48, 1 << 12} {
				got, rd, err := readAll(iotest.HalfReader(bytes.NewReader(newStream(bits, 64, channels...).bytes())), size)
				if err != nil {
					t.Fatalf("%d bits, %d channels: %v", bits, nch, err)
				}
				if d := cmp.Diff(want, got); d != "" {
					t.Fatalf("%d bits, %d channels, pieces of %d:\n%s", bits, nch, size, d)
				}
				if rd.Channels() != nch || rd.SampleRate() != 16000 || rd.Frames() != 150 {
					t.Errorf("%d channels, %d Hz, %d frames", rd.Channels(), rd.SampleRate(), rd.Frames())
				}
			}
		}
	}
}

func TestReaderStereoModes(t *testing.T) {
	for _, bits := range []uint8{8, 12, 16, 20, 24} {
		left, right := noise(500, uint(bits), 1), noise(500, uint(bits), 2)
		for i := 100; i < 400; i++ { // something to predict
			left[i] = int32(float64(int32(1)<<(bits-2)) * math.Sin(float64(i)*0.05))
			right[i] = left[i] / 2
		}
		for _, mode := range []frame.Channels{frame.ChannelsLR, frame.ChannelsLeftSide, frame.ChannelsSideRight, frame.ChannelsMidSide} {
			data, err := flactest.Encode(16000, bits, 128, mode, left, right)
			if err != nil {
				t.Fatal(err)
			}
			got, _, err := readAll(bytes.NewReader(data), 100)
			if err != nil {
				t.Fatalf("%d bits, mode %d: %v", bits, mode, err)
			}
			if d := cmp.Diff(scaled(uint(bits), left, right), got); d != "" {
				t.Errorf("%d bits, mode %d:\n%s", bits, mode, d)
			}
		}
	}
}

// The MD5 in the file proves the samples of a real recording.
func TestReaderUtterance(t *testing.T) {
	data, err := os.ReadFile(utterance)
	if err != nil {
		t.Fatal(err)
	}
	whole, rd, err := readAll(bytes.NewReader(data), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if rd.want == [md5.Size]byte{} || len(whole) != 51600 || rd.SampleRate() != 16000 {
		t.Errorf("%d samples at %d Hz, MD5 %x", len(whole), rd.SampleRate(), rd.want)
	}
	pieces, _, err := readAll(iotest.OneByteReader(bytes.NewReader(data)), 37)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(whole, pieces); d != "" {
		t.Error(d)
	}
}

func TestReaderAcceptsUnstatedLength(t *testing.T) {
	s := newStream(16, 64, noise(100, 16, 1))
	s.total, s.md5 = 0, [md5.Size]byte{}
	got, rd, err := readAll(bytes.NewReader(s.bytes()), 100)
	if err != nil || len(got) != 100 || rd.Frames() != -1 {
		t.Errorf("%d samples, Frames %d, %v", len(got), rd.Frames(), err)
	}
}

func TestReaderIgnoresTail(t *testing.T) {
	s := newStream(16, 64, noise(100, 16, 1))
	s.tail = append([]byte("TAG"), make([]byte, 125)...) // ID3v1
	if got, _, err := readAll(bytes.NewReader(s.bytes()), 100); err != nil || len(got) != 100 {
		t.Errorf("%d samples, %v", len(got), err)
	}
}

type defect struct {
	name        string
	data        []byte
	unsupported bool
	want        string
}

func defects() []defect {
	good := newStream(16, 64, noise(200, 16, 1))
	whole := good.bytes()
	with := func(change func(*stream)) []byte { s := good; change(&s); return s.bytes() }
	long := noise(65536, 4, 1)
	wide := newStream(32, 64, noise(100, 32, 1))
	wide.frameBits = 7
	side := newStream(32, 64, noise(100, 32, 1), noise(100, 32, 2))
	side.frameChans = byte(frame.ChannelsMidSide)
	unstated := good
	unstated.total = 0
	return []defect{
		{"empty", nil, false, "stream is 0 bytes, want at least 42"},
		{"magic-only", []byte("fLaC"), false, "stream is 4 bytes"},
		{"header-cut", whole[:41], false, "stream is 41 bytes"},
		{"not-flac", with(func(s *stream) { s.magic = "OggS" }), false, `starts with "OggS"`},
		{"first-block-not-streaminfo", with(func(s *stream) { s.blockType = 4 }), false, "type 4"},
		{"streaminfo-size-ffffff", with(func(s *stream) { s.blockSize = 0xFFFFFF }), false, "16777215 bytes, want 34"},
		{"metadata-size-ffffff", replace(append(whole[:42:42], "\x84\xff\xff\xff...."...), 4, 0), false, "truncated"},
		{"rate-0", with(func(s *stream) { s.rate = 0 }), false, "sample rate"},
		{"bits-3", with(func(s *stream) { s.bits = 3 }), false, "3 bits per sample"},
		{"cut-in-frame", whole[:len(whole)-100], false, "truncated: header promises 200 samples, 128 are there"},
		{"cut-between-frames", newStream(16, 64, noise(200, 16, 1)).bytes()[:42+3*142], false, "header promises 200 samples, 1"},
		{"cut-unstated-length", unstated.bytes()[:len(whole)-3], false, "stream ends inside the frame at sample 192"},
		{"no-frames", whole[:42], false, "header promises 200 samples, 0 are there"},
		{"total-too-large", with(func(s *stream) { s.total = 1 << 35 }), false, "promises 34359738368 samples, 200 are there"},
		{"total-too-small", with(func(s *stream) { s.total = 100 }), false, "promises 100 samples, there are at least 128"},
		{"md5-differs", with(func(s *stream) { s.md5[0] ^= 1 }), false, "MD5 of the audio"},
		{"sample-changed", replace(whole, 80, whole[80]^1), false, "CRC-16"},
		{"frame-header-changed", replace(whole, 45, whole[45]^1), false, "frame at sample 0"},
		{"sync-lost", replace(whole, 42, 0), false, "invalid sync-code"},
		{"frame-bits-differ", with(func(s *stream) { s.frameBits = 6 }), false, "24 bits per sample, the header says 16"},
		{"frame-rate-differs", with(func(s *stream) { s.frameRate = 4 }), false, "8000 Hz, the header says 16000"},
		{"frame-channels-differ", with(func(s *stream) { s.frameChans = 1 }), false, "2 channels, the header says 1"},
		{"block-65536", newStream(4, 65536, long).bytes(), false, "block of 65536 samples"},
		{"bits-32-frame-code-7", wide.bytes(), true, "32-bit FLAC"},
		{"bits-32-side-channel", side.bytes(), true, "decorrelation"},
	}
}

func TestReaderRejects(t *testing.T) {
	for _, d := range defects() {
		_, _, err := readAll(bytes.NewReader(d.data), 50)
		if err == nil {
			t.Errorf("%s: no error", d.name)
			continue
		}
		var unsupported UnsupportedError
		var format FormatError
		if errors.As(err, &unsupported) != d.unsupported || errors.As(err, &format) == d.unsupported {
			t.Errorf("%s: %T: %v", d.name, err, err)
		}
		if msg := err.Error(); !strings.HasPrefix(msg, "flac: ") || !strings.Contains(msg, d.want) || strings.Contains(msg, "\n") {
			t.Errorf("%s: %q, want %q in it", d.name, msg, d.want)
		}
	}
}

// A failing disk or pipe is reported as itself, not as a broken file.
func TestReaderKeepsReadErrors(t *testing.T) {
	data := newStream(16, 64, noise(200, 16, 1)).bytes()
	for n := range data {
		_, _, err := readAll(io.MultiReader(bytes.NewReader(data[:n]), iotest.ErrReader(io.ErrClosedPipe)), 64)
		if !errors.Is(err, io.ErrClosedPipe) {
			t.Fatalf("after %d of %d bytes: %v", n, len(data), err)
		}
	}
}

// The decoder's notice about 24 kHz stays off the log, other lines do not.
func TestReaderIsSilent(t *testing.T) {
	var buf bytes.Buffer
	defer log.SetOutput(log.Writer())
	log.SetOutput(&buf)
	s := newStream(16, 64, noise(200, 16, 1))
	s.rate, s.frameRate = 24000, 7
	if _, _, err := readAll(bytes.NewReader(s.bytes()), 100); err != nil {
		t.Fatal(err)
	}
	if buf.Len() > 0 {
		t.Errorf("logged %q", buf.String())
	}
	log.Print("hello")
	if !strings.Contains(buf.String(), "hello") {
		t.Error("other lines are lost")
	}
}

func TestReaderAllocationCeiling(t *testing.T) {
	for _, d := range defects() {
		var a, b runtime.MemStats
		runtime.ReadMemStats(&a)
		_, _, _ = readAll(bytes.NewReader(d.data), 4096)
		runtime.ReadMemStats(&b)
		if n := b.TotalAlloc - a.TotalAlloc; n > 4<<20 {
			t.Errorf("%s: %d bytes of input made it allocate %d bytes", d.name, len(d.data), n)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, d := range defects() {
		if len(d.data) < 4096 {
			f.Add(d.data)
		}
	}
	f.Add(newStream(16, 64, noise(100, 16, 1), noise(100, 16, 2)).bytes())
	if data, err := flactest.Encode(16000, 16, 64, frame.ChannelsMidSide, noise(100, 16, 1), noise(100, 16, 2)); err == nil {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4096 {
			return
		}
		whole, rd, err := readAll(bytes.NewReader(data), 1<<20)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "flac: ") {
				t.Fatalf("error without its package: %v", err)
			}
			return
		}
		if n := rd.Frames(); n >= 0 && len(whole) != int(n)*rd.Channels() {
			t.Fatalf("%d samples, header says %d frames of %d channels", len(whole), n, rd.Channels())
		}
		for i, v := range whole {
			if !(v >= -1 && v < 1) {
				t.Fatalf("sample %d is %v", i, v)
			}
		}
	})
}

func BenchmarkReader(b *testing.B) {
	data, err := os.ReadFile(utterance)
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]float32, 4096)
	samples := 0
	b.ReportAllocs()
	for b.Loop() {
		rd, err := NewReader(bytes.NewReader(data))
		if err != nil {
			b.Fatal(err)
		}
		for err == nil {
			var n int
			n, err = rd.Read(buf)
			samples += n
		}
		if err != io.EOF {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(samples)/16000/b.Elapsed().Seconds(), "x_realtime")
}
