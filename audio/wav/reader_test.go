package wav

import (
	"bytes"
	"errors"
	"io"
	"math"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// readAll reads all samples in pieces of size samples.
func readAll(r io.Reader, size int) ([]float32, Info, error) {
	rd, err := NewReader(r)
	if err != nil {
		return nil, Info{}, err
	}
	var all []float32
	buf := make([]float32, max(size, rd.Channels()))
	for {
		n, err := rd.Read(buf)
		all = append(all, buf[:n]...)
		if err == io.EOF {
			return all, rd.Info(), nil
		}
		if err != nil {
			return all, rd.Info(), err
		}
	}
}

type sample struct {
	name string
	file file
	want []float32
}

func valid() []sample {
	pcm := newFile(tagPCM, 1, 16, int16s(0, 1, -1, 32767, -32768))
	pcmWant := []float32{0, 1.0 / 32768, -1.0 / 32768, 32767.0 / 32768, -1}
	odd := newFile(tagPCM, 1, 8, []byte{0, 128, 255})
	listFirst := pcm
	listFirst.before = append(chunk("LIST", []byte("INFOabc")), chunk("bext", make([]byte, 700))...)
	listAfter := pcm
	listAfter.after = chunk("LIST", []byte("INFO"))
	between := pcm
	between.extra = []byte{0, 0}
	killed := pcm.withSize(0)
	killed.riffSize = 36
	empty := newFile(tagPCM, 1, 16, nil)
	emptyThenList := newFile(tagPCM, 1, 16, nil)
	emptyThenList.after = chunk("LIST", []byte("INFO"))
	emptyThenList.riffSize += uint32(len(emptyThenList.after))
	return []sample{
		{"pcm8", odd, []float32{-1, 0, 127.0 / 128}},
		{"pcm16", pcm, pcmWant},
		{"pcm24", newFile(tagPCM, 1, 24, []byte{0, 0, 0x80, 0xFF, 0xFF, 0x7F, 1, 0, 0}), []float32{-1, 8388607.0 / 8388608, 1.0 / 8388608}},
		{"pcm32", newFile(tagPCM, 1, 32, []byte{0, 0, 0, 0x80, 0xFF, 0xFF, 0xFF, 0x7F, 0, 0, 0, 0x40}), []float32{-1, 1 - 1.0/(1<<24), 0.5}},
		{"float32", newFile(tagFloat, 1, 32, float32s(0.5, -1.5, 0)), []float32{0.5, -1.5, 0}},
		{"float64", newFile(tagFloat, 1, 64, float64s(0.5, 1.0/3)), []float32{0.5, 1.0 / 3}},
		{"extensible-pcm16", pcm.extensible(), pcmWant},
		{"extensible-float32", newFile(tagFloat, 1, 32, float32s(0.5)).extensible(), []float32{0.5}},
		{"stereo", newFile(tagPCM, 2, 16, int16s(1, 2, 3, 4)), []float32{1.0 / 32768, 2.0 / 32768, 3.0 / 32768, 4.0 / 32768}},
		{"chunks-before-fmt", listFirst, pcmWant},
		{"chunk-after-data", listAfter, pcmWant},
		{"fmt-18-bytes", between, pcmWant},
		{"data-size-ffffffff", pcm.withSize(0xFFFFFFFF), pcmWant},
		{"data-size-ffffffff-odd-bytes", odd.withSize(0xFFFFFFFF), []float32{-1, 0, 127.0 / 128}},
		{"data-size-fffffffe", pcm.withSize(0xFFFFFFFE), pcmWant},
		{"data-size-7ffff000", pcm.withSize(0x7FFFF000), pcmWant},
		{"data-size-80000000", pcm.withSize(0x80000000), pcmWant},
		{"data-size-0-never-patched", killed, pcmWant},
		{"no-samples", empty, nil},
		{"no-samples-then-list", emptyThenList, nil},
	}
}

func TestReader(t *testing.T) {
	for _, s := range valid() {
		for _, size := range []int{1, 2, 7, 1 << 17} {
			for name, r := range map[string]io.Reader{
				"whole": bytes.NewReader(s.file.bytes()),
				"bytes": iotest.OneByteReader(bytes.NewReader(s.file.bytes())),
				"eof":   iotest.DataErrReader(bytes.NewReader(s.file.bytes())),
			} {
				got, info, err := readAll(r, size)
				if err != nil {
					t.Fatalf("%s (%s, %d): %v", s.name, name, size, err)
				}
				if d := cmp.Diff(s.want, got); d != "" {
					t.Errorf("%s (%s, %d):\n%s", s.name, name, size, d)
				}
				if info.Frames >= 0 && info.Frames != int64(len(got)/info.Channels) {
					t.Errorf("%s: Frames is %d, read %d samples", s.name, info.Frames, len(got))
				}
			}
		}
	}
}

type defect struct {
	name        string
	data        []byte
	unsupported bool
	want        string // in the message
}

func defects() []defect {
	pcm := newFile(tagPCM, 1, 16, int16s(1, 2, 3, 4))
	with := func(f file, change func(*file)) []byte { change(&f); return f.bytes() }
	coded := func(tag uint16, bits int) []byte { return newFile(tag, 1, bits, make([]byte, 8)).bytes() }
	guid := pcm.extensible()
	guid.extra = append([]byte(nil), guid.extra...)
	guid.extra[len(guid.extra)-1] ^= 1
	muLawExt := newFile(7, 1, 8, make([]byte, 8)).extensible()
	return []defect{
		{"empty", nil, false, "file is 0 bytes, want at least 44"},
		{"riff-only", []byte("RIFF"), false, "file is 4 bytes"},
		{"rifx", with(pcm, func(f *file) { f.id = "RIFX" }), true, "RIFX"},
		{"rf64", with(pcm, func(f *file) { f.id = "RF64" }), true, "RF64"},
		{"not-riff", with(pcm, func(f *file) { f.id = "JUNK" }), false, `starts with "JUNK"`},
		{"avi", with(pcm, func(f *file) { f.form = "AVI " }), false, `form is "AVI "`},
		{"no-fmt", with(pcm, func(f *file) { f.noFmt = true }), false, "data chunk before the fmt chunk"},
		{"data-before-fmt", with(pcm, func(f *file) { f.dataFirst = true }), false, "data chunk before the fmt chunk"},
		{"no-data", with(pcm, func(f *file) { f.noData = true }), false, "without a data chunk"},
		{"two-fmt", with(pcm, func(f *file) { f.before = chunk("fmt ", pcm.bytes()[20:36]) }), false, "two fmt chunks"},
		{"fmt-too-short", with(pcm, func(f *file) { f.fmtSize = 4 }), false, "fmt chunk is 4 bytes, want at least 16"},
		{"fmt-size-f0000000", with(pcm, func(f *file) { f.fmtSize = 0xF0000000 }), false, "want at most 64"},
		{"fmt-cut", with(pcm, func(f *file) { f.truncateToByte = 30 }), false, "fmt chunk promises 16 bytes, 10 are there"},
		{"list-size-e0000000", with(pcm, func(f *file) { f.before = []byte("LIST\x00\x00\x00\xe0INFO") }), false, `"LIST" chunk promises`},
		{"smpl-size-40000000", with(pcm, func(f *file) { f.before = []byte("smpl\x00\x00\x00\x40....") }), false, `"smpl" chunk promises`},
		{"mu-law", coded(7, 8), true, "mu-law"},
		{"a-law", coded(6, 8), true, "A-law"},
		{"ms-adpcm", coded(2, 8), true, "ADPCM"},
		{"ima-adpcm", coded(0x11, 8), true, "ffmpeg"},
		{"mp3", coded(0x55, 16), true, "MP3"},
		{"unknown-tag", coded(0x1234, 16), true, "0x1234"},
		{"extensible-mu-law", muLawExt.bytes(), true, "mu-law"},
		{"extensible-other-guid", guid.bytes(), true, "sub-format"},
		{"extensible-short", with(pcm, func(f *file) { f.tag = tagExtensible }), false, "want at least 40"},
		{"channels-0", newFile(tagPCM, 0, 16, make([]byte, 8)).bytes(), false, "0 channels"},
		{"channels-65", newFile(tagPCM, 65, 16, make([]byte, 130)).bytes(), true, "65 channels"},
		{"rate-0", with(pcm, func(f *file) { f.rate = 0 }), false, "0 Hz"},
		{"rate-768001", with(pcm, func(f *file) { f.rate = 768001 }), true, "768001 Hz"},
		{"bits-0", newFile(tagPCM, 1, 0, nil).bytes(), true, "0-bit"},
		{"bits-12", newFile(tagPCM, 1, 12, nil).bytes(), true, "12-bit PCM"},
		{"float-16", newFile(tagFloat, 1, 16, make([]byte, 8)).bytes(), true, "16-bit float"},
		{"block-align", with(pcm, func(f *file) { f.align = 3 }), false, "block align is 3, want 2"},
		{"data-cut", with(pcm, func(f *file) { f.truncateToByte = 49 }), false, "data chunk promises 8 bytes, 5 are there"},
		{"data-size-10000000", pcm.withSize(0x10000000).bytes(), false, "data chunk promises 268435456 bytes, 8 are there"},
		{"data-half-a-frame", newFile(tagPCM, 2, 16, int16s(1, 2, 3)).bytes(), false, "6 bytes is not a whole number of 4-byte"},
		{"streamed-half-a-frame", newFile(tagPCM, 2, 16, int16s(1, 2, 3)).withSize(0xFFFFFFFF).bytes(), false, "last sample frame has 2 of 4 bytes"},
		{"float-nan", newFile(tagFloat, 1, 32, float32s(0, 0, float32(math.NaN()))).bytes(), false, "sample 2 is NaN"},
		{"float-inf", newFile(tagFloat, 2, 32, float32s(0, 0, 0, float32(math.Inf(-1)))).bytes(), false, "sample 1 is -Inf"},
		{"float64-too-large", newFile(tagFloat, 1, 64, float64s(1e300)).bytes(), false, "sample 0 is +Inf"},
	}
}

func TestReaderRejects(t *testing.T) {
	for _, d := range defects() {
		_, _, err := readAll(bytes.NewReader(d.data), 5)
		if err == nil {
			t.Errorf("%s: no error", d.name)
			continue
		}
		var unsupported UnsupportedError
		var format FormatError
		if errors.As(err, &unsupported) != d.unsupported || errors.As(err, &format) == d.unsupported {
			t.Errorf("%s: %T: %v", d.name, err, err)
		}
		if msg := err.Error(); !strings.HasPrefix(msg, "wav: ") || !strings.Contains(msg, d.want) || strings.Contains(msg, "\n") {
			t.Errorf("%s: %q, want %q in it", d.name, msg, d.want)
		}
	}
}

// A failing disk or pipe is reported as itself, not as a broken file.
func TestReaderKeepsReadErrors(t *testing.T) {
	data := newFile(tagPCM, 1, 16, make([]byte, 1000)).bytes()
	for n := range 200 {
		_, _, err := readAll(io.MultiReader(bytes.NewReader(data[:n]), iotest.ErrReader(io.ErrClosedPipe)), 64)
		if !errors.Is(err, io.ErrClosedPipe) {
			t.Fatalf("after %d bytes: %v", n, err)
		}
	}
}

func TestReaderShortBuffer(t *testing.T) {
	rd, err := NewReader(bytes.NewReader(newFile(tagPCM, 2, 16, int16s(1, 2)).bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rd.Read(make([]float32, 1)); err != io.ErrShortBuffer {
		t.Errorf("got %v, want io.ErrShortBuffer", err)
	}
}

// endless is a streamed WAV of more than 4 GB of silence.
type endless struct{ left int64 }

func (e *endless) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), e.left)
	clear(p[:n])
	e.left -= n
	return int(n), nil
}

