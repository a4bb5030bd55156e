package npy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// numbers returns a file of the elements of data, in their binary form.
func numbers(t testing.TB, descr, shape string, data any) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := binary.Write(&b, binary.LittleEndian, data); err != nil {
		t.Fatal(err)
	}
	return append(file(fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s}", descr, shape), 0), b.Bytes()...)
}

// readAll reads a file in pieces of at most n elements.
func readAll(r io.Reader, n int) ([]float64, error) {
	f, err := NewNumbers(r)
	if err != nil {
		return nil, err
	}
	var all []float64
	total, _ := product(f.Shape)
	for len(all) < total {
		piece := make([]float64, min(n, total-len(all)))
		if err := f.Read(piece); err != nil {
			return nil, err
		}
		all = append(all, piece...)
	}
	if err := f.Read(make([]float64, 1)); err != io.EOF {
		return nil, fmt.Errorf("after the end: %w", err)
	}
	return all, nil
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		descr string
		data  any
		want  []float64
	}{
		{"<f4", []float32{1.5, -2, 3, 0}, []float64{1.5, -2, 3, 0}},
		{"<f8", []float64{0.1, -1e300, 3, 0}, []float64{0.1, -1e300, 3, 0}},
		{"|u1", []uint8{0, 1, 128, 255}, []float64{0, 1, 128, 255}},
		{"<u2", []uint16{0, 1, 256, 65535}, []float64{0, 1, 256, 65535}},
		{"<i4", []int32{0, -1, 256, -1 << 31}, []float64{0, -1, 256, -1 << 31}},
		{"<i8", []int64{0, -1, 1 << 40, -1 << 63}, []float64{0, -1, 1 << 40, -1 << 63}},
	} {
		b := numbers(t, c.descr, "(2, 2)", c.data)
		for n := 1; n <= 4; n++ {
			got, err := readAll(iotest.HalfReader(bytes.NewReader(b)), n)
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("%s in pieces of %d: got %v (%v), want %v", c.descr, n, got, err, c.want)
			}
		}
		for n := range len(b) {
			if _, err := readAll(bytes.NewReader(b[:n]), 3); err == nil {
				t.Errorf("%s: cut to %d of %d bytes, the file was accepted", c.descr, n, len(b))
			}
		}
		if _, err := readAll(bytes.NewReader(append(b, 0)), 4); err == nil {
			t.Errorf("%s: a trailing byte was accepted", c.descr)
		}
		f, err := NewNumbers(bytes.NewReader(b))
		if err != nil || f.Float() != strings.Contains(c.descr, "f") || !slices.Equal(f.Shape, []int{2, 2}) {
			t.Errorf("%s: %+v (%v)", c.descr, f, err)
		}
		var format FormatError
		if err := f.Read(make([]float64, 5)); !errors.As(err, &format) {
			t.Errorf("%s: reading past the end: %v", c.descr, err)
		}
	}
	if _, err := readAll(bytes.NewReader(numbers(t, "<f8", "(0, 3)", []float64{})), 1); err != nil {
		t.Errorf("no elements: %v", err)
	}
	if _, err := NewNumbers(bytes.NewReader(numbers(t, "<f8", "(0, 3)", []float64{1}))); err == nil {
		t.Error("bytes after no elements were accepted")
	}
	var unsupported UnsupportedError
	if _, err := NewNumbers(bytes.NewReader(numbers(t, ">f8", "(1,)", []float64{1}))); !errors.As(err, &unsupported) {
		t.Errorf("big endian: %v", err)
	}
	var format FormatError
	if _, err := NewNumbers(bytes.NewReader(numbers(t, "<f8", "(2147483647, 2147483647, 9)", []uint16{}))); !errors.As(err, &format) {
		t.Errorf("overflow: %v", err)
	}
}

func FuzzNumbers(f *testing.F) {
	f.Add(numbers(f, "<f8", "(2, 2)", []float64{1, 2, 3, 4}), 3)
	f.Add(numbers(f, "|u1", "(3,)", []uint8{1, 2, 3}), 1)
	f.Add(numbers(f, "<i8", "(0,)", []int64{}), 1)
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		n = 1 + n&15
		all, err := readAll(bytes.NewReader(b), n)
		again, errAgain := readAll(bytes.NewReader(b), 1)
		if (err == nil) != (errAgain == nil) || len(all) != len(again) {
			t.Fatalf("%d elements in pieces of %d (%v), %d one by one (%v)", len(all), n, err, len(again), errAgain)
		}
	})
}

// TestNumbersOfShortFile wants a file that was cut off to be refused at once.
func TestNumbersOfShortFile(t *testing.T) {
	var whole bytes.Buffer
	if err := Write(&whole, []int{40000}, make([]float32, 40000)); err != nil {
		t.Fatal(err)
	}
	for _, cut := range []int{0, 1, 159999} {
		path := filepath.Join(t.TempDir(), "numbers.npy")
		if err := os.WriteFile(path, whole.Bytes()[:whole.Len()-cut], 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		n, err := NewNumbers(f)
		switch {
		case cut > 0 && (err == nil || !strings.Contains(err.Error(), "file ends within the data of 40000 elements")):
			t.Errorf("%d bytes cut off: %v", cut, err)
		case cut == 0 && err != nil:
			t.Error(err)
		case cut == 0:
			if err := n.Read(make([]float64, 40000)); err != nil {
				t.Error(err)
			}
		}
	}
}
