package recipes_test

import (
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vqspeech/model"
	"vqspeech/model/image"
	"vqspeech/model/image/prior"
	"vqspeech/recipes"
	"vqspeech/recipes/images"
)

// TestPriorRecipes wants the sizes and schedules of the corpora's priors.
func TestPriorRecipes(t *testing.T) {
	for corpus, want := range map[string]struct{ Channels, BatchSize int }{
		"mnist": {64, 128}, "fashion-mnist": {64, 128}, "cifar10": {64, 128}, "celeba": {256, 32},
	} {
		r, err := recipes.Load(filepath.Join(corpus, "pixelcnn.yaml"), recipes.ParsePrior)
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
		{"prior: {}", "data.valid=train", `--set data: train, valid and test must be different splits (got "train" twice)`},
		{"prior: {}", "train.learning_rate=0", "--set train.learning_rate: must be in (0, 10) (got 0)"},
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

// noise is a prepared corpus of three splits of noise, of two classes, and a model
// that has never seen it.
func noise(t *testing.T) (*images.Corpus, image.Config, model.Weights) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	src := images.Source{Corpus: "noise", Root: "noise", Height: 28, Width: 28, Channels: 1}
	for _, split := range []struct {
		name string
		n    int
	}{{"train", 300}, {"valid", 20}, {"test", 9}} {
		pixels, labels := make([]uint8, split.n*28*28), make([]uint8, split.n)
		for i := range pixels {
			pixels[i] = uint8(rng.Uint32())
		}
		for i := range labels {
			labels[i] = uint8(i % 2)
		}
		src.Splits = append(src.Splits, images.Split{Name: split.name, N: split.n, Labels: labels, Read: func(i int, dst []uint8) error {
			copy(dst, pixels[i*len(dst):])
			return nil
		}})
	}
	dir := t.TempDir()
	if _, err := images.Prepare(t.Context(), src, dir, images.Options{}); err != nil {
		t.Fatal(err)
	}
	c, err := images.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	cfg := image.DefaultConfig(image.Net28)
	cfg.Net.ResBlocks, cfg.Quantizer.CodebookSize, cfg.Quantizer.CodebookDim = 1, 16, 4
	w := model.Weights{}
	for _, p := range append(cfg.Params(), cfg.Buffers()...) {
		w[p.Name] = p.Init(rng)
	}
	return c, cfg, w
}

// TestPriorOptions wants the codes of whole splits, whatever the blocks in which
// they are made.
func TestPriorOptions(t *testing.T) {
	c, cfg, w := noise(t)
	m, err := image.New(cfg, w)
	if err != nil {
		t.Fatal(err)
	}
	r := recipes.DefaultPrior()
	var told []int
	o, err := r.Options(c, m, func(images int) { told = append(told, images) })
	if err != nil {
		t.Fatal(err)
	}
	if want := []int{256, 300, 320, r.Data.Images(c)}; !slices.Equal(told, want) || want[3] != 329 {
		t.Errorf("progress %v, want %v", told, want)
	}
	for split, got := range map[string]prior.Set{"train": o.Training, "valid": o.Valid, "test": o.Test} {
		set, err := c.Read(split)
		if err != nil {
			t.Fatal(err)
		}
		if want, err := m.Encode(set); err != nil || got.N != set.N || !slices.Equal(got.Codes, want) {
			t.Errorf("%s: other codes than those of the whole split, %v", split, err)
		}
	}
}
