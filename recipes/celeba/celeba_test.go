package celeba

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// photo makes a JPEG file of one colour.
func photo(t *testing.T, w, h int, c color.Color) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.Set(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const partition = "000001.jpg 0\n000002.jpg 0\n000003.jpg 1\n000004.jpg 2\n"

// tree writes a corpus: a list and photographs, below Img and Eval if deep.
func tree(t *testing.T, deep bool, list string, photos map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	at := map[bool][2]string{false: {"", ""}, true: {"Eval", "Img"}}[deep]
	for _, d := range []string{at[0], filepath.Join(at[1], folder)} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, at[0], "list_eval_partition.txt"), []byte(list), 0o666); err != nil {
		t.Fatal(err)
	}
	for name, b := range photos {
		if err := os.WriteFile(filepath.Join(dir, at[1], folder, name), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestList(t *testing.T) {
	red, grey := color.RGBA{200, 40, 30, 255}, color.RGBA{90, 90, 90, 255}
	photos := map[string][]byte{"000001.jpg": photo(t, 178, 218, red), "000002.jpg": photo(t, 178, 218, grey), "000003.jpg": photo(t, 178, 218, red), "Thumbs.db": []byte("x")}
	for _, deep := range []bool{false, true} {
		src, err := List(tree(t, deep, partition, photos))
		if err != nil {
			t.Fatal(err)
		}
		if len(src.Warnings) != 2 || !strings.Contains(src.Warnings[0], "list_eval_partition.txt: MD5 is ") || !strings.HasSuffix(src.Warnings[1], `does not name: "Thumbs.db"`) {
			t.Errorf("warnings %q", src.Warnings)
		}
		var n []int
		for _, s := range src.Splits {
			n = append(n, s.N)
		}
		if !slices.Equal(n, []int{2, 1, 1}) {
			t.Errorf("splits of %v images, want 2, 1 and 1", n)
		}
		image := make([]uint8, side*side*3)
		if err := src.Splits[0].Read(1, image); err != nil {
			t.Fatal(err)
		}
		if slices.Min(image) != 90 || slices.Max(image) != 90 {
			t.Errorf("a grey photograph became %d to %d", slices.Min(image), slices.Max(image))
		}
		if err := src.Splits[0].Read(0, image); err != nil {
			t.Fatal(err)
		}
		for i, want := range []int{200, 40, 30} {
			if d := int(image[i]) - want; d < -2 || d > 2 {
				t.Errorf("a red photograph begins with %v", image[:3])
			}
		}
		if err := src.Splits[2].Read(0, image); err == nil || !os.IsNotExist(err) {
			t.Errorf("an absent photograph: %v", err)
		}
	}
}

func TestBadPhotos(t *testing.T) {
	good := photo(t, 178, 218, color.White)
	var grey bytes.Buffer
	if err := jpeg.Encode(&grey, image.NewGray(image.Rect(0, 0, 178, 218)), nil); err != nil {
		t.Fatal(err)
	}
	bomb := bytes.Clone(good)
	frame := bytes.Index(bomb, []byte{0xff, 0xc0})
	copy(bomb[frame+5:], []byte{0xff, 0xff, 0xff, 0xff}) // 65535×65535
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "not a JPEG file"},
		{"png", []byte("\x89PNG\r\n\x1a\n"), "not a JPEG file"},
		{"truncated", good[:len(good)/2], "invalid JPEG file: "},
		{"only the magic", good[:2], "invalid JPEG file: "},
		{"other size", photo(t, 178, 217, color.White), "photograph of 178×217, want 178×218"},
		{"bomb", bomb, "photograph of 65535×65535, want 178×218"},
		{"grey", grey.Bytes(), "without the three colour components"},
		{"huge", append(bytes.Clone(good), make([]byte, maxPhotoBytes)...), "larger than 1048576 bytes"},
	} {
		path := filepath.Join(t.TempDir(), "000001.jpg")
		if err := os.WriteFile(path, c.data, 0o666); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := read(path, make([]uint8, side*side*3))
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > 8<<20 {
			t.Errorf("%s: %d bytes allocated", c.name, got)
		}
	}
}

func TestBadLists(t *testing.T) {
	for _, c := range []struct{ name, list, want string }{
		{"no split", "000001.jpg\n", "line 1: \"000001.jpg\", want a file name and 0, 1 or 2"},
		{"split 3", partition + "000005.jpg 3\n", `line 5: split "3", want 0, 1 or 2`},
		{"empty split", "000005.jpg 01\n", `line 1: split "01"`},
		{"twice", partition + "000002.jpg 2\n", "line 5: 000002.jpg is in line 2 too"},
		{"leads out", "../1.jpg 0\n", `line 1: "../1.jpg" is no plain file name`},
		{"long line", strings.Repeat("x", 300) + " 0\n", "line 1: longer than 256 bytes"},
	} {
		_, err := List(tree(t, false, c.list, nil))
		if err == nil || !strings.Contains(err.Error(), "list_eval_partition.txt: "+c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
	for _, gone := range []string{"list_eval_partition.txt", folder} {
		dir := tree(t, false, partition, nil)
		if err := os.RemoveAll(filepath.Join(dir, gone)); err != nil {
			t.Fatal(err)
		}
		if _, err := List(dir); !os.IsNotExist(err) || !strings.Contains(err.Error(), gone) {
			t.Errorf("without %s: %v", gone, err)
		}
	}
}

// FuzzReadPartition wants an error or plain names, each once, in memory that
// the list bounds.
func FuzzReadPartition(f *testing.F) {
	f.Add([]byte(partition))
	f.Add([]byte("000001.jpg 0"))
	f.Add([]byte("\n\n a 1\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		parts, err := readPartition(bytes.NewReader(b))
		runtime.ReadMemStats(&after)
		if got, most := after.TotalAlloc-before.TotalAlloc, uint64(200*len(b)+1<<20); got > most {
			t.Errorf("%d bytes allocated for %d", got, len(b))
		}
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for _, names := range parts {
			for _, name := range names {
				if seen[name] || name == "" || filepath.Base(name) != name {
					t.Errorf("name %q", name)
				}
				seen[name] = true
			}
		}
	})
}
