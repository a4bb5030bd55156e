package simd

// ForwardPacked is Forward with weights w [Kernel*In, Out] that [PackB] has
// prepared, bit for bit what Forward gives.
//
//	x [B, T, In], bias [Out] or nil, y [B, To, Out] float32
func (c Conv1D) ForwardPacked(y, x []float32, w *Packed, bias []float32, b, t int) {
	m, k := b*c.OutLen(t), c.Kernel*c.In
	checkLen("Conv1D y", len(y), m*c.Out)
	checkLen("Conv1D x", len(x), b*t*c.In)
	checkLen("Conv1D w", w.k*w.n, k*c.Out)
	if c.pointwise() {
		GemmPacked(m, x, k, w, y, c.Out, false)
	} else {
		gemmRun(&gemmCall{kern: w.kern, packed: w.data, m: m, n: c.Out, k: k, a: x, window: c.window(t), c: y, ldc: c.Out})
	}
	if bias != nil {
		AddRows(y, bias, m, c.Out)
	}
}
