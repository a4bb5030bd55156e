package units

import (
	"bytes"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// testCodes returns n codes below size, the same on every machine.
func testCodes(n, size int) []uint16 {
	codes := make([]uint16, n)
	x := uint32(1)
	for i := range codes {
		x = x*1664525 + 1013904223
		codes[i] = uint16(uint64(x) * uint64(size) >> 32)
	}
	return codes
}

// testHeader fits n units of the published model.
func testHeader(n int) Header {
	return Header{
		Fingerprint: [8]byte{1, 2, 3, 4, 5, 6, 7, 0xff}, SampleRate: 16000, Hop: 320,
		CodebookSize: 512, Samples: int64(n)*320 + 160, Speaker: "1088",
	}
}

func encode(t testing.TB, h Header, codes []uint16) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Encode(&b, h, codes); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	sizes := []int{0, 1, 2, 7, BlockUnits - 1, BlockUnits, BlockUnits + 1, 2 * BlockUnits, 3*BlockUnits + 5}
	for _, k := range []int{2, 3, 256, 257, 512, 1000, 1024, 65535, 65536} {
		for _, n := range sizes {
			h, codes := testHeader(n), testCodes(n, k)
			h.CodebookSize = k
			b := encode(t, h, codes)
			got, gotCodes, err := Decode(iotest.HalfReader(bytes.NewReader(b)))
			if err != nil {
				t.Fatalf("K=%d, %d units: %v", k, n, err)
			}
			if got != h || !slices.Equal(gotCodes, codes) {
				t.Fatalf("K=%d, %d units: the file decodes to something else", k, n)
			}
		}
	}
}

// The bytes do not depend on how the codes are cut into calls.
func TestChunking(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 3*BlockUnits).Draw(t, "n")
		h, codes := testHeader(n), testCodes(n, 512)
		var whole, parts bytes.Buffer
		if err := Encode(&whole, h, codes); err != nil {
			t.Fatal(err)
		}
		w, err := NewWriter(&parts, h)
		if err != nil {
			t.Fatal(err)
		}
		for rest := codes; len(rest) > 0; {
			k := rapid.IntRange(0, len(rest)).Draw(t, "cut")
			if err := w.Write(rest[:k]); err != nil {
				t.Fatal(err)
			}
			rest = rest[k:]
		}
		if err := w.Close(h.Samples); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(whole.Bytes(), parts.Bytes()) {
			t.Fatal("written in parts, the file differs")
		}
		r, err := NewReader(&parts)
		if err != nil {
			t.Fatal(err)
		}
		var got []uint16
		for {
			buf := make([]uint16, rapid.IntRange(1, 5000).Draw(t, "read"))
			n, err := r.Read(buf)
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, buf[:n]...)
		}
		if !slices.Equal(got, codes) || r.Samples() != h.Samples {
			t.Fatal("read in parts, the file differs")
		}
	})
}

// A minute of speech takes at most 2 % more than its bits.
func TestOverhead(t *testing.T) {
	const n, bits = 3000, 9
	got, payload := len(encode(t, testHeader(n), testCodes(n, 512))), n*bits/8
	t.Logf("%d units: %d bytes for %d of payload, %.2f %% more", n, got, payload, 100*float64(got-payload)/float64(payload))
	if float64(got) > 1.02*float64(payload) {
		t.Errorf("%d units take %d bytes, want at most 2 %% above %d", n, got, payload)
	}
}

func TestSampleCounts(t *testing.T) {
	for _, c := range []struct {
		units, samples int64
		ok             bool
	}{
		{0, 0, true}, {0, 479, true}, {0, 640, true}, {0, 641, false},
		{1, 0, true}, {1, 480, true}, {1, 960, true}, {1, 961, false},
		{100, 32000, true}, {100, 31360, true}, {100, 31359, false}, {100, 32640, true}, {100, 32641, false},
	} {
		h := testHeader(0)
		h.Samples = c.samples
		var b bytes.Buffer
		err := Encode(&b, h, testCodes(int(c.units), 512))
		if (err == nil) != c.ok {
			t.Errorf("%d units, %d samples: writer's error %v", c.units, c.samples, err)
		}
		file := appendBlock(appendHeader(nil, h), h, 0, testCodes(int(c.units), 512), true, c.samples)
		if _, _, err := Decode(bytes.NewReader(file)); (err == nil) != c.ok {
			t.Errorf("%d units, %d samples: reader's error %v", c.units, c.samples, err)
		}
	}
}

func TestWriterErrors(t *testing.T) {
	h := testHeader(1)
	bad := h
	bad.CodebookSize = 65537
	var b bytes.Buffer
	if _, err := NewWriter(&b, bad); err == nil || b.Len() > 0 {
		t.Errorf("codebook of 65537: error %v and %d bytes", err, b.Len())
	}
	w, err := NewWriter(&b, h)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write([]uint16{512}); err == nil || !strings.Contains(err.Error(), "unit 512 does not fit a codebook of 512") {
		t.Errorf("unit too large: %v", err)
	}
	if w.Write([]uint16{1}) == nil || w.Close(480) == nil {
		t.Error("the writer went on after an error")
	}
	if err := Encode(io.Discard, testHeader(2), testCodes(2, 512)); err != nil {
		t.Error(err)
	}
	w, _ = NewWriter(io.Discard, h)
	if err := w.Close(h.Samples + 1); err == nil {
		t.Error("closed with another number of samples than the header's")
	}
	w, _ = NewWriter(io.Discard, testHeader(0))
	if w.Close(160) != nil || w.Close(160) == nil || w.Write(nil) == nil {
		t.Error("Close must work once, and Write not after it")
	}
}

