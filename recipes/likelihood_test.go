package recipes_test

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"vqspeech/model"
	"vqspeech/model/checkpoint"
	"vqspeech/model/image"
	"vqspeech/model/image/prior"
	"vqspeech/recipes"
)

// TestLikelihood wants the variance of the split that the model's recipe names,
// and latents that cost what the prior's own evaluation says of their codes.
func TestLikelihood(t *testing.T) {
	c, cfg, w := noise(t)
	path := filepath.Join(t.TempDir(), "model.safetensors")
	text := "model: {kind: 28}\ndata: {train: valid, valid: train}"
	if err := checkpoint.SaveFinished(path, cfg, w, map[string]string{recipes.RecipeKey: text}); err != nil {
		t.Fatal(err)
	}
	m, err := image.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	var last, all int
	measure := func(l recipes.Likelihood) recipes.LikelihoodResult {
		t.Helper()
		r, err := l.Run(t.Context(), c, func(done, total int) { last, all = done, total })
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	l := recipes.Likelihood{Model: m, File: path, Split: "test"}
	uniform := measure(l)
	if uniform.VarianceFrom != "valid" || uniform.Dimensions != 784 || len(uniform.Images) != 9 || last != 29 || all != 29 {
		t.Errorf("variance from %q, %d dimensions, %d images, progress %d of %d", uniform.VarianceFrom, uniform.Dimensions, len(uniform.Images), last, all)
	}
	valid, err := recipes.ImagesFor(cfg, c, "valid")
	if err != nil {
		t.Fatal(err)
	}
	if e, err := m.Evaluate(valid); err != nil || math.Abs(e.MSE/1000-uniform.Variance) > 1e-6 {
		t.Errorf("variance %g, want the squared error %g, %v", uniform.Variance, e.MSE/1000, err)
	}

	test, err := recipes.ImagesFor(cfg, c, "test")
	if err != nil {
		t.Fatal(err)
	}
	codes, err := m.Encode(test)
	if err != nil {
		t.Fatal(err)
	}
	for _, classes := range []int{0, 2} {
		grids := prior.Set{Codes: codes, N: 9}
		if classes > 0 {
			grids.Classes = []uint8{0, 1, 0, 1, 0, 1, 0, 1, 0}
		}
		l.Prior = randomPrior(t, classes)
		e, err := l.Prior.Evaluate(grids)
		if err != nil {
			t.Fatal(err)
		}
		r, sum := measure(l), 0.0
		for i, b := range r.Images {
			sum += b.Latents
			if b.Pixels != uniform.Images[i].Pixels {
				t.Errorf("image %d takes %g bits of pixels with a prior, %g without", i, b.Pixels, uniform.Images[i].Pixels)
			}
		}
		want := 49*e.Bits + math.Log2(float64(max(classes, 1)))
		if math.Abs(sum/9-want) > 1e-9*want {
			t.Errorf("%d classes: latents of an image take %g bits, want the prior's %g", classes, sum/9, want)
		}
		if classes > 0 { // the classes must matter
			grids.Classes = []uint8{1, 0, 1, 0, 1, 0, 1, 0, 1}
			if other, err := l.Prior.Evaluate(grids); err != nil || other.Bits == e.Bits {
				t.Errorf("other classes, the same %g bits, %v", other.Bits, err)
			}
		}
	}
	l.Prior = nil
	for split, want := range map[string]string{
		"valid": "valid is the split that the decoder's variance comes from, want another to measure", "dev": `no split "dev"`,
	} {
		l.Split = split
		if _, err := l.Run(t.Context(), c, func(int, int) {}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// randomPrior is one of the codes of noise.
func randomPrior(t *testing.T, classes int) *prior.Model {
	t.Helper()
	cfg := prior.Config{Net: prior.NetConfig{Channels: 6, Layers: 2, Head: 7, Classes: classes}, CodebookSize: 16, Height: 7, Width: 7}
	rng, w := rand.New(rand.NewPCG(3, 4)), model.Weights{}
	for _, p := range cfg.Params() {
		w[p.Name] = p.Init(rng)
	}
	m, err := prior.New(cfg, w)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
