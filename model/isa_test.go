package model_test

import (
	"math"
	"slices"
	"testing"

	"vqspeech/features"
	"vqspeech/internal/simd"
	"vqspeech/model"
)

// tieTolerance bounds the gap between the two best distances of a latent that
// may be assigned differently by kernels that round differently. It is relative
// to the size of the terms whose difference a distance is, see nearTie.
const tieTolerance = 1e-5

// TestUnitsOfInstructionSets compares the units of every instruction set of
// this machine with those of the generic kernels.
func TestUnitsOfInstructionSets(t *testing.T) {
	before := simd.ISA()
	t.Cleanup(func() {
		if err := simd.SetISA(before); err != nil {
			t.Error(err)
		}
	})
	clip := speech(t)
	forEachModel(t, func(t *testing.T, m *model.Model) {
		mel, err := features.LogMel(clip, m.Config.Features)
		if err != nil {
			t.Fatal(err)
		}
		use := func(isa string) {
			if err := simd.SetISA(isa); err != nil {
				t.Fatal(err)
			}
		}
		use("generic")
		latents, logVar := m.Latents(mel)
		want := m.EncodeMel(mel)
		ties := 0
		for i := range want {
			if nearTie(m, latents, logVar, i) {
				ties++
			}
		}
		fused := map[string][]uint16{} // AVX2 and AVX-512 promise equal bits
		for _, isa := range simd.ISAs() {
			use(isa)
			got := m.EncodeMel(mel)
			differ := 0
			for i := range want {
				if got[i] == want[i] {
					continue
				}
				differ++
				if !nearTie(m, latents, logVar, i) {
					t.Errorf("%s: unit %d is %d, generic %d, and no tie", isa, i, got[i], want[i])
				}
			}
			t.Logf("%s: %d of %d units differ from generic, %d near ties", isa, differ, len(want), ties)
			if isa != "generic" {
				fused[isa] = got
			}
		}
		if a, b := fused["avx2"], fused["avx512"]; a != nil && b != nil && !slices.Equal(a, b) {
			t.Errorf("avx2 gives %v, avx512 %v", a, b)
		}
	})
}

// nearTie tells whether the distances of latent i to its two nearest code
// vectors, 1/2 sum w (z-b)^2, differ by at most tieTolerance times
// 1/2 sum w (z^2 + b^2), b the nearest.
func nearTie(m *model.Model, latents, logVar []float32, i int) bool {
	d := m.Codebook.Dim
	precision := func(j int) float64 {
		switch len(logVar) {
		case 0:
			return 1
		case 1:
			return math.Exp(-float64(logVar[0]))
		case len(latents):
			return math.Exp(-float64(logVar[i*d+j]))
		}
		return math.Exp(-float64(logVar[i]))
	}
	best, second, scale := math.Inf(1), math.Inf(1), 0.0
	for k := range m.Codebook.Size {
		var distance, terms float64
		for j := range d {
			z, b := float64(latents[i*d+j]), float64(m.Codebook.Vectors[k*d+j])
			w := precision(j) / 2
			distance += w * (z - b) * (z - b)
			terms += w * (z*z + b*b)
		}
		if distance < best {
			best, second, scale = distance, best, terms
		} else {
			second = min(second, distance)
		}
	}
	return second-best <= tieTolerance*scale
}
