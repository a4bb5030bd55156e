package images_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vqspeech/model/image"
	"vqspeech/recipes/images"
)

const side = 256 // of an image: 21 make a block

// value is that of every value of an image.
func value(split string, i int) uint8 { return uint8(7*i + len(split)) }

// source makes splits of 50, 30 and no images; those in bad cannot be read.
func source(bad ...int) images.Source {
	s := images.Source{Corpus: "test", Kind: "made up", Root: "nowhere", Height: side, Width: side, Channels: 3, Fingerprint: "one"}
	for _, split := range []images.Split{{Name: "train", N: 50}, {Name: "valid", N: 30}, {Name: "test"}} {
		split.Path = func(i int) string { return split.Name + "/" + string(rune('0'+i)) }
		split.Read = func(i int, dst []uint8) error {
			if slices.Contains(bad, i) && split.Name == "train" {
				return errors.New("is no image")
			}
			for k := range dst {
				dst[k] = value(split.Name, i)
			}
			return nil
		}
		split.Labels = make([]uint8, split.N)
		for i := range split.Labels {
			split.Labels[i] = uint8(i)
		}
		s.Splits = append(s.Splits, split)
	}
	return s
}

// tree returns the content of every file in dir.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = string(b)
	}
	return files
}

func prepare(t *testing.T, src images.Source, dst string) *images.Report {
	t.Helper()
	r, err := images.Prepare(t.Context(), src, dst, images.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func sameTree(t *testing.T, want map[string]string, dir string) {
	t.Helper()
	got := tree(t, dir)
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s differs", name)
		}
		delete(got, name)
	}
	for name := range got {
		t.Errorf("%s is left", name)
	}
}

func TestPrepare(t *testing.T) {
	dst := filepath.Join(t.TempDir(), "new", "data")
	r := prepare(t, source(3, 49), dst)
	if r.Computed != 78 || r.Reused != 0 || len(r.Failed) != 2 {
		t.Errorf("report %+v", r)
	}
	if f := r.Failed[0]; f.Path != "train/3" || f.Err.Error() != "is no image" {
		t.Errorf("failure %+v", f)
	}
	c, err := images.Open(dst)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"test", "train", "valid"}, c.Splits()); d != "" {
		t.Error(d)
	}
	set, err := c.Read("train")
	if err != nil {
		t.Fatal(err)
	}
	labels, err := c.Labels("train")
	if err != nil {
		t.Fatal(err)
	}
	if set.N != 48 || set.Height != side || set.Width != side || set.Channels != 3 || len(set.Images) != 48*side*side*3 || len(labels) != 48 {
		t.Fatalf("%d images of %d×%d×%d, %d labels", set.N, set.Height, set.Width, set.Channels, len(labels))
	}
	for i, l := range labels {
		pixels := set.Images[i*side*side*3:][:side*side*3]
		if want := value("train", int(l)); pixels[0] != want || pixels[len(pixels)-1] != want {
			t.Errorf("image %d with label %d is %d, want %d", i, l, pixels[0], want)
		}
	}
	if set, err := c.Read("test"); err != nil || set.N != 0 {
		t.Errorf("empty split: %d images, %v", set.N, err)
	}
	if _, err := c.Read("dev"); err == nil || !strings.Contains(err.Error(), `no split "dev", the corpus has test, train, valid`) {
		t.Errorf("unknown split: %v", err)
	}

	// What failed is tried again, what did not is kept.
	r = prepare(t, source(), dst)
	if r.Computed != 50 || r.Reused != 30 {
		t.Errorf("again: %d computed and %d reused, want 50 and 30", r.Computed, r.Reused)
	}
	// Other files of the same corpus replace all.
	src := source()
	src.Fingerprint = "two"
	if r = prepare(t, src, dst); r.Computed != 80 {
		t.Errorf("of other files: %d computed, want 80", r.Computed)
	}
	src.Corpus = "another"
	if _, err := images.Prepare(t.Context(), src, dst, images.Options{}); err == nil || !strings.Contains(err.Error(), `holds the corpus "test"`) {
		t.Errorf("prepared over another corpus: %v", err)
	}
}

