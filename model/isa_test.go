package model_test

import (
	"math"
	"slices"
	"strings"
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
	type reference struct {
		mel      []float32
		units    []uint16
		nearTies []bool   // [unit]
		fused    []uint16 // units of AVX2 and AVX-512, which promise equal bits
	}
	clip := speech(t)
	generic := map[string]*reference{}                 // by model
	for _, isa := range slices.Backward(simd.ISAs()) { // generic first
		if err := simd.SetISA(isa); err != nil {
			t.Fatal(err)
		}
		t.Run(isa, func(t *testing.T) {
			forEachModel(t, func(t *testing.T, m *model.Model) { // made for this set
				_, name, _ := strings.Cut(strings.TrimPrefix(t.Name(), "TestUnitsOfInstructionSets/"), "/")
				want := generic[name]
				if want == nil {
					mel, err := features.LogMel(clip, m.Config.Features)
					if err != nil {
						t.Fatal(err)
					}
					want = &reference{mel: mel, units: m.EncodeMel(mel)}
					latents, logVar := m.Latents(mel)
					for i := range want.units {
						want.nearTies = append(want.nearTies, nearTie(m, latents, logVar, i))
					}
					generic[name] = want
				}
				got := m.EncodeMel(want.mel)
				differ, ties := 0, 0
				for i, u := range got {
					if want.nearTies[i] {
						ties++
					}
					if u == want.units[i] {
						continue
					}
					differ++
					if !want.nearTies[i] {
						t.Errorf("unit %d is %d, generic %d, and no tie", i, u, want.units[i])
					}
				}
				t.Logf("%d of %d units differ from generic, %d near ties", differ, len(got), ties)
				switch {
				case isa == "generic":
				case want.fused == nil:
					want.fused = got
				case !slices.Equal(got, want.fused):
					t.Errorf("%s gives %v, want %v as another set with fused products", isa, got, want.fused)
				}
			})
		})
	}
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
