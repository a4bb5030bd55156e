package mnist

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"vqspeech/recipes/images"
)

// idx makes an uncompressed file of n items; count is what its header says.
func idx(count, n int, item ...int) []byte {
	b := []byte{0, 0, 8, byte(1 + len(item))}
	b = binary.BigEndian.AppendUint32(b, uint32(count))
	size := 1
	for _, d := range item {
		b = binary.BigEndian.AppendUint32(b, uint32(d))
		size *= d
	}
	for i := range n * size {
		b = append(b, byte(i/size%10))
	}
	return b
}

func packed(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(b); err != nil {
		panic(err)
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// tree writes a corpus of 12 + 3 images; replace changes files of it.
func tree(t *testing.T, replace map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	content := map[string][]byte{
		files[0]: packed(idx(12, 12, 28, 28)), files[1]: packed(idx(12, 12)),
		files[2]: packed(idx(3, 3, 28, 28)), files[3]: packed(idx(3, 3)),
	}
	for name, b := range replace {
		content[name] = b
	}
	for name, b := range content {
		if b == nil {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestList(t *testing.T) {
	for name, list := range map[string]func(string) (images.Source, error){Name: List, FashionName: ListFashion} {
		src, err := list(tree(t, nil))
		if err != nil {
			t.Fatal(err)
		}
		if src.Corpus != name || len(src.Warnings) != 4 || !strings.Contains(src.Warnings[0], files[0]+": MD5 is ") {
			t.Errorf("%s: corpus %s, warnings %q", name, src.Corpus, src.Warnings)
		}
		first := []uint8{0, 0, 0}
		for i, want := range []struct {
			name string
			n    int
		}{{"train", 10}, {"valid", 2}, {"test", 3}} {
			split := src.Splits[i]
			if split.Name != want.name || split.N != want.n || len(split.Labels) != want.n {
				t.Fatalf("split %s of %d images and %d labels, want %v", split.Name, split.N, len(split.Labels), want)
			}
			image := make([]uint8, side*side)
			if err := split.Read(split.N-1, image); err != nil {
				t.Fatal(err)
			}
			first[i] = image[0]
			if image[0] != image[side*side-1] || image[0] != split.Labels[split.N-1] {
				t.Errorf("%s: last image is %d to %d, its label %d", want.name, image[0], image[side*side-1], split.Labels[split.N-1])
			}
		}
		if want := []uint8{9, 1, 2}; !slices.Equal(first, want) {
			t.Errorf("last images of the splits are %v, want %v", first, want)
		}
	}
}

func TestBadFiles(t *testing.T) {
	good := packed(idx(12, 12, 28, 28))
	damaged := bytes.Clone(good)
	damaged[len(damaged)-6] ^= 0xff // the CRC
	for _, c := range []struct {
		name, file string
		data       []byte
		want       string
	}{
		{"missing", files[0], nil, "no such file"},
		{"empty", files[0], []byte{}, "truncated gzip file"},
		{"no gzip", files[0], idx(12, 12, 28, 28), "not a gzip file"},
		{"truncated gzip", files[0], good[:len(good)/2], "truncated gzip file"},
		{"damaged gzip", files[0], damaged, "checksum"},
		{"truncated header", files[0], packed(idx(12, 12, 28, 28)[:9]), "truncated gzip file"},
		{"truncated data", files[0], packed(idx(12, 11, 28, 28)), "the data ends after 8624 of 9408 bytes"},
		{"more data", files[0], packed(idx(12, 13, 28, 28)), "bytes after the 12 items"},
		{"count beyond all files", files[0], packed(idx(1<<31, 1, 28, 28)), "2147483648 items, want at most"},
		{"other size", files[2], packed(idx(3, 3, 28, 32)), "axis 2 has the length 32, want 28"},
		{"labels for images", files[0], packed(idx(12000, 12000)), "file begins with 00 00 08 01, want 00 00 08 03"},
		{"too few labels", files[1], packed(idx(11, 11)), "11 labels, want one for each of the 12 images"},
		{"label of no class", files[3], packed(append(idx(3, 2), 10)), "label 10, want 0 to 9"},
	} {
		dir := tree(t, map[string][]byte{c.file: c.data})
		_, err := List(dir)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Count(err.Error(), c.file) != 1 || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want %s and the file", c.name, err, c.want)
		}
	}
}

// FuzzDecodeIDX wants an error or what the header says, in memory that the
// header bounds.
func FuzzDecodeIDX(f *testing.F) {
	for _, b := range [][]byte{packed(idx(2, 2, 4, 4)), packed(idx(9, 1, 4, 4)), packed(nil), idx(1, 1, 4, 4), packed(idx(2, 2, 4, 4))[:20]} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		n, values, err := decodeIDX(bytes.NewReader(b), 4, 4)
		runtime.ReadMemStats(&after)
		if got, most := after.TotalAlloc-before.TotalAlloc, uint64(4*16*maxItems+1<<20); got > most {
			t.Errorf("%d bytes allocated for %d, want at most %d", got, len(b), most)
		}
		if err == nil && (len(values) != n*16 || n > maxItems) {
			t.Errorf("%d items of %d bytes", n, len(values))
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("error of several lines: %q", err)
		}
	})
}
