package main

import (
	"encoding/json"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"vqspeech/recipes"
)

// TestPriorRecipes runs every recipe of a prior on a miniature of its corpus:
// prepare, a step of a model of images, two steps of its prior, new images.
func TestPriorRecipes(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(recipesFolder, "*", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, path := range files {
		if kindOf(t, path) != recipes.KindPrior {
			continue
		}
		ran++
		corpus := filepath.Base(filepath.Dir(path))
		t.Run(corpus+"/"+filepath.Base(path), func(t *testing.T) {
			dir := t.TempDir()
			in := func(name ...string) string { return filepath.Join(append([]string{dir}, name...)...) }
			if err := makeImages([]string{corpus, in("src")}); err != nil {
				t.Fatal(err)
			}
			program(t, "prepare", corpus, in("src"), in("data"))
			program(t, append([]string{"train", filepath.Join(filepath.Dir(path), "gaussian-1.yaml"), "--data", in("data"), "--run", in("model")},
				set([]string{"model.res_blocks=1", "quantizer.codebook_size=8", "quantizer.codebook_dim=4", "train.max_steps=1", "train.batch_size=2"})...)...)
			model := in("model", "model.safetensors")
			var r struct {
				Steps  int
				Test   map[string]float64
				Images map[string]int
			}
			out := program(t, append([]string{"train", path, "--data", in("data"), "--run", in("prior"), "--model", model, "--json"},
				set([]string{"prior.channels=4", "prior.layers=2", "prior.head=8", "train.max_steps=2", "train.batch_size=2", "train.log_every=1"})...)...)
			if err := json.Unmarshal(out, &r); err != nil {
				t.Fatal(err)
			}
			if r.Steps != 2 || r.Images["train"] == 0 || r.Images["valid"] == 0 || r.Images["test"] == 0 || !(r.Test["nats_per_code"] > 0) || !(r.Test["bits_per_code"] > 0) {
				t.Errorf("%+v", r)
			}
			program(t, "sample", in("prior"), "--model", model, "-n", "3", "-o", in("grid.png"))
			f, err := os.Open(in("grid.png"))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if _, err := png.Decode(f); err != nil {
				t.Error(err)
			}
		})
	}
	if ran == 0 {
		t.Error("no recipes of priors")
	}
}
