package recipes_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vqspeech/model/image/prior"
	"vqspeech/recipes"
)

// TestPriorRecipes wants the sizes and schedules of the corpora's priors.
func TestPriorRecipes(t *testing.T) {
	for corpus, want := range map[string]struct{ Channels, BatchSize int }{
		"mnist": {64, 128}, "fashion-mnist": {64, 128}, "cifar10": {64, 128}, "celeba": {256, 32},
	} {
		r, err := recipes.LoadPrior(filepath.Join(corpus, "pixelcnn.yaml"))
		if err != nil {
			t.Error(err)
			continue
		}
		full := recipes.DefaultPrior()
		full.Prior = prior.NetConfig{Channels: want.Channels, Layers: 15, Head: 512}
		full.Train.BatchSize, full.Train.Epochs, full.Train.LearningRate = want.BatchSize, 100, 3e-4
		if d := cmp.Diff(full, r); d != "" {
			t.Errorf("%s: %s", corpus, d)
		}
	}
}

func TestPriorErrors(t *testing.T) {
	for _, c := range []struct{ doc, set, want string }{
		{"prior: {channels: 0}", "", "r.yaml: prior.channels: must be between 1 and 4096 (got 0)"},
		{"prior: {layers: 2}\ntrain: {steps: 5}", "", "r.yaml:2: train.steps: unknown key, want one of epochs, max_steps, "},
		{"prior: {}", "data.valid=train", `r.yaml: data: train, valid and test must be different splits (got "train" twice)`},
		{"prior: {}", "train.learning_rate=0", "r.yaml: train.learning_rate: must be in (0, 10) (got 0)"},
		{"prior: {}", "quantizer.kind=vq", "--set quantizer: unknown key, want one of data, prior, train"},
	} {
		var overrides []string
		if c.set != "" {
			overrides = append(overrides, c.set)
		}
		if _, err := recipes.ParsePrior("r.yaml", []byte(c.doc), overrides...); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%q %s: got %v, want %s", c.doc, c.set, err, c.want)
		}
	}
}
