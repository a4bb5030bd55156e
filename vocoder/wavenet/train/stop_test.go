package train

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestStoppedBeforeTheFirstStep stops a run while its graph is built: what it leaves
// goes on as if it had not been.
func TestStoppedBeforeTheFirstStep(t *testing.T) {
	cfg, tc := tiny(t), DefaultConfig()
	tc.MaxSteps, tc.BatchSize, tc.CropFrames = 2, 1, 5
	options := func(dir string) Options {
		return Options{Network: cfg, Train: tc, Speakers: []string{"a", "b"}, Dir: dir, Resume: true, Training: []Utterance{melody(cfg, 20, 0)}}
	}
	finish := func(dir string) []byte {
		t.Helper()
		if _, err := Run(t.Context(), options(dir)); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(dir, VoiceFile))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	if _, err := Run(stopped, options(dir)); !errors.Is(err, context.Canceled) {
		t.Fatalf("a stopped run returns %v", err)
	}
	if !bytes.Equal(finish(dir), finish(t.TempDir())) {
		t.Error("the resumed run ends in other bytes")
	}
}
