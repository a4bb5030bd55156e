package checkpoint_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vqspeech/features"
	"vqspeech/internal/training"
	"vqspeech/model"
	"vqspeech/model/checkpoint"
	"vqspeech/model/modeltest"
)

// TestResultStays writes a model again: its bytes, by which units know it, change
// with what it is, not with the recipe.
func TestResultStays(t *testing.T) {
	cfg := modeltest.Config(model.VQEMA, features.Stream)
	w := modeltest.Weights(cfg)
	path := filepath.Join(t.TempDir(), "model.safetensors")
	save := func(recipe, steps string) []byte {
		t.Helper()
		meta := map[string]string{checkpoint.RecipeKey: recipe, checkpoint.RunStepsKey: steps}
		if err := checkpoint.SaveFinished(path, cfg, w, meta); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	first := save("train: {log_every: 1}", "100")
	if !bytes.Equal(save("train: {log_every: 2}", "100"), first) {
		t.Error("another recipe made another file")
	}
	longer := save("train: {log_every: 2}", "200")
	if bytes.Equal(longer, first) {
		t.Error("a longer run left the file as it was")
	}
	w["encoder.bn1.bias"][0] = 3
	if bytes.Equal(save("train: {log_every: 2}", "200"), longer) {
		t.Error("other weights left the file as it was")
	}
	if err := os.WriteFile(path, []byte("no model"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := model.Read(save("", "200")); err != nil {
		t.Errorf("over what is no model: %v", err)
	}
}

// TestResult wants the best checkpoint only where it is that of the run.
func TestResult(t *testing.T) {
	dir := t.TempDir()
	best := state(smallest(model.VQEMA))
	if err := checkpoint.Save(filepath.Join(dir, training.BestFile), best); err != nil {
		t.Fatal(err)
	}
	last := *best
	last.Step += 10
	if from, err := last.Result(dir, true); err != nil || from.Step != best.Step {
		t.Errorf("%v, want the best checkpoint", err)
	}
	if from, err := last.Result(dir, false); err != nil || from != &last {
		t.Errorf("%v, want the last state", err)
	}
	earlier, other := *best, last
	earlier.Step--
	other.Best++
	for _, s := range []checkpoint.State{earlier, other} {
		if _, err := s.Result(dir, true); err == nil || !strings.Contains(err.Error(), training.BestFile+": of step 1234") {
			t.Errorf("best of another run: %v", err)
		}
	}
}
