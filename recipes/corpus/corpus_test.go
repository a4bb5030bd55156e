package corpus_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vqspeech/audio"
	"vqspeech/features"
	"vqspeech/internal/atomicfile"
	"vqspeech/recipes/corpus"
)

// writeClip makes a recording that is different for every k.
func writeClip(t *testing.T, path string, k, samples, rate int) {
	t.Helper()
	c := &audio.Clip{SampleRate: rate, Samples: make([]float32, samples)}
	for i := range c.Samples {
		x := float64(i) / float64(rate)
		c.Samples[i] = float32(0.3*math.Sin(2*math.Pi*(100+40*float64(k))*x) + 0.1*math.Sin(2*math.Pi*(900+110*float64(k))*x*(1+x)))
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := audio.Save(path, c); err != nil {
		t.Fatal(err)
	}
}

// source makes n recordings of three speakers in two splits.
func source(t *testing.T, n int) corpus.Source {
	t.Helper()
	s := corpus.Source{Corpus: "test", Kind: "made up", Root: t.TempDir()}
	for i := range n {
		it := corpus.Item{
			ID: fmt.Sprintf("utt-%02d", n-i), Path: fmt.Sprintf("a/%02d.wav", i),
			Speaker: []string{"9", "10", "b"}[i%3], Split: []string{"train", "valid"}[i%2],
		}
		rate := 16000
		if i == 3 {
			rate = 22050
		}
		writeClip(t, filepath.Join(s.Root, it.Path), i, 5000+400*i, rate)
		s.Items = append(s.Items, it)
	}
	return s
}

func options() corpus.Options {
	return corpus.Options{Features: features.Default(features.Stream)}
}

// tree returns the content of every file below dir.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		files[filepath.ToSlash(rel)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestPrepare(t *testing.T) {
	src, dst := source(t, 7), filepath.Join(t.TempDir(), "new", "data")
	var last corpus.Progress
	o := options()
	o.Progress = func(p corpus.Progress) { last = p }
	r, err := corpus.Prepare(t.Context(), src, dst, o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Computed != 7 || r.Reused != 0 || len(r.Failed) != 0 || last != (corpus.Progress{Total: 7, Done: 7}) {
		t.Errorf("report %+v, progress %+v", r, last)
	}
	c, err := corpus.Open(dst)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"train", "valid"}, c.Splits()); d != "" {
		t.Error(d)
	}
	speakers, err := c.Speakers("train", "valid")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"10", "9", "b"}, speakers); d != "" {
		t.Error(d)
	}
	if _, err := c.Select("test"); err == nil || !strings.Contains(err.Error(), `no split "test", the corpus has train, valid`) {
		t.Errorf("unknown split: %v", err)
	}
	idx, err := c.Select("train")
	if err != nil || len(idx) != 4 {
		t.Fatalf("train has %v, %v", idx, err)
	}

	// Every utterance: what the manifest says agrees with the features package.
	for i, u := range c.Utterances {
		clip, err := audio.Load(filepath.Join(src.Root, u.Path))
		if err != nil {
			t.Fatal(err)
		}
		if clip, err = clip.Resample(16000); err != nil {
			t.Fatal(err)
		}
		mel, err := c.Mel(i)
		if err != nil {
			t.Fatal(err)
		}
		if u.Samples != int64(len(clip.Samples)) || u.Frames*80 != len(mel) || u.Frames != 1+len(clip.Samples)/160 {
			t.Errorf("%s: %d samples, %d frames, mel %d", u.ID, u.Samples, u.Frames, len(mel))
		}
		if u.MaxDB != slices.Max(mel) {
			t.Errorf("%s: max_db %v, want %v", u.ID, u.MaxDB, slices.Max(mel))
		}
		for _, fe := range []features.FrontEnd{features.Reference, features.Stream} {
			cfg := features.Default(fe)
			want, err := features.LogMel(clip, cfg)
			if err != nil {
				t.Fatal(err)
			}
			got := make([]float32, len(mel))
			c.Level(i, cfg).Apply(got, mel)
			if !slices.Equal(got, want) {
				t.Errorf("%s: cached %s features differ from those of the file", u.ID, fe)
			}
		}
	}

	other := features.Default(features.Stream)
	other.NMels = 40
	if err := c.CheckFeatures(other); err == nil || !strings.Contains(err.Error(), "n_mels 80 (want 40)") {
		t.Errorf("other features: %v", err)
	}
	if err := c.CheckFeatures(features.Default(features.Reference)); err != nil {
		t.Errorf("the other front end: %v", err)
	}
	o.Features = other
	if _, err := corpus.Prepare(t.Context(), src, dst, o); err == nil || !strings.Contains(err.Error(), "use another folder") {
		t.Errorf("prepared twice with other features: %v", err)
	}
	src.Corpus = "another"
	if _, err := corpus.Prepare(t.Context(), src, dst, options()); err == nil || !strings.Contains(err.Error(), `holds the corpus "test"`) {
		t.Errorf("prepared over another corpus: %v", err)
	}
}

