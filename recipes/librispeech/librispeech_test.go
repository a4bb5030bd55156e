package librispeech_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vqspeech/audio"
	"vqspeech/features"
	"vqspeech/recipes/corpus"
	"vqspeech/recipes/librispeech"
)

// makeTree writes files below a new folder and returns it. A file without
// content is a short recording.
func makeTree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		var err error
		if text == "" {
			c := &audio.Clip{SampleRate: 16000, Samples: make([]float32, 3200)}
			for i := range c.Samples {
				c.Samples[i] = float32(i%97)/97 - 0.5
			}
			err = audio.Save(path, c)
		} else {
			err = os.WriteFile(path, []byte(text), 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

var plainTree = map[string]string{
	"LibriSpeech/SPEAKERS.TXT":                         ";ID |SEX| SUBSET\n14   | F | dev-clean | 25.03 | Somebody\n16   | M | dev-clean | 25.11 | Somebody Else\n",
	"LibriSpeech/README.TXT":                           "text",
	"LibriSpeech/dev-clean/14/208/14-208-0000.flac":    "",
	"LibriSpeech/dev-clean/14/208/14-208-0001.flac":    "",
	"LibriSpeech/dev-clean/14/208/14-208.trans.txt":    "14-208-0000 HELLO",
	"LibriSpeech/dev-clean/16/122/16-122-0000.wav":     "",
	"LibriSpeech/train-clean-5/9/1/9-1-0000.flac":      "",
	"LibriSpeech/train-clean-5/9/1/too/deep/0000.flac": "",
}

func items(s corpus.Source) map[string]string {
	got := map[string]string{}
	for _, it := range s.Items {
		got[it.ID] = strings.TrimSpace(it.Split + " " + it.Speaker + " " + it.Path + " " + it.Sex)
	}
	return got
}

func TestSubsets(t *testing.T) {
	root := makeTree(t, plainTree)
	want := map[string]string{
		"14-208-0000": "dev-clean 14 dev-clean/14/208/14-208-0000.flac F",
		"14-208-0001": "dev-clean 14 dev-clean/14/208/14-208-0001.flac F",
		"16-122-0000": "dev-clean 16 dev-clean/16/122/16-122-0000.wav M",
		"9-1-0000":    "train-clean-5 9 train-clean-5/9/1/9-1-0000.flac",
	}
	for _, src := range []string{root, filepath.Join(root, "LibriSpeech")} {
		s, err := librispeech.List(src)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, items(s)); d != "" || s.Kind != "subsets" || s.Root != filepath.Join(root, "LibriSpeech") {
			t.Errorf("%s: %s, root %s %s", src, s.Kind, s.Root, d)
		}
	}
	s, err := librispeech.List(filepath.Join(root, "LibriSpeech", "dev-clean"))
	if err != nil {
		t.Fatal(err)
	}
	want = map[string]string{
		"14-208-0000": "dev-clean 14 14/208/14-208-0000.flac F",
		"14-208-0001": "dev-clean 14 14/208/14-208-0001.flac F",
		"16-122-0000": "dev-clean 16 16/122/16-122-0000.wav M",
	}
	if d := cmp.Diff(want, items(s)); d != "" {
		t.Errorf("one subset: %s", d)
	}
}

func withSplits(splits map[string]string) map[string]string {
	files := map[string]string{}
	for k, v := range plainTree {
		files[k] = v
	}
	for k, v := range splits {
		files["splits/"+k] = v
	}
	return files
}

func TestSplits(t *testing.T) {
	root := makeTree(t, withSplits(map[string]string{
		"train.txt": "# ten speakers\r\ndev-clean/14/208/14-208-0000.flac\r\n\r\ntrain-clean-5/9/1/9-1-0000.flac",
		"valid.txt": "dev-clean/14/208/14-208-0001.flac\n",
		"notes.md":  "not a split",
	}))
	s, err := librispeech.List(root)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"14-208-0000": "train 14 dev-clean/14/208/14-208-0000.flac F",
		"14-208-0001": "valid 14 dev-clean/14/208/14-208-0001.flac F",
		"9-1-0000":    "train 9 train-clean-5/9/1/9-1-0000.flac",
	}
	if d := cmp.Diff(want, items(s)); d != "" || s.Kind != "splits" {
		t.Error(s.Kind, d)
	}

	dst := t.TempDir()
	r, err := corpus.Prepare(t.Context(), s, dst, corpus.Options{Features: features.Default(features.Reference)})
	if err != nil || r.Computed != 3 || len(r.Failed) != 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	c, err := corpus.Open(dst)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Info.Splits["train"]; got != (corpus.Split{Utterances: 2, Speakers: 2, Seconds: 0.4}) {
		t.Errorf("train is %+v", got)
	}
}

func TestListErrors(t *testing.T) {
	const utt = "dev-clean/14/208/14-208-0000.flac"
	for _, c := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"missing", withSplits(map[string]string{"a.txt": utt + "\ndev-clean/14/208/14-208-0007.flac\ndev-clean/1/2/1-2-3.flac\n"}), "2 files that the splits name are missing: dev-clean/14/208/14-208-0007.flac, dev-clean/1/2/1-2-3.flac"},
		{"twice", withSplits(map[string]string{"a.txt": utt, "b.txt": "\n" + utt}), "b.txt:2: " + utt + " is already in split a"},
		{"out", withSplits(map[string]string{"a.txt": "../../x/y/z.flac"}), "a.txt:1: path \"../../x/y/z.flac\" leads out of the corpus"},
		{"shape", withSplits(map[string]string{"a.txt": "14-208-0000.flac"}), "a.txt:1: path \"14-208-0000.flac\": want SUBSET/SPEAKER/CHAPTER/UTTERANCE.flac"},
		{"long", withSplits(map[string]string{"a.txt": strings.Repeat("x", 100000)}), "a.txt:1: longer than"},
		{"empty", map[string]string{"x.txt": "text"}, "no SUBSET/SPEAKER/CHAPTER/*.flac below it"},
	} {
		_, err := librispeech.List(makeTree(t, c.files))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
	if _, err := librispeech.List(filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("missing folder: %v", err)
	}
}
