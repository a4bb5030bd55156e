package simd

// Conv1D is the geometry of a one-dimensional convolution over time-major
// sequences: a [Conv2D] over images of one line. Weights are [Kernel*In, Out],
// tap major: row k*In+c holds tap k of input channel c (PyTorch's weight[o][c][k]
// is w[(k*In+c)*Out+o]).
type Conv1D struct {
	In, Out           int // channels
	Kernel            int // taps
	Stride, Dilation  int // frames
	PadLeft, PadRight int // zero frames
}

// OutLen returns the number of output frames for t input frames, 0 if the
// kernel does not fit.
func (c Conv1D) OutLen(t int) int { return c.Grid().X.OutLen(t) }

// Grid returns the same convolution over images of one line.
func (c Conv1D) Grid() Conv2D {
	return Conv2D{
		In: c.In, Out: c.Out, Y: Axis{Kernel: 1, Stride: 1, Dilation: 1},
		X: Axis{Kernel: c.Kernel, Stride: c.Stride, Dilation: c.Dilation, Before: c.PadLeft, After: c.PadRight},
	}
}

// Forward computes y = x * w + bias. bias may be nil.
//
//	x [B, T, In], w [Kernel*In, Out], bias [Out], y [B, To, Out] float32
func (c Conv1D) Forward(y, x, w, bias []float32, b, t int) { c.Grid().Forward(y, x, w, bias, b, 1, t) }

// ForwardPacked is Forward with weights w [Kernel*In, Out] that [PackB] has
// prepared, bit for bit what Forward gives.
//
//	x [B, T, In], bias [Out] or nil, y [B, To, Out] float32
func (c Conv1D) ForwardPacked(y, x []float32, w *Packed, bias []float32, b, t int) {
	c.Grid().ForwardPacked(y, x, w, bias, b, 1, t)
}

// BackwardInput computes dx from dy.
//
//	dx [B, T, In], dy [B, To, Out], w [Kernel*In, Out] float32
func (c Conv1D) BackwardInput(dx, dy, w []float32, b, t int) {
	c.Grid().BackwardInput(dx, dy, w, b, 1, t)
}

// BackwardWeight computes dw from dy.
//
//	dw [Kernel*In, Out], x [B, T, In], dy [B, To, Out] float32
func (c Conv1D) BackwardWeight(dw, x, dy []float32, b, t int) {
	c.Grid().BackwardWeight(dw, x, dy, b, 1, t)
}

// TransposedLen returns the number of frames that Transposed makes of t: the
// fewest of which the convolution makes t.
func (c Conv1D) TransposedLen(t int) int { return c.Grid().X.TransposedLen(t) }

// Transposed computes the transposed convolution, which is the input gradient of
// c: from sequences of t frames of Out channels to TransposedLen(t) frames of In
// channels. PyTorch's ConvTranspose1d weight[i][o][k] is w[(k*In+o)*Out+i].
//
//	x [B, T, Out], w [Kernel*In, Out], bias [In], y [B, T', In] float32
func (c Conv1D) Transposed(y, x, w, bias []float32, b, t int) {
	c.Grid().Transposed(y, x, w, bias, b, 1, t)
}

// TransposedBackwardInput computes dx of Transposed from dy.
//
//	dx [B, T, Out], dy [B, T', In], w [Kernel*In, Out] float32
func (c Conv1D) TransposedBackwardInput(dx, dy, w []float32, b, t int) {
	c.Grid().TransposedBackwardInput(dx, dy, w, b, 1, t)
}

// TransposedBackwardWeight computes dw of Transposed from dy.
//
//	dw [Kernel*In, Out], x [B, T, Out], dy [B, T', In] float32
func (c Conv1D) TransposedBackwardWeight(dw, x, dy []float32, b, t int) {
	c.Grid().TransposedBackwardWeight(dw, x, dy, b, 1, t)
}
