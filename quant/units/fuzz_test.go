package units

import (
	"bytes"
	"io"
	"runtime"
	"testing"
)

func FuzzRead(f *testing.F) {
	for _, n := range []int{0, 1, 10, BlockUnits + 1} {
		f.Add(encode(f, testHeader(n), testCodes(n, 512)))
	}
	h := testHeader(3)
	h.Samples = Streamed
	f.Add(appendBlock(appendHeader(nil, h), h, 0, testCodes(3, 512), true, 1120))
	f.Fuzz(func(t *testing.T, b []byte) {
		read(t, b)
		// Random bytes do not have right checksums, so go on behind them too.
		read(t, appendBlock(appendHeader(nil, h), h, 0, codesOf(b), true, int64(len(b)/2)*320))
	})
}

// codesOf takes two bytes as a code.
func codesOf(b []byte) []uint16 {
	codes := make([]uint16, min(len(b)/2, BlockUnits))
	for i := range codes {
		codes[i] = (uint16(b[2*i]) | uint16(b[2*i+1])<<8) % 512
	}
	return codes
}

// read checks that a file that is accepted is what the writer makes of it.
func read(t *testing.T, b []byte) {
	t.Helper()
	r, err := NewReader(bytes.NewReader(b))
	if err != nil {
		return
	}
	var again bytes.Buffer
	w, err := NewWriter(&again, r.Header())
	if err != nil {
		t.Fatalf("the header was accepted, but %v", err)
	}
	var got collect
	if Copy(&got, r) != nil {
		return
	}
	if err := w.Write(got.codes); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(got.samples); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again.Bytes(), b) {
		t.Fatal("an accepted file is not what the writer makes of its content")
	}
}

func TestAllocationCeiling(t *testing.T) {
	const n = 8 << 20 // one bit each: 1 MB
	h := testHeader(n)
	h.CodebookSize = 2
	large := encode(t, h, testCodes(n, 2))
	small := encode(t, testHeader(1), []uint16{1})
	for name, c := range map[string]struct {
		b       []byte
		ceiling uint64
	}{
		"large":        {large, 60 << 20},
		"large, cut":   {large[:len(large)-1], 60 << 20},
		"small":        {small, 1 << 20},
		"lying header": {appendHeader(nil, h), 1 << 20},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, _ = Decode(bytes.NewReader(c.b))
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > c.ceiling {
			t.Errorf("%s: %d bytes allocated for a file of %d", name, got, len(c.b))
		}
	}
}

// Streaming holds one block, however long the file.
func TestStreamingMemory(t *testing.T) {
	const n = 1 << 20
	b := encode(t, testHeader(n), testCodes(n, 512))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r, err := NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if err := Copy(discard{}, r); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 128<<10 {
		t.Errorf("%d bytes allocated to read %d units", got, n)
	}
}

type discard struct{}

func (discard) Write([]uint16) error { return nil }
func (discard) Close(int64) error    { return nil }

func BenchmarkEncode(b *testing.B) {
	const n = 180000 // an hour
	codes := testCodes(n, 512)
	for b.Loop() {
		if err := Encode(io.Discard, testHeader(n), codes); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(3600*float64(b.N)/b.Elapsed().Seconds(), "x_realtime")
}

func BenchmarkDecode(b *testing.B) {
	const n = 180000 // an hour
	data := encode(b, testHeader(n), testCodes(n, 512))
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		r, err := NewReader(bytes.NewReader(data))
		if err != nil {
			b.Fatal(err)
		}
		if err := Copy(discard{}, r); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(3600*float64(b.N)/b.Elapsed().Seconds(), "x_realtime")
}
