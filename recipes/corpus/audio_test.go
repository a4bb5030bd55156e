package corpus_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vqspeech/recipes/corpus"
)

func TestPrepareKeepsAudio(t *testing.T) {
	src, dst := source(t, 5), t.TempDir()
	prepare := func(audio bool) (*corpus.Report, *corpus.Corpus) {
		t.Helper()
		o := options()
		o.Audio = audio
		r, err := corpus.Prepare(t.Context(), src, dst, o)
		if err != nil {
			t.Fatal(err)
		}
		c, err := corpus.Open(dst)
		if err != nil {
			t.Fatal(err)
		}
		return r, c
	}
	_, c := prepare(false)
	if _, err := c.Samples(0); err == nil || !strings.Contains(err.Error(), "--audio") {
		t.Errorf("samples of a corpus without audio: %v", err)
	}
	if r, _ := prepare(true); r.Computed != 5 {
		t.Errorf("%d utterances computed again for their audio, want 5", r.Computed)
	}
	r, c := prepare(true)
	if r.Reused != 5 {
		t.Errorf("%d utterances reused, want 5", r.Reused)
	}
	for i, u := range c.Utterances {
		x, err := c.Samples(i)
		if err != nil {
			t.Fatal(err)
		}
		var peak float32
		for _, v := range x {
			peak = max(peak, v, -v)
		}
		if int64(len(x)) != u.Samples || peak < u.Peak-1e-4 || peak > u.Peak+1e-4 {
			t.Errorf("%s: %d samples, peak %v, want %d and %v", u.ID, len(x), peak, u.Samples, u.Peak)
		}
	}
	if err := os.Truncate(filepath.Join(dst, c.Utterances[1].Audio), 1000); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Samples(1); err == nil || !strings.Contains(err.Error(), c.Utterances[1].ID) {
		t.Errorf("cut audio: %v", err)
	}
}