// TestResume stops a run in many ways and wants the bytes of an undisturbed one.
func TestResume(t *testing.T) {
	src := source(t, 9)
	whole := filepath.Join(t.TempDir(), "whole")
	if _, err := corpus.Prepare(t.Context(), src, whole, options()); err != nil {
		t.Fatal(err)
	}
	want := tree(t, whole)
	if len(want) != 9+3 { // the list, what it is of, and the lock
		t.Fatalf("%d files, want 12", len(want))
	}

	for procs := range 3 {
		t.Run(fmt.Sprintf("GOMAXPROCS %d", procs+1), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs + 1))
			dst := t.TempDir()
			ctx, cancel := context.WithCancel(t.Context())
			o := options()
			o.Progress = func(p corpus.Progress) {
				if p.Done == 4 {
					cancel()
				}
			}
			if _, err := corpus.Prepare(ctx, src, dst, o); !errors.Is(err, context.Canceled) {
				t.Fatalf("stopped: %v", err)
			}
			if _, err := corpus.Open(dst); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("an unfinished folder opens: %v", err)
			}
			// What a kill leaves: half a line, a temporary file, a file that the journal does not list.
			journal := filepath.Join(dst, "manifest.partial.jsonl")
			b, err := os.ReadFile(journal)
			if err != nil {
				t.Fatal(err)
			}
			lines := bytes.SplitAfter(b, []byte("\n"))
			keep := append(bytes.Join(lines[:3], nil), lines[3][:20]...)
			if err := os.WriteFile(journal, keep, 0o666); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"mel/.utt-05.npy.tmp-12345678", ".manifest.jsonl.tmp-00000000"} {
				if err := os.WriteFile(filepath.Join(dst, name), []byte("half"), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			r, err := corpus.Prepare(t.Context(), src, dst, options())
			if err != nil {
				t.Fatal(err)
			}
			if r.Reused != 2 || r.Computed != 7 {
				t.Errorf("%d reused and %d computed, want 2 and 7", r.Reused, r.Computed)
			}
			if d := cmp.Diff(want, tree(t, dst)); d != "" {
				t.Error("resumed differs from undisturbed")
			}
		})
	}

	t.Run("again", func(t *testing.T) {
		r, err := corpus.Prepare(t.Context(), src, whole, options())
		if err != nil {
			t.Fatal(err)
		}
		if r.Reused != 9 || r.Computed != 0 {
			t.Errorf("%d reused and %d computed, want 9 and 0", r.Reused, r.Computed)
		}
		if d := cmp.Diff(want, tree(t, whole)); d != "" {
			t.Error("a second run changed the folder")
		}
	})

	t.Run("killed while it starts", func(t *testing.T) {
		dst := t.TempDir()
		journal, old := filepath.Join(dst, "manifest.partial.jsonl"), filepath.Join(t.TempDir(), "old")
		stop := func(at int) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			o := options()
			o.Progress = func(p corpus.Progress) {
				if p.Done >= at {
					cancel()
				}
			}
			if _, err := corpus.Prepare(ctx, src, dst, o); !errors.Is(err, context.Canceled) {
				t.Fatalf("stopped: %v", err)
			}
		}
		stop(4)
		before, err := os.ReadFile(journal)
		if err != nil {
			t.Fatal(err)
		}
		// The file that held the journal keeps its lines: at no moment is there a shorter one.
		if err := os.Link(journal, old); err != nil {
			t.Fatal(err)
		}
		stop(0)
		if after, err := os.ReadFile(old); err != nil || !bytes.Equal(after, before) {
			t.Errorf("the journal was written over in place: %v", err)
		}
		stop(6)
		r, err := corpus.Prepare(t.Context(), src, dst, options())
		if err != nil || r.Reused < 6 {
			t.Errorf("%+v, %v, want at least 6 reused", r, err)
		}
		if d := cmp.Diff(want, tree(t, dst)); d != "" {
			t.Error("resumed differs from undisturbed")
		}
	})

	for name, text := range map[string]string{
		"none": "", "a cut first line": `{"version":1,"cor`, "zeros": strings.Repeat("\x00", 1<<17), "no JSON": "hello\n" + want["manifest.jsonl"],
	} {
		t.Run("journal with "+name, func(t *testing.T) {
			for _, c := range []struct {
				dst    string
				reused int
			}{{t.TempDir(), 0}, {whole, 9}} {
				if err := os.WriteFile(filepath.Join(c.dst, "manifest.partial.jsonl"), []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
				if r, err := corpus.Prepare(t.Context(), src, c.dst, options()); err != nil || r.Reused != c.reused {
					t.Errorf("%+v, %v, want %d reused", r, err, c.reused)
				}
				if d := cmp.Diff(want, tree(t, c.dst)); d != "" {
					t.Error("differs from undisturbed")
				}
			}
		})
	}

	t.Run("journal with other features", func(t *testing.T) {
		dst := t.TempDir()
		journal := filepath.Join(dst, "manifest.partial.jsonl")
		o := options()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := corpus.Prepare(ctx, src, dst, o); !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped: %v", err)
		}
		o.Features.NMels = 40
		if _, err := corpus.Prepare(t.Context(), src, dst, o); err == nil || !strings.HasPrefix(err.Error(), journal+": the folder was prepared with other features: ") {
			t.Errorf("got %v", err)
		}
	})

	t.Run("damaged and changed", func(t *testing.T) {
		if err := os.Truncate(filepath.Join(whole, "mel", "utt-02.npy"), 1000); err != nil {
			t.Fatal(err)
		}
		writeClip(t, filepath.Join(src.Root, "a/04.wav"), 4, 3000, 16000) // was longer
		r, err := corpus.Prepare(t.Context(), src, whole, options())
		if err != nil || r.Computed != 2 {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

// TestOneAtATime prepares a folder at which another program is at work.
func TestOneAtATime(t *testing.T) {
	dst := t.TempDir()
	release, err := atomicfile.Hold(dst, "prepare")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := corpus.Prepare(t.Context(), source(t, 1), dst, options()); err == nil || err.Error() != dst+": another prepare is at work there: let it end or choose another folder" {
		t.Errorf("error %v", err)
	}
	release()
	if _, err := corpus.Prepare(t.Context(), source(t, 1), dst, options()); err != nil {
		t.Errorf("after it: %v", err)
	}
}

func TestBadFiles(t *testing.T) {
	src := source(t, 4)
	for name, data := range map[string]string{"a/00.wav": "", "a/02.wav": "this is no recording at all, is it?"} {
		if err := os.WriteFile(filepath.Join(src.Root, name), []byte(data), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	src.Items = append(src.Items, corpus.Item{ID: "gone", Path: "a/gone.wav", Speaker: "b", Split: "train"})
	dst := t.TempDir()
	r, err := corpus.Prepare(t.Context(), src, dst, options())
	if err != nil {
		t.Fatal(err)
	}
	if r.Computed != 2 || len(r.Failed) != 3 {
		t.Fatalf("%+v", r)
	}
	for i, want := range []string{"00.wav", "02.wav", "gone.wav"} {
		f := r.Failed[i]
		if filepath.Base(f.Path) != want || f.Err == nil || strings.Contains(f.Err.Error(), want) || strings.Contains(f.Err.Error(), "\n") {
			t.Errorf("failure %d: %s: %v", i, f.Path, f.Err)
		}
	}
	c, err := corpus.Open(dst)
	if err != nil || len(c.Utterances) != 2 {
		t.Errorf("%v, %v", c, err)
	}
}

func TestBadItems(t *testing.T) {
	for _, id := range []string{"", ".", "..", ".hidden", "a/b", `a\b`, "a:b", "a\nb", strings.Repeat("x", 200)} {
		src := corpus.Source{Corpus: "test", Root: t.TempDir(), Items: []corpus.Item{{ID: id, Path: "x.wav", Speaker: "s", Split: "t"}}}
		if _, err := corpus.Prepare(t.Context(), src, t.TempDir(), options()); err == nil {
			t.Errorf("id %q is accepted", id)
		}
	}
	twice := corpus.Item{ID: "a", Path: "x.wav", Speaker: "s", Split: "t"}
	src := corpus.Source{Corpus: "test", Root: t.TempDir(), Items: []corpus.Item{twice, twice}}
	if _, err := corpus.Prepare(t.Context(), src, t.TempDir(), options()); err == nil || !strings.Contains(err.Error(), "also that of") {
		t.Errorf("an id twice: %v", err)
	}
	src.Items = nil
	if _, err := corpus.Prepare(t.Context(), src, t.TempDir(), options()); err == nil {
		t.Error("an empty corpus is accepted")
	}
}

// TestUnwritable wants the fault of the folder, once, instead of a failure of
// every utterance.
func TestUnwritable(t *testing.T) {
	dst := t.TempDir()
	if err := os.WriteFile(filepath.Join(dst, "mel"), []byte("in the way"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := corpus.Prepare(t.Context(), source(t, 2), dst, options()); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v", err)
	}
}

func TestOpenErrors(t *testing.T) {
	src, dst := source(t, 2), t.TempDir()
	if _, err := corpus.Prepare(t.Context(), src, dst, options()); err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(dst, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	info, manifest := read("corpus.json"), read("manifest.jsonl")
	line, _, _ := strings.Cut(manifest, "\n")
	for _, c := range []struct{ name, info, manifest, want string }{
		{"no JSON", "hello", manifest, "corpus.json: invalid JSON"},
		{"later version", strings.Replace(info, `"version": 1`, `"version": 2`, 1), manifest, "corpus.json: version is 2, want 1"},
		{"other split", info, strings.Replace(manifest, `"split":"valid"`, `"split":"train"`, 1), "manifest.jsonl: split hash is "},
		{"unknown field", strings.Replace(info, `"corpus"`, `"corpse"`, 1), manifest, `corpus.json: invalid JSON: json: unknown field "corpse"`},
		{"half a line", info, manifest[:len(manifest)-20], "manifest.jsonl: line 2: invalid JSON"},
		{"twice", info, line + "\n" + line + "\n", "manifest.jsonl: line 2: utterance id \"utt-01\" appears twice"},
		{"long line", info, strings.Repeat("x", 1<<17), "manifest.jsonl: line 1: longer than"},
		{"leads out", info, strings.Replace(line, `"mel/utt-01.npy"`, `"../utt-01.npy"`, 1), "manifest.jsonl: line 1: mel is"},
		{"no frames", info, strings.Replace(line, `"frames":`, `"frames":-`, 1), "manifest.jsonl: line 1: frames is -"},
	} {
		dir := t.TempDir()
		for name, data := range map[string]string{"corpus.json": c.info, "manifest.jsonl": c.manifest} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := corpus.Open(dir); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
	// A folder of an earlier program has no split hash.
	hash := regexp.MustCompile(`"split_hash": "([0-9a-f]{16})",`)
	if err := os.WriteFile(filepath.Join(dst, "corpus.json"), []byte(hash.ReplaceAllString(info, "")), 0o666); err != nil {
		t.Fatal(err)
	}
	if c, err := corpus.Open(dst); err != nil || c.Info.SplitHash != hash.FindStringSubmatch(info)[1] {
		t.Errorf("without a split hash: %v", err)
	}
	if err := os.Remove(filepath.Join(dst, "mel", "utt-01.npy")); err != nil {
		t.Fatal(err)
	}
	c, err := corpus.Open(dst)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Mel(0); err == nil || strings.Count(err.Error(), "utt-01.npy") != 1 {
		t.Errorf("a missing log-mel: %v", err)
	}
}
