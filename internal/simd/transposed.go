package simd

// TransposedLen returns the number of frames that Transposed makes of t: the
// fewest of which the convolution makes t.
func (c Conv1D) TransposedLen(t int) int {
	return (t-1)*c.Stride - c.PadLeft - c.PadRight + (c.Kernel-1)*c.Dilation + 1
}

// Transposed computes the transposed convolution, which is the input gradient of
// c: from sequences of t frames of Out channels to TransposedLen(t) frames of In
// channels. PyTorch's ConvTranspose1d weight[i][o][k] is w[(k*In+o)*Out+i].
//
//	x [B, T, Out], w [Kernel*In, Out], bias [In], y [B, T', In] float32
func (c Conv1D) Transposed(y, x, w, bias []float32, b, t int) {
	frames := c.TransposedLen(t)
	checkLen("Conv1D w", len(w), c.Kernel*c.In*c.Out)
	c.BackwardInput(y, x, w, b, frames)
	AddRows(y, bias, b*frames, c.In)
}

// TransposedBackwardInput computes dx of Transposed from dy.
//
//	dx [B, T, Out], dy [B, T', In], w [Kernel*In, Out] float32
func (c Conv1D) TransposedBackwardInput(dx, dy, w []float32, b, t int) {
	c.Forward(dx, dy, w, nil, b, c.TransposedLen(t))
}

// TransposedBackwardWeight computes dw of Transposed from dy.
//
//	dw [Kernel*In, Out], x [B, T, Out], dy [B, T', In] float32
func (c Conv1D) TransposedBackwardWeight(dw, x, dy []float32, b, t int) {
	c.BackwardWeight(dw, dy, x, b, c.TransposedLen(t))
}
