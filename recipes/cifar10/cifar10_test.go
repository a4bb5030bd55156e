package cifar10

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// batch makes n records of label i%10 whose red, green and blue at row y and
// column x are i, y and x.
func batch(n int) []byte {
	var b []byte
	for i := range n {
		b = append(b, byte(i%10))
		for plane := range channels {
			for p := range side * side {
				b = append(b, byte([]int{i, p / side, p % side}[plane]))
			}
		}
	}
	return b
}

// tree writes a corpus of 5×2 + 3 images; replace changes files of it.
func tree(t *testing.T, replace map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for i, file := range files {
		b, ok := replace[file]
		if !ok {
			b = batch(2 + i/5)
		}
		write(t, filepath.Join(dir, folder, file), b)
	}
	return dir
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

// pack makes an archive of the named files.
func pack(t *testing.T, content map[string][]byte, names ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	for _, name := range names {
		b := content[filepath.Base(name)]
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o666, Size: int64(len(b))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []interface{ Close() error }{w, z} {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

func archived() (content map[string][]byte, names []string) {
	content = map[string][]byte{"readme.html": []byte("about")}
	names = []string{folder + "/readme.html"}
	for i, file := range files {
		content[file] = batch(2 + i/5)
		names = append(names, folder+"/"+file)
	}
	slices.Reverse(names) // their order in the archive does not matter
	return content, names
}

func TestList(t *testing.T) {
	unpacked := tree(t, nil)
	downloaded := t.TempDir()
	content, names := archived()
	write(t, filepath.Join(downloaded, archive), pack(t, content, names...))
	var print string
	for _, dir := range []string{unpacked, filepath.Join(unpacked, folder), downloaded} {
		src, err := List(dir)
		if err != nil {
			t.Fatal(err)
		}
		if warned := len(src.Warnings) == 1; warned != (dir == downloaded) {
			t.Errorf("warnings %q", src.Warnings)
		}
		if print != "" && print != src.Fingerprint {
			t.Error("the fingerprint depends on how the files came")
		}
		print = src.Fingerprint
		for i, want := range []struct {
			name string
			n    int
		}{{"train", 8}, {"valid", 2}, {"test", 3}} {
			split := src.Splits[i]
			if split.Name != want.name || split.N != want.n {
				t.Fatalf("split %s of %d images, want %v", split.Name, split.N, want)
			}
			image := make([]uint8, imageBytes)
			if err := split.Read(1, image); err != nil {
				t.Fatal(err)
			}
			if got, want := image[(5*side+7)*channels:][:3], []uint8{1, 5, 7}; !slices.Equal(got, want) {
				t.Errorf("%s: pixel is %v, want %v", split.Name, got, want)
			}
			if split.Labels[1] != 1 {
				t.Errorf("%s: label %d, want 1", split.Name, split.Labels[1])
			}
		}
	}
}

func TestBadFiles(t *testing.T) {
	wrong := batch(2)
	wrong[recordBytes] = 10
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", []byte{}, "0 bytes, want a multiple of 3073"},
		{"truncated", batch(2)[:5000], "5000 bytes, want a multiple of 3073"},
		{"label", wrong, "record 1: label 10, want 0 to 9"},
		{"huge", make([]byte, maxBatchBytes+1), "more than 30730000 bytes"},
	} {
		_, err := List(tree(t, map[string][]byte{files[4]: c.data}))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Count(err.Error(), files[4]) != 1 || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want %s and the file", c.name, err, c.want)
		}
	}
	dir := tree(t, nil)
	if err := os.Remove(filepath.Join(dir, folder, files[5])); err != nil {
		t.Fatal(err)
	}
	if _, err := List(dir); err == nil || !strings.Contains(err.Error(), files[5]) {
		t.Errorf("a missing batch: %v", err)
	}
}

func TestBadArchives(t *testing.T) {
	content, names := archived()
	whole := pack(t, content, names...)
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "not a gzip file"},
		{"truncated", whole[:len(whole)/2], "unexpected EOF"},
		{"a batch missing", pack(t, content, names[1:]...), "1 of the 6 batches are not in it"},
		{"a batch twice", pack(t, content, append(names[:1:1], names...)...), "test_batch.bin is in it twice"},
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, archive), c.data)
		if _, err := List(dir); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), archive) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want %s and the file", c.name, err, c.want)
		}
	}
}

// FuzzDecode wants an error or as many images as there are records, in memory
// that the file bounds.
func FuzzDecode(f *testing.F) {
	f.Add(batch(2))
	f.Add(batch(1)[:100])
	f.Fuzz(func(t *testing.T, b []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		values, labels, err := decode(b)
		runtime.ReadMemStats(&after)
		if got, most := after.TotalAlloc-before.TotalAlloc, uint64(2*len(b)+1<<20); got > most {
			t.Errorf("%d bytes allocated for %d", got, len(b))
		}
		if err == nil && (len(labels) != len(b)/recordBytes || len(values) != len(labels)*imageBytes || slices.Max(labels) > 9) {
			t.Errorf("%d labels, %d values", len(labels), len(values))
		}
	})
}
