package npy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

func encode[T Element](t testing.TB, shape []int, data []T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, shape, data); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// file puts a header dictionary and n data bytes together.
func file(dict string, n int) []byte {
	b := append([]byte(magic), 1, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(dict)))
	return append(append(b, dict...), make([]byte, n)...)
}

// The bytes that numpy.save(f, numpy.array([[1, 2, 3]], '<u2')) writes with
// NumPy 2.4.6.
func TestBytes(t *testing.T) {
	dict := "{'descr': '<u2', 'fortran_order': False, 'shape': (1, 3), }"
	dict += strings.Repeat(" ", 117-len(dict)) + "\n"
	want := append(file(dict, 0), 1, 0, 2, 0, 3, 0)
	if got := encode(t, []int{1, 3}, []uint16{1, 2, 3}); !bytes.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for _, shape := range [][]int{nil, {1}, {0, 7}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}} {
		n, _ := product(shape)
		b := encode(t, shape, make([]int32, n))
		if start := len(b) - 4*n; start%alignment != 0 || b[start-1] != '\n' {
			t.Errorf("shape %v: data begins at %d, want a multiple of %d after a newline", shape, start, alignment)
		}
	}
}

func roundTrip[T Element](t *testing.T, shape []int, data []T) {
	t.Helper()
	b := encode(t, shape, data)
	gotShape, got, err := Read[T](iotest.HalfReader(bytes.NewReader(b)))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, data) || fmt.Sprint(gotShape) != fmt.Sprint(shape) {
		t.Errorf("got %v %v, want %v %v", gotShape, got, shape, data)
	}
	for n := range len(b) {
		if _, _, err := Read[T](bytes.NewReader(b[:n])); err == nil {
			t.Fatalf("cut to %d of %d bytes, the file was accepted", n, len(b))
		}
	}
	if _, _, err := Read[T](bytes.NewReader(append(b, 0))); err == nil {
		t.Error("a trailing byte was accepted")
	}
}

func TestRoundTrip(t *testing.T) {
	roundTrip(t, []int{2, 3}, []float32{1, -2, 0, 1e-40, float32(math.Inf(-1)), math.MaxFloat32})
	roundTrip(t, []int{4}, []int32{math.MinInt32, -1, 0, math.MaxInt32})
	roundTrip(t, []int{1, 2, 1}, []uint16{0, 65535})
	roundTrip(t, []int{}, []uint16{7})
	roundTrip(t, []int{2, 2}, []uint8{0, 1, 127, 255})
	roundTrip(t, []int{3, 0}, []float32{})
}

func TestReadForms(t *testing.T) {
	for _, dict := range []string{
		"{'descr': '<u2', 'fortran_order': False, 'shape': (2,), }",
		`{"shape":(2,),"descr":"<u2","fortran_order":False}` + "\n",
		"{ 'fortran_order' : False , 'shape' : ( 2 , ) , 'descr' : '<u2' }   \n",
		"{'descr': '<u2', 'fortran_order': False, 'shape': (2, 1)}",
	} {
		if _, data, err := Read[uint16](bytes.NewReader(file(dict, 4))); err != nil || len(data) != 2 {
			t.Errorf("%s: %v", dict, err)
		}
	}
}