func TestReaderStreamsBeyond4GB(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 4 GB: minutes under the race detector")
	}
	const size = 1<<32 + 1<<20
	f := newFile(tagFloat, 8, 64, nil).withSize(0xFFFFFFFF)
	rd, err := NewReader(io.MultiReader(bytes.NewReader(f.bytes()), &endless{size}))
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]float32, 8192)
	total := 0
	memory := allocated(func() {
		for err == nil {
			var n int
			n, err = rd.Read(buf)
			total += n
		}
	})
	if err != io.EOF {
		t.Fatal(err)
	}
	if memory > 1<<16 {
		t.Errorf("reading allocated %d bytes", memory)
	}
	if total != size/8 {
		t.Errorf("read %d samples, want %d", total, size/8)
	}
}

// allocated returns the bytes that f allocates in total.
func allocated(f func()) uint64 {
	var a, b runtime.MemStats
	runtime.ReadMemStats(&a)
	f()
	runtime.ReadMemStats(&b)
	return b.TotalAlloc - a.TotalAlloc
}

func TestReaderAllocationCeiling(t *testing.T) {
	for _, d := range defects() {
		if n := allocated(func() { _, _, _ = readAll(bytes.NewReader(d.data), 4096) }); n > 1<<20 {
			t.Errorf("%s: %d bytes of input made it allocate %d bytes", d.name, len(d.data), n)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range valid() {
		f.Add(s.file.bytes())
	}
	for _, d := range defects() {
		f.Add(d.data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		whole, info, err := readAll(bytes.NewReader(data), 1<<17)
		if err != nil && !strings.HasPrefix(err.Error(), "wav: ") {
			t.Fatalf("error without its package: %v", err)
		}
		if len(whole) > len(data) {
			t.Fatalf("%d samples from %d bytes", len(whole), len(data))
		}
		pieces, _, err2 := readAll(iotest.OneByteReader(bytes.NewReader(data)), 3)
		if (err == nil) != (err2 == nil) {
			t.Fatalf("whole: %v, in pieces: %v", err, err2)
		}
		if err != nil {
			return
		}
		if len(whole)%info.Channels != 0 {
			t.Fatalf("%d samples of %d channels", len(whole), info.Channels)
		}
		if d := cmp.Diff(whole, pieces); d != "" {
			t.Fatal(d)
		}
	})
}

func BenchmarkReader(b *testing.B) {
	const seconds = 60
	data := newFile(tagPCM, 1, 16, make([]byte, seconds*16000*2)).bytes()
	buf := make([]float32, 4096)
	b.ReportAllocs()
	for b.Loop() {
		rd, err := NewReader(bytes.NewReader(data))
		if err != nil {
			b.Fatal(err)
		}
		for err == nil {
			_, err = rd.Read(buf)
		}
	}
	b.ReportMetric(seconds*float64(b.N)/b.Elapsed().Seconds(), "x_realtime")
}
