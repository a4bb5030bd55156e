package vctk_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vqspeech/audio"
	"vqspeech/features"
	"vqspeech/recipes/corpus"
	"vqspeech/recipes/corpus/corpustest"
	"vqspeech/recipes/vctk"
)

// made returns a new miniature corpus.
func made(t *testing.T, layout string) string {
	t.Helper()
	dir := t.TempDir()
	if err := corpustest.Makers[layout](dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func list(t *testing.T, src, mic string) corpus.Source {
	t.Helper()
	s, err := vctk.List(src, mic)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// testIDs returns the ids of the split test and the number of items.
func testIDs(s corpus.Source) (ids string, n int) {
	for _, it := range s.Items {
		if it.Split == "test" {
			ids += " " + it.ID
		}
	}
	return strings.TrimSpace(ids), len(s.Items)
}

func TestLayouts(t *testing.T) {
	old, new := made(t, "vctk-0.80"), made(t, "vctk-0.92")
	for _, c := range []struct {
		dir, mic, kind string
		n              int
		first          corpus.Item
		test, note     string
	}{
		{old, "", "0.80", 60, corpus.Item{ID: "p225_001", Path: "wav48/p225/p225_001.wav", Speaker: "p225", Sex: "F", Split: "train"},
			"p225_020 p226_020 p315_020", ""},
		{new, "", "0.92 mic1", 60, corpus.Item{ID: "p225_001_mic1", Path: "wav48_silence_trimmed/p225/p225_001_mic1.flac", Speaker: "p225", Sex: "F", Split: "train"},
			"p225_020_mic1 p315_020_mic1 s5_020_mic1", ""},
		{new, "mic2", "0.92 mic2", 40, corpus.Item{ID: "p225_001_mic2", Path: "wav48_silence_trimmed/p225/p225_001_mic2.flac", Speaker: "p225", Sex: "F", Split: "train"},
			"p225_020_mic2 s5_020_mic2", "p315: 20 utterances without mic2 left out"},
	} {
		s := list(t, c.dir, c.mic)
		test, n := testIDs(s)
		if s.Kind != c.kind || n != c.n || s.Items[0] != c.first || test != c.test || s.SampleRate != 48000 {
			t.Errorf("%s: %d items, first %+v, test %s", s.Kind, n, s.Items[0], test)
		}
		if strings.Join(s.Notes, "\n") != c.note || len(s.Faults) != 0 {
			t.Errorf("%s: notes %q, faults %v", s.Kind, s.Notes, s.Faults)
		}
	}
	inside := filepath.Join(t.TempDir(), "VCTK-Corpus")
	if err := os.Rename(old, inside); err != nil {
		t.Fatal(err)
	}
	if s := list(t, filepath.Dir(inside), ""); len(s.Items) != 60 {
		t.Errorf("from the folder above: %d items", len(s.Items))
	}
}

// TestSplitHash prepares a corpus and wants a hash that depends on the split
// alone.
func TestSplitHash(t *testing.T) {
	s := list(t, made(t, "vctk-0.80"), "")
	r, err := corpus.Prepare(t.Context(), s, t.TempDir(), corpus.Options{Features: features.Default(features.Reference)})
	if err != nil {
		t.Fatal(err)
	}
	// printf 'train\tp225\tp225_001\n…' | LC_ALL=C sort | sha256sum | cut -c-16
	if want := "0f4739d38c355a30"; r.Info.SplitHash != want || r.Info.Splits["test"].Utterances != 3 {
		t.Errorf("split hash %s (want %s), %+v", r.Info.SplitHash, want, r.Info.Splits)
	}
}

func TestFaults(t *testing.T) {
	dir := made(t, "vctk-0.80")
	remove := func(name string) {
		t.Helper()
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	remove("wav48/p226")
	for k, clip := range []*audio.Clip{{SampleRate: 44100, Samples: make([]float32, 20000)}, {SampleRate: 48000}} {
		if err := corpustest.Write(filepath.Join(dir, "wav48/p225", []string{"p225_001.wav", "p225_002.wav"}[k]), clip); err != nil {
			t.Fatal(err)
		}
	}
	r, err := corpus.Prepare(t.Context(), list(t, dir, ""), t.TempDir(), corpus.Options{Features: features.Default(features.Reference)})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range r.Failed {
		got = append(got, filepath.Base(f.Path)+": "+f.Err.Error())
	}
	want := []string{
		"speaker-info.txt: speaker p226 has no recordings",
		"p225_001.wav: recording at 44100 Hz, want 48000 Hz as the corpus",
		"p225_002.wav: no samples, want at least 1",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("failures %q", got)
	}
}

func TestListErrors(t *testing.T) {
	old, new := made(t, "vctk-0.80"), made(t, "vctk-0.92")
	both, empty := made(t, "vctk-0.92"), t.TempDir()
	for _, d := range []string{filepath.Join(both, "wav48"), filepath.Join(empty, "wav48", "p225")} {
		if err := os.MkdirAll(d, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	info := func(text string) string {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "wav48"), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "speaker-info.txt"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	for _, c := range []struct{ name, src, mic, want string }{
		{"none", filepath.Join(empty, "none"), "", "none"},
		{"other folder", t.TempDir(), "", "neither wav48 nor wav48_silence_trimmed in it"},
		{"both", both, "", "has both wav48 (0.80) and wav48_silence_trimmed (0.92), want one"},
		{"mic of 0.80", old, "mic2", "version 0.80 has one microphone, not mic2"},
		{"unknown mic", new, "mic3", `microphone "mic3", want mic1 or mic2`},
		{"empty", empty, "", "no SPEAKER/SPEAKER_NUMBER.wav below it"},
		{"speakers", info("ID  AGE\n225  23  F\n226 ?\n\x00?\n"), "", `speaker-info.txt:4: want a line that begins with a speaker such as p225 (got "\x00?")`},
		{"speaker twice", info("ID  AGE\n225  23  F\np225 23 F\n"), "", "speaker-info.txt:3: speaker p225 a second time"},
		{"long line", info(strings.Repeat("x", 1<<17)), "", "speaker-info.txt: bufio.Scanner: token too long"},
	} {
		_, err := vctk.List(c.src, c.mic)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}