// TestResume stops a run after every block and wants the bytes of an
// undisturbed one.
func TestResume(t *testing.T) {
	whole := t.TempDir()
	prepare(t, source(3, 30), whole)
	want := tree(t, whole)
	if len(want) != 8 {
		t.Fatalf("%d files, want 8", len(want))
	}
	for stop := 1; stop <= 5; stop++ {
		dst := t.TempDir()
		ctx, cancel := context.WithCancel(t.Context())
		calls := 0
		_, err := images.Prepare(ctx, source(3, 30), dst, images.Options{Progress: func(images.Progress) {
			if calls++; calls == stop {
				cancel()
			}
		}})
		cancel()
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped at call %d: %v", stop, err)
		}
		if _, err := images.Open(dst); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("an unfinished folder opens: %v", err)
		}
		// What a kill leaves: half a line, values behind the last block, a temporary file.
		add(t, filepath.Join(dst, "images.partial.jsonl"), `{"split":"train","tri`)
		for _, split := range []string{"train", "valid"} {
			if path := filepath.Join(dst, split+".npy.partial"); exists(path) {
				add(t, path, "half an image")
			}
		}
		add(t, filepath.Join(dst, ".images.json.tmp-12345678"), "half")
		r := prepare(t, source(3, 30), dst)
		if r.Reused == 0 || r.Computed == 0 || r.Computed+r.Reused != 78 || len(r.Failed) != 2 {
			t.Errorf("stopped at call %d: %d computed, %d reused, %d failed", stop, r.Computed, r.Reused, len(r.Failed))
		}
		sameTree(t, want, dst)
	}
}

// TestKilledTwice kills a run after it has named a finished array and before it
// has said so, and the next one, which makes the array anew, after a block.
func TestKilledTwice(t *testing.T) {
	whole := t.TempDir()
	prepare(t, source(3, 30), whole)
	dst := t.TempDir()
	stop := func(at int) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		calls := 0
		_, err := images.Prepare(ctx, source(3, 30), dst, images.Options{Progress: func(images.Progress) {
			if calls++; calls == at {
				cancel()
			}
		}})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped at call %d: %v", at, err)
		}
	}
	stop(4) // the three blocks of train are made, and the array
	path := filepath.Join(dst, "images.partial.jsonl")
	text, last, _ := strings.Cut(tree(t, dst)["images.partial.jsonl"], `{"split":"train","tried":50,"failed":null,"done":`)
	if last == "" || !exists(filepath.Join(dst, "train.npy")) {
		t.Fatalf("the journal does not say that train is done: %s", text)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	stop(1)
	prepare(t, source(3, 30), dst)
	sameTree(t, tree(t, whole), dst)
}

