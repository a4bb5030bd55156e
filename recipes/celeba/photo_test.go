package celeba

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"vqspeech/internal/npy"
)

func fixture(t *testing.T, name string) []uint8 {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	shape, data, err := npy.Read[uint8](f)
	if err != nil {
		t.Fatal(err)
	}
	if want := []int{side, side, 3}; !slices.Equal(shape, want) {
		t.Fatalf("%s: shape %v, want %v", name, shape, want)
	}
	return data
}

// TestResize wants the very bytes of Pillow.
func TestResize(t *testing.T) {
	noise := make([]uint8, crop*crop*3)
	x := uint32(1)
	for i := range noise {
		x = 1664525*x + 1013904223
		noise[i] = uint8(x >> 24)
	}
	got := make([]uint8, side*side*3)
	resize(got, noise, crop, side)
	if want := fixture(t, "noise.npy"); !slices.Equal(got, want) {
		t.Errorf("resized noise differs from Pillow's in %d of %d values", differ(got, want, 0), len(want))
	}
}

// TestRead compares whole photographs with Pillow's: the inverse transforms of
// image/jpeg and libjpeg may differ in their last bit.
func TestRead(t *testing.T) {
	for _, name := range []string{"photo-420", "photo-422", "photo-444"} {
		got := make([]uint8, side*side*3)
		if err := read(filepath.Join("testdata", name+".jpg"), got); err != nil {
			t.Fatal(err)
		}
		want := fixture(t, name+".npy")
		if n, most := differ(got, want, 1), len(want)/1000; n > most || differ(got, want, 2) > 0 {
			t.Errorf("%s: %d values differ from Pillow's by more than 1, want at most %d, and none by more than 2", name, n, most)
		}
		if n := differ(got, want, 0); n > len(want)/20 {
			t.Errorf("%s: %d of %d values differ from Pillow's", name, n, len(want))
		}
	}
}

// differ counts the values that are more than tolerance apart.
func differ(a, b []uint8, tolerance int) int {
	n := 0
	for i := range a {
		if d := int(a[i]) - int(b[i]); d > tolerance || -d > tolerance {
			n++
		}
	}
	return n
}