func TestReadErrors(t *testing.T) {
	const good = "'descr': '<f4', 'fortran_order': False, "
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"empty", nil, "file ends within the first 10 bytes"},
		{"magic", []byte("RIFF....WAVE"), `file begins with "RIFF.."`},
		{"header cut", file("{", 0)[:10], "file ends within the header of 1 bytes"},
		{"no dictionary", file("[1]", 0), `header has "[1]" where "{" is expected`},
		{"no end", file("{"+good, 0), "a string is expected"},
		{"two keys", file("{"+good+"}", 0), "header has 2 keys"},
		{"twice", file("{"+good+good+"}", 0), `key "descr" occurs twice`},
		{"unknown key", file("{'x': 1}", 0), `unknown key "x"`},
		{"not a tuple", file("{"+good+"'shape': (3)}", 12), `"," is expected`},
		{"negative", file("{"+good+"'shape': (-3,)}", 12), "a dimension is expected"},
		{"huge dimension", file("{"+good+"'shape': (99999999999999999999,)}", 12), "a dimension is expected"},
		{"overflow", file("{"+good+"'shape': (2147483647, 2147483647, 2147483647)}", 12), "is too large"},
		{"rank", file("{"+good+"'shape': ("+strings.Repeat("1,", 17)+")}", 4), "more than 16 axes"},
		{"after", file("{"+good+"'shape': ()} x", 4), "2 bytes after the dictionary"},
		{"string", file("{'descr", 4), "a string that is not ended"},
		{"short data", file("{"+good+"'shape': (2,)}", 7), "file ends within the data of 2 elements"},
		{"lying shape", file("{"+good+"'shape': (500000000,)}", 7), "file ends within the data of 500000000 elements"},
		{"long data", file("{"+good+"'shape': (2,)}", 9), "bytes after the 2 elements of shape [2]"},
	} {
		_, _, err := Read[float32](bytes.NewReader(c.b))
		var format FormatError
		if !errors.As(err, &format) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want a FormatError with %q", c.name, err, c.want)
		}
	}
	version2 := file("{"+good+"'shape': ()}", 4)
	version2[6] = 2
	for name, b := range map[string][]byte{
		"version 2":  version2,
		"float64":    file("{'descr': '<f8', 'fortran_order': False, 'shape': ()}", 8),
		"big endian": file("{'descr': '>f4', 'fortran_order': False, 'shape': ()}", 4),
		"Fortran":    file("{'descr': '<f4', 'fortran_order': True, 'shape': ()}", 4),
	} {
		_, _, err := Read[float32](bytes.NewReader(b))
		var unsupported UnsupportedError
		if !errors.As(err, &unsupported) {
			t.Errorf("%s: error %v, want an UnsupportedError", name, err)
		}
	}
	broken := errors.New("broken")
	if _, _, err := Read[float32](iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("reader's error became %v", err)
	}
}

func TestWriteErrors(t *testing.T) {
	for _, shape := range [][]int{{3}, {-1, -2}, {2, -1}, {1 << 30, 1 << 30, 1 << 30}, make([]int, maxRank+1)} {
		var b bytes.Buffer
		if err := Write(&b, shape, []float32{1, 2}); err == nil || b.Len() > 0 {
			t.Errorf("shape %v: error %v and %d bytes written, want an error and none", shape, err, b.Len())
		}
	}
}

func TestAllocationCeiling(t *testing.T) {
	for name, b := range map[string][]byte{
		"lying shape": file("{'descr': '<f4', 'fortran_order': False, 'shape': (500000000,)}", 1<<20),
		"long tuple":  file("{'shape': ("+strings.Repeat("1,", 30000), 0),
		"long string": file("{'"+strings.Repeat("a", 60000), 0),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, _, err := Read[float32](bytes.NewReader(b)); err == nil {
			t.Errorf("%s was accepted", name)
		}
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 16<<20 {
			t.Errorf("%s: %d bytes allocated for a file of %d", name, got, len(b))
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(encode(f, []int{1, 3}, []uint16{1, 2, 3}))
	f.Add(encode(f, []int{0}, []uint16{}))
	f.Add(file(`{"shape":(2,),"descr":"<u2","fortran_order":False}`+"\n", 4))
	f.Add(file("{'descr': '<u2', 'fortran_order': False, 'shape': (2147483647, 2147483647, 2147483647)}", 12))
	f.Fuzz(func(t *testing.T, b []byte) {
		shape, data, err := Read[uint16](bytes.NewReader(b))
		if err != nil {
			return
		}
		shapeAgain, dataAgain, err := Read[uint16](bytes.NewReader(encode(t, shape, data)))
		if err != nil || !reflect.DeepEqual(shape, shapeAgain) || !reflect.DeepEqual(data, dataAgain) {
			t.Fatalf("written and read again, %v %v became %v %v (%v)", shape, data, shapeAgain, dataAgain, err)
		}
	})
}
