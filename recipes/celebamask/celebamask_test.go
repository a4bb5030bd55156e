package celebamask

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"vqspeech/recipes/images"
)

const faces = "idx  orig_idx  orig_file\n0 119613 119614.jpg\n1 162770 162771.jpg\n2001 162771 162772.jpg\n3 182638 182639.jpg\n"

func encode(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := enc.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
}

// label is that of the map of a face at a pixel of the source: it changes with
// every pixel, so that the pixels that are taken can be told.
func label(index, x, y int) uint8 { return uint8((index + x + 5*y) % 19) }

// wholeMap makes the label map of a face.
func wholeMap(index int) *image.Gray {
	img := image.NewGray(image.Rect(0, 0, size, size))
	for y := range size {
		for x := range size {
			img.SetGray(x, y, color.Gray{Y: label(index, x, y)})
		}
	}
	return img
}

// checkMap compares a map that was read with the pixels 8i+4 of the source.
func checkMap(t *testing.T, split images.Split, k, index int) {
	t.Helper()
	got := make([]uint8, side*side)
	if err := split.Read(k, got); err != nil {
		t.Fatal(err)
	}
	want := make([]uint8, side*side)
	for i := range want {
		want[i] = label(index, i%side*8+4, i/side*8+4)
	}
	if !slices.Equal(got, want) {
		t.Errorf("map of face %d: begins with %v, want %v", index, got[:8], want[:8])
	}
}

func checkSplits(t *testing.T, src images.Source) {
	t.Helper()
	for i, want := range []struct {
		name string
		n    int
	}{{"train", 2}, {"valid", 1}, {"test", 1}} {
		if s := src.Splits[i]; s.Name != want.name || s.N != want.n {
			t.Errorf("split %s of %d images, want %v", s.Name, s.N, want)
		}
	}
	if src.Classes != 19 || src.Height != 64 || src.Width != 64 || src.Channels != 1 {
		t.Errorf("%d classes, %d×%d×%d", src.Classes, src.Height, src.Width, src.Channels)
	}
}

func TestWholeMaps(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, inner, mapping), []byte(faces))
	for _, index := range []int{0, 1, 2001} {
		write(t, filepath.Join(dir, inner, maps, fmt.Sprintf("%d.png", index)), encode(t, wholeMap(index)))
	}
	src, err := List(dir)
	if err != nil {
		t.Fatal(err)
	}
	checkSplits(t, src)
	checkMap(t, src.Splits[0], 0, 0)
	checkMap(t, src.Splits[0], 1, 1)
	checkMap(t, src.Splits[1], 0, 2001)
	if err := src.Splits[2].Read(0, make([]uint8, side*side)); !os.IsNotExist(err) {
		t.Errorf("an absent map: %v", err)
	}
}

// TestParts paints faces of parts that overlap: what is under a later part
// must not show.
func TestParts(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, mapping), []byte(faces))
	for _, index := range []int{0, 1, 2001} {
		for i, part := range labels {
			img := image.NewNRGBA(image.Rect(0, 0, size, size)) // as published: grey in three channels
			for y := range size {
				for x := range size {
					c := color.NRGBA{A: 255}
					l := int(label(index, x, y))
					if l == i+1 || l > i+1 && (x+y)%3 == 0 {
						c = color.NRGBA{255, 255, 255, 255}
					}
					img.SetNRGBA(x, y, c)
				}
			}
			write(t, filepath.Join(dir, parts, fmt.Sprint(index/2000), fmt.Sprintf("%05d_%s.png", index, part)), encode(t, img))
		}
	}
	src, err := List(dir)
	if err != nil {
		t.Fatal(err)
	}
	checkSplits(t, src)
	checkMap(t, src.Splits[0], 0, 0)
	checkMap(t, src.Splits[1], 0, 2001)
	if err := src.Splits[2].Read(0, make([]uint8, side*side)); err == nil || err.Error() != "none of its parts is there" {
		t.Errorf("a face without parts: %v", err)
	}
	write(t, filepath.Join(dir, parts, "0", "00001_hair.png"), []byte("no PNG"))
	if err := src.Splits[0].Read(1, make([]uint8, side*side)); err == nil || !strings.HasPrefix(err.Error(), "hair: invalid PNG file: ") {
		t.Errorf("a damaged part: %v", err)
	}
}

func TestBadMaps(t *testing.T) {
	high := wholeMap(0)
	high.SetGray(12, 20, color.Gray{Y: 19})
	good := encode(t, wholeMap(0))
	bomb := encode(t, image.NewGray(image.Rect(0, 0, 60000, 20)))
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"label 19", encode(t, high), "label 19 at row 20, column 12, want 0 to 18"},
		{"other size", encode(t, image.NewGray(image.Rect(0, 0, 512, 511))), "label map of 512×511, want 512×512"},
		{"bomb", bomb, "label map of 60000×20, want 512×512"},
		{"colour", encode(t, image.NewNRGBA(image.Rect(0, 0, 512, 512))), "not grey of 8 bits"},
		{"truncated", good[:len(good)/2], "invalid PNG file: "},
		{"empty", nil, "invalid PNG file: "},
		{"huge", append(bytes.Clone(good), make([]byte, maxMaskBytes)...), "larger than 2097152 bytes"},
	} {
		path := filepath.Join(t.TempDir(), "0.png")
		write(t, path, c.data)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := readMap(path, make([]uint8, side*side))
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > 16<<20 {
			t.Errorf("%s: %d bytes allocated", c.name, got)
		}
	}
}

func TestBadMappings(t *testing.T) {
	for _, c := range []struct{ name, mapping, want string }{
		{"one column", "7\n", `line 1: "7", want two indices and a file name`},
		{"no number", faces + "x 5 6.jpg\n", `line 6: "x" is no index`},
		{"negative", faces + "9 -5 6.jpg\n", `line 6: "-5" is no index`},
		{"twice", faces + "0 5 6.jpg\n", "line 6: index 0 is in line 2 too"},
		{"long line", strings.Repeat("x", 300), "line 1: longer than 256 bytes"},
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, mapping), []byte(c.mapping))
		if _, err := List(dir); err == nil || !strings.Contains(err.Error(), mapping+": "+c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
	if _, err := List(t.TempDir()); !os.IsNotExist(err) || !strings.Contains(err.Error(), mapping) {
		t.Errorf("without a mapping: %v", err)
	}
}

// FuzzReadMapping wants an error or indices, each once, in memory that the
// list bounds.
func FuzzReadMapping(f *testing.F) {
	f.Add([]byte(faces))
	f.Add([]byte("1 2"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got, err := readMapping(bytes.NewReader(b))
		runtime.ReadMemStats(&after)
		if n, most := after.TotalAlloc-before.TotalAlloc, uint64(200*len(b)+1<<20); n > most {
			t.Errorf("%d bytes allocated for %d", n, len(b))
		}
		seen := map[int]bool{}
		for _, f := range got {
			if err == nil && (seen[f.index] || f.index < 0 || f.original < 0) {
				t.Errorf("face %+v", f)
			}
			seen[f.index] = true
		}
	})
}
