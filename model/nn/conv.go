// Package nn holds the layers of a speech model for inference, on the kernels
// that also train them (internal/simd). Layers keep the little state that lets
// a sequence arrive in pieces of any size: results are the same to the bit
// however it is cut.
package nn

import (
	"slices"

	"vqspeech/internal/simd"
)

// Conv is a convolution, optionally followed by batch normalisation with
// running statistics (as scale and shift) and ReLU.
type Conv struct {
	Geometry     simd.Conv1D
	Weight       *simd.Packed // [Kernel*In, Out]
	Bias         []float32    // [Out] or nil
	Scale, Shift []float32    // [Out] or nil
	ReLU         bool
}

// multiplyAdds counts the multiply-adds of the product for t input frames.
func (c *Conv) multiplyAdds(t int) int64 {
	g := c.Geometry
	return int64(g.OutLen(t)) * int64(g.Kernel*g.In) * int64(g.Out)
}

// convStream runs a Conv over a sequence that arrives in pieces.
type convStream struct {
	conv *Conv
	buf  []float32 // padded input frames still needed, [have, In]
	out  []float32 // returned last
}

func newConvStream(c *Conv) *convStream {
	return &convStream{conv: c, buf: make([]float32, c.Geometry.PadLeft*c.Geometry.In)}
}

// push appends x [n, In] and returns the output frames [m, Out] that are
// complete. With last it ends the sequence: they are the rest. The result is
// valid until the next call.
func (s *convStream) push(x []float32, last bool) []float32 {
	g := s.conv.Geometry
	s.buf = append(s.buf, x...)
	if last {
		s.buf = append(s.buf, make([]float32, g.PadRight*g.In)...)
	}
	g.PadLeft, g.PadRight = 0, 0
	have := len(s.buf) / g.In
	m := g.OutLen(have)
	s.out = slices.Grow(s.out[:0], m*g.Out)[:m*g.Out]
	y := s.out
	g.ForwardPacked(y, s.buf, s.conv.Weight, s.conv.Bias, 1, have)
	if s.conv.Scale != nil {
		simd.ScaleShift(y, y, s.conv.Scale, s.conv.Shift, m, g.Out)
	}
	if s.conv.ReLU {
		simd.ReLU(y, y)
	}
	s.buf = s.buf[:copy(s.buf, s.buf[m*g.Stride*g.In:])]
	return y
}
