package simd

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func TestForwardPacked(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range []Conv1D{
		{In: 5, Out: 7, Kernel: 1, Stride: 1, Dilation: 1},
		{In: 3, Out: 33, Kernel: 3, Stride: 1, Dilation: 1, PadLeft: 1, PadRight: 1},
		{In: 90, Out: 40, Kernel: 4, Stride: 2, Dilation: 1, PadLeft: 1},
		{In: 6, Out: 9, Kernel: 2, Stride: 1, Dilation: 4, PadLeft: 4},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			eachISA(t, func(t *testing.T) {
				const b, frames = 2, 37
				k := c.Kernel * c.In
				x, w, bias := randoms(r, b*frames*c.In), randoms(r, k*c.Out), randoms(r, c.Out)
				for _, bias := range [][]float32{nil, bias} {
					want, got := make([]float32, b*c.OutLen(frames)*c.Out), make([]float32, b*c.OutLen(frames)*c.Out)
					c.Forward(want, x, w, bias, b, frames)
					c.ForwardPacked(got, x, PackB(false, k, c.Out, w, c.Out), bias, b, frames)
					mustEqual(t, got, want, "ForwardPacked")
				}
			})
		})
	}
}
