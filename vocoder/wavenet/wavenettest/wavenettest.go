// Package wavenettest makes networks for tests: those of the project's fixtures
// and random ones of any size.
package wavenettest

import (
	"math/rand/v2"

	"vqspeech/internal/golden"
	"vqspeech/model"
	"vqspeech/vocoder/wavenet"
)

// Files matches the fixtures.
const Files = "wavenet_*.safetensors"

// Golden returns the network of a fixture.
func Golden(f *golden.File) (wavenet.Config, model.Weights) {
	cfg := wavenet.Config{
		Dim: f.Int("d"), Upsampling: f.Int("U"), Speakers: f.Int("spk"),
		CondChannels: f.Int("C"), SpeakerDim: f.Int("G"),
		Cycles: f.Int("cycles"), CycleLayers: f.Int("P"), Kernel: f.Int("k"),
		Residual: f.Int("R"), Gate: f.Int("D"), Skip: f.Int("S"), Post: f.Int("post"),
	}
	f.JSON("strides", &cfg.Strides)
	f.JSON("cond_relu", &cfg.CondReLU)
	f.JSON("scaled", &cfg.Scaled)
	w := model.Weights{}
	for _, p := range cfg.Params() {
		w[p.Name] = p.FromFile(f.F32("param." + p.Name))
	}
	return cfg, w
}

// Random returns weights as training starts with, from a seed.
func Random(cfg wavenet.Config, seed uint64) model.Weights {
	rng := rand.New(rand.NewPCG(seed, 0))
	w := model.Weights{}
	for _, p := range cfg.Params() {
		w[p.Name] = p.Init(rng)
	}
	return w
}

// Latents returns normally distributed latents [l, d], from a seed.
func Latents(cfg wavenet.Config, l int, seed uint64) []float32 {
	rng := rand.New(rand.NewPCG(seed, 1))
	x := make([]float32, l*cfg.Dim)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}
