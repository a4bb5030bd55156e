// Package priortest reads priors from the fixtures of PyTorch.
package priortest

import (
	"testing"

	"vqspeech/internal/golden"
	"vqspeech/model"
	"vqspeech/model/image/prior"
)

// Config reads the prior of a fixture.
func Config(t testing.TB, f *golden.File) prior.Config {
	t.Helper()
	cfg := prior.Config{
		Net:          prior.NetConfig{Channels: f.Int("F"), Layers: f.Int("layers"), Head: f.Int("head"), Classes: f.Int("classes")},
		CodebookSize: f.Int("K"), Height: f.Int("H"), Width: f.Int("W"),
	}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	return cfg
}

// Masked are the tensors of which the fixture has a last row or column of taps
// that is masked; here there is none.
var Masked = map[string]bool{"layers.0.vert.weight": true, "layers.0.horiz.weight": true}

// unmasked drops the masked taps of a tensor [out, in, kh, kw] of which p has the
// rest.
func unmasked(f *golden.File, name string, p model.Param) []float32 {
	x, s := f.F32(name), f.Shape(name)
	if !Masked[p.Name] {
		return x
	}
	var y []float32
	for i, v := range x {
		if i/s[3]%s[2] < p.Shape[2] && i%s[3] < p.Shape[3] {
			y = append(y, v)
		}
	}
	return y
}

// Weights reads the weights of a fixture.
func Weights(f *golden.File, cfg prior.Config) model.Weights {
	w := model.Weights{}
	for _, p := range cfg.Params() {
		w[p.Name] = p.FromFile(unmasked(f, "param."+p.Name, p))
	}
	return w
}

// Set reads the grids of a fixture.
func Set(f *golden.File, cfg prior.Config) prior.Set {
	s := prior.Set{N: f.Int("B")}
	for _, c := range f.I32("in.code") {
		s.Codes = append(s.Codes, uint16(c))
	}
	if cfg.Net.Classes > 0 {
		for _, c := range f.I32("in.class") {
			s.Classes = append(s.Classes, uint8(c))
		}
	}
	return s
}
