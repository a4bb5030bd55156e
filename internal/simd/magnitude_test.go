package simd

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Every set gives the bits of the definition on any length.
func TestFoldedMagnitudes(t *testing.T) {
	magnitude := func(re, im float32) float32 {
		return float32(math.Sqrt(float64(float32(re*re) + float32(im*im))))
	}
	eachISA(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		for n := range 40 {
			x := make([][]float32, 4)
			for i := range x {
				x[i] = randoms(r, n)
			}
			low, high := make([]float32, n), make([]float32, n)
			for i := range n {
				low[i] = magnitude(x[0][i]+x[1][i], x[2][i]+x[3][i])
				high[i] = magnitude(x[0][i]-x[1][i], x[2][i]-x[3][i])
			}
			FoldedMagnitudes(x[0], x[1], x[2], x[3])
			mustEqual(t, x[0], low, "sum")
			mustEqual(t, x[2], high, "difference")
		}
	})
}