func add(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// TestDamage wants every change of a finished folder to be found, and mended.
func TestDamage(t *testing.T) {
	dst := t.TempDir()
	prepare(t, source(), dst)
	want := tree(t, dst)
	for _, c := range []struct {
		name, file string
		damage     func(b []byte) []byte
		want       string
	}{
		{"a bit", "train.npy", func(b []byte) []byte { b[5000] ^= 1; return b }, "train.npy: SHA-256 is "},
		{"cut", "train.npy", func(b []byte) []byte { return b[:len(b)-1] }, " bytes, want "},
		{"longer", "train-labels.npy", func(b []byte) []byte { return append(b, 0) }, " bytes, want "},
		{"gone", "train.npy", nil, "train.npy"},
	} {
		path := filepath.Join(dst, c.file)
		if c.damage == nil {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(path, c.damage([]byte(want[c.file])), 0o666); err != nil {
			t.Fatal(err)
		}
		corpus, err := images.Open(dst)
		if err != nil {
			t.Fatal(err)
		}
		_, err = corpus.Read("train")
		if c.file != "train.npy" {
			_, err = corpus.Labels("train")
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
		if r := prepare(t, source(), dst); r.Computed != 50 || r.Reused != 30 {
			t.Errorf("%s: %d computed and %d reused, want 50 and 30", c.name, r.Computed, r.Reused)
		}
		sameTree(t, want, dst)
	}
}

func TestOpenErrors(t *testing.T) {
	dst := t.TempDir()
	prepare(t, source(), dst)
	info := tree(t, dst)["images.json"]
	for _, c := range []struct{ name, info, want string }{
		{"no JSON", "hello", "invalid JSON"},
		{"later version", strings.Replace(info, `"version": 1`, `"version": 2`, 1), "version is 2, want 1"},
		{"unknown field", strings.Replace(info, `"corpus"`, `"corpse"`, 1), `unknown field "corpse"`},
		{"two", info + info, "more than one value"},
		{"huge", strings.Replace(info, `"height": 256`, `"height": 1000000000`, 1), "want sides of 1 to 4096"},
		{"channels", strings.Replace(info, `"channels": 3`, `"channels": 0`, 1), "0 channels"},
		{"leads out", strings.Replace(info, `"train"`, `"../train"`, 1), `split name "../train"`},
		{"many", strings.Replace(info, `"images": 50`, `"images": 100000000000`, 1), "100000000000 images"},
	} {
		if err := os.WriteFile(filepath.Join(dst, "images.json"), []byte(c.info), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := images.Open(dst); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}

func TestLabelsOutOfRange(t *testing.T) {
	src := source()
	src.Classes = 19 // values are 7i+5 and 7i+4
	r := prepare(t, src, t.TempDir())
	if r.Computed >= 30 || len(r.Failed) != 80-r.Computed || !strings.Contains(r.Failed[0].Err.Error(), ", want 0 to 18") {
		t.Errorf("%d computed, %d failed", r.Computed, len(r.Failed))
	}
}

func TestBadSources(t *testing.T) {
	for want, spoil := range map[string]func(*images.Source){
		"no images found":      func(s *images.Source) { s.Splits = nil },
		"split name":           func(s *images.Source) { s.Splits[0].Name = "../x" },
		"want sides":           func(s *images.Source) { s.Height = 0 },
		"7 labels of 50":       func(s *images.Source) { s.Splits[0].Labels = make([]uint8, 7) },
		"want 0 to 256":        func(s *images.Source) { s.Classes = 257 },
		"-1 images, want 0 to": func(s *images.Source) { s.Splits[0].N = -1 },
	} {
		src := source()
		spoil(&src)
		dst := t.TempDir()
		if _, err := images.Prepare(t.Context(), src, dst, images.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestGray(t *testing.T) {
	got := images.Gray(image.Set{Images: []uint8{255, 255, 255, 200, 100, 50, 0, 0, 3}, N: 1, Height: 1, Width: 3, Channels: 3})
	want := image.Set{Images: []uint8{255, 124, 0}, N: 1, Height: 1, Width: 3, Channels: 1} // 124.18, 0.342
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(want, images.Gray(want)); d != "" {
		t.Error(d)
	}
}

// TestSplitHash wants the hash to tell which images play which part.
func TestSplitHash(t *testing.T) {
	c := &images.Corpus{Info: images.Info{Splits: map[string]images.SplitInfo{"a": {SHA256: "01"}, "b": {SHA256: "02"}, "c": {SHA256: "01"}}}}
	want := c.SplitHash("a", "b", "")
	if len(want) != 16 || want != c.SplitHash("c", "b", "") {
		t.Errorf("the hash is %s, that of the same images %s", want, c.SplitHash("c", "b", ""))
	}
	for _, other := range [][3]string{{"b", "a", ""}, {"a", "", "b"}, {"a", "b", "c"}, {"a", "a", ""}} {
		if c.SplitHash(other[0], other[1], other[2]) == want {
			t.Errorf("%q has the hash of a, b", other)
		}
	}
}