func TestStreamed(t *testing.T) {
	const n = BlockUnits + 10
	codes := testCodes(n, 512)
	h := testHeader(n)
	known := encode(t, h, codes)
	samples := h.Samples
	h.Samples = Streamed

	stream := func(w io.Writer) {
		t.Helper()
		u, err := NewWriter(w, h)
		if err != nil {
			t.Fatal(err)
		}
		if err := u.Write(codes); err != nil {
			t.Fatal(err)
		}
		if err := u.Close(samples); err != nil {
			t.Fatal(err)
		}
	}
	var pipe bytes.Buffer
	stream(&pipe)
	r, err := NewReader(bytes.NewReader(pipe.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if r.Samples() != Streamed || r.Header().Samples != Streamed {
		t.Errorf("a stream's header has %d samples, want none", r.Samples())
	}
	got, gotCodes, err := Decode(&pipe)
	if err != nil || got.Samples != samples || !slices.Equal(gotCodes, codes) {
		t.Errorf("streamed: %d samples, error %v", got.Samples, err)
	}

	// In a file the header is completed, also when something precedes it.
	path := filepath.Join(t.TempDir(), "x")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("before"); err != nil {
		t.Fatal(err)
	}
	stream(f)
	if _, err := f.WriteString("after"); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil || string(b) != "before"+string(known)+"after" {
		t.Errorf("a file that can seek differs from one with known samples (%v)", err)
	}
}

func TestSeekUnit(t *testing.T) {
	for _, n := range []int{0, 1, BlockUnits - 1, BlockUnits, BlockUnits + 1, 3 * BlockUnits, 3*BlockUnits + 77} {
		h, codes := testHeader(n), testCodes(n, 512)
		in := bytes.NewReader(append([]byte("before"), encode(t, h, codes)...))
		if _, err := in.Seek(6, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		r, err := NewReader(in)
		if err != nil {
			t.Fatal(err)
		}
		for _, unit := range []int{n, 0, n / 2, n - 1, BlockUnits, BlockUnits - 1, 2 * BlockUnits, 0} {
			if unit < 0 || unit > n {
				continue
			}
			if err := r.SeekUnit(int64(unit)); err != nil {
				t.Fatalf("%d units: seek to %d: %v", n, unit, err)
			}
			var got collect
			if err := Copy(&got, r); err != nil {
				t.Fatalf("%d units: after seek to %d: %v", n, unit, err)
			}
			if !slices.Equal(got.codes, codes[unit:]) || got.samples != h.Samples {
				t.Fatalf("%d units: after seek to %d: %d units and %d samples", n, unit, len(got.codes), got.samples)
			}
		}
		for _, unit := range []int64{-1, int64(n) + 1, 1 << 60} {
			if err := r.SeekUnit(unit); err == nil {
				t.Errorf("%d units: seek to %d succeeded", n, unit)
			}
		}
	}
	r, err := NewReader(io.MultiReader(bytes.NewReader(encode(t, testHeader(1), []uint16{1}))))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.SeekUnit(0); err == nil {
		t.Error("seek in a pipe succeeded")
	}
}

// collect is a Sink that keeps what it is given.
type collect struct {
	codes   []uint16
	samples int64
}

func (c *collect) Write(codes []uint16) error { c.codes = append(c.codes, codes...); return nil }
func (c *collect) Close(samples int64) error  { c.samples = samples; return nil }

func TestRates(t *testing.T) {
	h := testHeader(0)
	if h.CodeRate() != 50 || h.Bitrate() != 450 {
		t.Errorf("code rate %v Hz, bitrate %v bit/s, want 50 and 450", h.CodeRate(), h.Bitrate())
	}
}

// A file of version 1 stays readable. It was made by
//
//	Encode(file, testHeader(5000), testCodes(5000, 512))
func TestVersion1File(t *testing.T) {
	path := filepath.Join("testdata", "version1.vqs")
	h, codes, err := ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if h != testHeader(5000) || !slices.Equal(codes, testCodes(5000, 512)) {
		t.Errorf("%s decodes to something else than what was encoded", path)
	}
	if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, encode(t, h, codes)) {
		t.Errorf("%s is no longer what the writer makes (%v)", path, err)
	}
}

// The example in FORMAT.md is what the writer makes.
func TestFormatExample(t *testing.T) {
	text, err := os.ReadFile("FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```hex")
	dump, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("FORMAT.md has no ```hex block")
	}
	var digits strings.Builder
	for line := range strings.Lines(dump) {
		bytesOnly, _, _ := strings.Cut(line, "|")
		digits.WriteString(strings.Join(strings.Fields(bytesOnly), ""))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatal(err)
	}
	h := Header{
		Fingerprint: [8]byte{0x0f, 0x1e, 0x2d, 0x3c, 0x4b, 0x5a, 0x69, 0x78},
		SampleRate:  16000, Hop: 320, CodebookSize: 512, Samples: 1200, Speaker: "s1",
	}
	if want := encode(t, h, []uint16{5, 300, 511}); !bytes.Equal(b, want) {
		t.Errorf("the example is\n% x\nwant\n% x", b, want)
	}
}
