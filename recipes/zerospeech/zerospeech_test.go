package zerospeech_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vqspeech/audio"
	"vqspeech/features"
	"vqspeech/recipes/corpus"
	"vqspeech/recipes/corpus/corpustest"
	"vqspeech/recipes/zerospeech"
)

// made returns the folder 2019 of a new miniature corpus.
func made(t *testing.T, layout string) string {
	t.Helper()
	dir := t.TempDir()
	if err := corpustest.Makers[layout](dir); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "2019")
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// lines shows the items of a source.
func lines(s corpus.Source) (out []string) {
	for _, it := range s.Items {
		out = append(out, fmt.Sprintf("%s %s %s %s %g+%g", it.Split, it.Speaker, it.ID, it.Path, it.Segment.Start, it.Segment.Duration))
	}
	return out
}

func TestReconstructed(t *testing.T) {
	s, err := zerospeech.List(filepath.Join(made(t, "zerospeech"), "english"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"train S015 english-train-S015-S015_0361841101 english/train/unit/S015_0361841101.wav 0+0",
		"train S015 english-train-S015-S015_0361841102 english/train/unit/S015_0361841102.wav 0+0",
		"train S020 english-train-S020-S020_0158477602 english/train/unit/S020_0158477602.wav 0+0",
		"train V001 english-train-V001-V001_0000000112 english/train/voice/V001_0000000112.wav 0+0",
		"train V002 english-train-V002-V002_0000000140 english/train/voice/V002_0000000140.wav 0+0",
		"test 0107 english-test-0107-0107_400123 english/test/0107_400123.wav 0+0",
		"test S002 english-test-S002-S002_0379088085 english/test/S002_0379088085.wav 0+0",
		"mse V001 english-train-parallel-voice-V001_0000000047 english/train/parallel/voice/V001_0000000047.wav 0+0",
		"mse V002 english-train-parallel-voice-V002_0000000047 english/train/parallel/voice/V002_0000000047.wav 0+0",
	}
	if d := cmp.Diff(want, lines(s)); d != "" {
		t.Error(d)
	}
	note := []string{"1 training items of at most 0.34 s left out: english/train/S020/S020_0000000001"}
	if d := cmp.Diff(note, s.Notes); d != "" || len(s.Faults) > 0 {
		t.Error(d, s.Faults)
	}
	if want := "english, train reconstructed, test reconstructed, mse reconstructed"; s.Kind != want {
		t.Errorf("kind %s, want %s", s.Kind, want)
	}
	s, err = zerospeech.List(filepath.Join(made(t, "zerospeech-surprise"), "surprise"))
	if err != nil || len(s.Items) != 7 || len(s.Faults) != 0 {
		t.Errorf("surprise: %d items, %v, %v", len(s.Items), s.Faults, err)
	}
}

func TestLists(t *testing.T) {
	root := made(t, "zerospeech-lists")
	s, err := zerospeech.List(filepath.Join(root, "english"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"train S015 english-train-S015-S015_0361841101 english/train/unit/S015_0361841101.wav 0+0.5",
		"train S015 english-train-S015-S015_0361841102 english/train/unit/S015_0361841102.wav 0.1+0.6",
		"train S020 english-train-S020-S020_0158477602 english/train/unit/S020_0158477602.wav 0.05+0.45",
		"train V001 english-train-V001-V001_0000000112 english/train/voice/V001_0000000112.wav 0+0.8125",
		"train V002 english-train-V002-V002_0000000140 english/train/voice/V002_0000000140.wav 0+0.8125",
		"test S002 english-test-S002-S002_0379088085 english/test/S002_0379088085.wav 0+0.75",
		"test S002 english-test-S002-0107_400123 english/test/0107_400123.wav 0+0.088",
		"mse V001 english-train-parallel-voice-V001_0000000047 english/train/parallel/voice/V001_0000000047.wav 0+0",
		"mse V002 english-train-parallel-voice-V002_0000000047 english/train/parallel/voice/V002_0000000047.wav 0+0",
	}
	if d := cmp.Diff(want, lines(s)); d != "" {
		t.Error(d)
	}

	// The cache holds the features of the segment, levelled on it alone.
	dst := t.TempDir()
	o := corpus.Options{Features: features.Default(features.Reference)}
	r, err := corpus.Prepare(t.Context(), s, dst, o)
	if err != nil || len(r.Failed) > 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	c, err := corpus.Open(dst)
	if err != nil {
		t.Fatal(err)
	}
	idx, err := c.Select("train")
	if err != nil {
		t.Fatal(err)
	}
	u := c.Utterances[idx[1]]
	if u.Start != 0.1 || u.Duration != 0.6 || u.Samples != 9600 {
		t.Errorf("%+v", u)
	}
	clip, err := audio.Load(filepath.Join(root, filepath.FromSlash(u.Path)))
	if err != nil {
		t.Fatal(err)
	}
	clip.Samples = clip.Samples[1600 : 1600+9600]
	mel, err := features.LogMel(clip, o.Features)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Mel(idx[1])
	if err != nil {
		t.Fatal(err)
	}
	level := c.Level(idx[1], o.Features)
	level.Apply(got, got)
	if d := cmp.Diff(mel, got); d != "" {
		t.Error("cached features differ from those of the segment")
	}

	// Another segment of the same file is computed again, the others are not.
	s.Items[1].Segment.Start = 0.2
	if r, err := corpus.Prepare(t.Context(), s, dst, o); err != nil || r.Computed != 1 {
		t.Errorf("another segment: %+v, %v", r, err)
	}
}

// TestFaults wants what is wrong with single items named and counted.
func TestFaults(t *testing.T) {
	root := made(t, "zerospeech-lists")
	english := filepath.Join(root, "english")
	put(t, filepath.Join(english, "speakers.json"), `["S015", "S020", "S999", "V001"]`)
	put(t, filepath.Join(english, "mse_evaluation.json"), `[["english/train/parallel/voice/V001_0000000047", "V003"], ["english/train/voice/V001_0000000112", "V001"]]`)
	put(t, filepath.Join(english, "test.json"), `[
  ["english/test/S002_0379088085", 0.5, 0.75, "english/test/S002/S002_0379088085"],
  ["english/test/S002_0379088085", 5, 0.75, "english/test/S002/late"],
  ["english/test/none", 0, 0.088, "english/test/S002/none"]
]`)
	if err := corpustest.Write(filepath.Join(english, "train/unit/S015_0361841102.wav"), corpustest.Voice(1, 1, 30000, 22050)); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(english, "train/unit/S020_0158477602.wav"), "")
	s, err := zerospeech.List(english)
	if err != nil {
		t.Fatal(err)
	}
	if want := "1 recordings of the split mse are trained on: english/train/voice/V001_0000000112.wav"; len(s.Notes) != 2 || s.Notes[1] != want {
		t.Errorf("notes %q", s.Notes)
	}
	r, err := corpus.Prepare(t.Context(), s, t.TempDir(), corpus.Options{Features: features.Default(features.Reference)})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range r.Failed {
		got = append(got, filepath.Base(f.Path)+": "+f.Err.Error())
	}
	want := []string{
		"mse_evaluation.json: speaker V003 is not trained on",
		"speakers.json: speaker S999 has no training item",
		"S002_0379088085.wav: segment from 0.5 s to 1.25 s lies outside the recording of 0.7500 s",
		"S002_0379088085.wav: segment from 5 s to 5.75 s lies outside the recording of 0.7500 s",
		"none.wav: no such file or directory",
		"train.json: speaker V002 is not in speakers.json",
		"S015_0361841102.wav: recording at 22050 Hz, want 16000 Hz as the corpus",
		"S020_0158477602.wav: ",
	}
	if len(got) != len(want) {
		t.Fatalf("failures %q", got)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) && !(want[i] == "none.wav: no such file or directory" && strings.HasPrefix(got[i], "none.wav: ")) {
			t.Errorf("failure %d is %q, want %q", i, got[i], want[i])
		}
	}
}

