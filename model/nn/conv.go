// Package nn holds the layers of a speech model for inference, on the kernels
// that also train them (internal/simd). Layers keep the little state that lets
// a sequence arrive in pieces of any size: results are the same to the bit
// however it is cut.
package nn

import "vqspeech/internal/simd"

// Conv is a convolution, optionally followed by batch normalisation with
// running statistics (as scale and shift) and ReLU.
type Conv struct {
	Geometry     simd.Conv1D
	Weight       []float32 // [Kernel*In, Out]
	Bias         []float32 // [Out] or nil
	Scale, Shift []float32 // [Out] or nil
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
}

func newConvStream(c *Conv) *convStream {
	return &convStream{conv: c, buf: make([]float32, c.Geometry.PadLeft*c.Geometry.In)}
}

// push appends x [n, In] and returns the output frames [m, Out] that are
// complete. The result is a new slice.
func (s *convStream) push(x []float32) []float32 {
	s.buf = append(s.buf, x...)
	return s.run()
}

// flush ends the sequence and returns its last output frames.
func (s *convStream) flush() []float32 {
	s.buf = append(s.buf, make([]float32, s.conv.Geometry.PadRight*s.conv.Geometry.In)...)
	return s.run()
}

func (s *convStream) run() []float32 {
	g := s.conv.Geometry
	g.PadLeft, g.PadRight = 0, 0
	have := len(s.buf) / g.In
	m := g.OutLen(have)
	if m == 0 {
		return nil
	}
	y := make([]float32, m*g.Out)
	g.Forward(y, s.buf, s.conv.Weight, s.conv.Bias, 1, have)
	if s.conv.Scale != nil {
		simd.ScaleShift(y, y, s.conv.Scale, s.conv.Shift, m, g.Out)
	}
	if s.conv.ReLU {
		simd.ReLU(y, y)
	}
	s.buf = append(s.buf[:0], s.buf[m*g.Stride*g.In:]...)
	return y
}
