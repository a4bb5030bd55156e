//go:build unix

package corpus_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"vqspeech/recipes/corpus"
)

// TestPipe wants a pipe that is named as a recording to be a failure: nobody
// writes to it, and reading it would not end.
func TestPipe(t *testing.T) {
	src := source(t, 2)
	path := filepath.Join(src.Root, "a/00.wav")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(path, 0o666); err != nil {
		t.Fatal(err)
	}
	r, err := corpus.Prepare(t.Context(), src, t.TempDir(), options())
	if err != nil {
		t.Fatal(err)
	}
	if r.Computed != 1 || len(r.Failed) != 1 || r.Failed[0].Err.Error() != "not a regular file" {
		t.Errorf("%+v", r)
	}
}