func TestListErrors(t *testing.T) {
	root := made(t, "zerospeech-lists")
	english := filepath.Join(root, "english")
	for _, c := range []struct{ file, text, want string }{
		{"train.json", "", "train.json: invalid JSON: want a list"},
		{"train.json", "{}", "train.json: invalid JSON: want a list"},
		{"train.json", "[]", "train.json: the list is empty"},
		{"train.json", corpustest.Lists["train.json"][:200], "train.json: item 3: invalid JSON: unexpected EOF"},
		{"train.json", strings.TrimSuffix(corpustest.Lists["train.json"], "]"), "train.json: invalid JSON: the list is cut off"},
		{"train.json", corpustest.Lists["train.json"] + "1", "train.json: invalid JSON: more than one value"},
		{"train.json", `[["a", 0, 1, "e/s/a"], ["a", 0, 1]]`, `train.json: item 2: want [in_path, start_s, duration_s, out_path] (got ["a", 0, 1])`},
		{"train.json", `[["a", "0", 1, "e/s/a"]]`, "train.json: item 1: want [in_path, start_s, duration_s, out_path]"},
		{"train.json", `[["a", null, 1, "e/s/a"]]`, "train.json: item 1: want [in_path"},
		{"train.json", `[["a", -1, 1, "e/s/a"]]`, "train.json: item 1: e/s/a: segment from -1 s of 1 s, want a start from 0"},
		{"train.json", `[["a", 0, 0, "e/s/a"]]`, "train.json: item 1: e/s/a: segment from 0 s of 0 s"},
		{"train.json", `[["../../a", 0, 1, "e/s/a"]]`, `train.json: item 1: path "../../a" leads out of the corpus`},
		{"train.json", `[["a", 0, 1, "/e/s/a"]]`, `train.json: item 1: out_path "/e/s/a": want FOLDERS/SPEAKER/NAME`},
		{"train.json", `[["a", 0, 1, "e/s/a"], ["b", 0, 1, "e/s/a"], ["b", 0, 1, "e/s/./a"]]`, "train.json: 2 items appear twice: e/s/a (1 and 2), e/s/a (1 and 3)"},
		{"train.json", `[["` + strings.Repeat("a", 5000) + `", 0, 1, "e/s/a"]]`, "train.json: item 1: longer than 4096 bytes"},
		{"train.json", strings.Repeat(" ", 17<<20), "train.json: larger than 16777216 bytes, not a list"},
		{"speakers.json", `["S015", 1]`, "speakers.json: item 2: want a speaker id (got 1)"},
		{"speakers.json", `["S015", "S015"]`, "speakers.json: 1 items appear twice: S015 (1 and 2)"},
		{"mse_evaluation.json", `[["a"]]`, `mse_evaluation.json: item 1: want [wav_path, speaker_id] (got ["a"])`},
		{"test.json", `[1]`, "test.json: item 1: want [in_path"},
	} {
		for name, text := range corpustest.Lists {
			put(t, filepath.Join(english, name), text)
		}
		put(t, filepath.Join(english, c.file), c.text)
		_, err := zerospeech.List(english)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") || len(err.Error()) > 1000 {
			t.Errorf("%.60s: got %v, want %s", c.text, err, c.want)
		}
	}
	empty := filepath.Join(t.TempDir(), "english")
	if err := os.Mkdir(empty, 0o777); err != nil {
		t.Fatal(err)
	}
	for src, want := range map[string]string{
		root:                          "want the folder of one language, 2019/english or 2019/surprise",
		filepath.Join(root, "german"): "german",
		empty:                         "neither train.json nor recordings in train/unit and train/voice",
	} {
		if _, err := zerospeech.List(src); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", src, err, want)
		}
	}
}
