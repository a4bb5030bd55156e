package simd

import "fmt"

// Conv1D is the geometry of a one-dimensional convolution over time-major
// sequences. Weights are [Kernel*In, Out], tap major: row k*In+c holds tap k of
// input channel c (PyTorch's weight[o][c][k] is w[(k*In+c)*Out+o]).
type Conv1D struct {
	In, Out           int // channels
	Kernel            int // taps
	Stride, Dilation  int // frames
	PadLeft, PadRight int // zero frames
}

// OutLen returns the number of output frames for t input frames, 0 if the
// kernel does not fit.
func (c Conv1D) OutLen(t int) int {
	span := (c.Kernel-1)*c.Dilation + 1
	if n := t + c.PadLeft + c.PadRight - span; n >= 0 {
		return n/c.Stride + 1
	}
	return 0
}

// pointwise says that the columns are the input itself.
func (c Conv1D) pointwise() bool {
	return c.Kernel == 1 && c.Stride == 1 && c.PadLeft == 0 && c.PadRight == 0
}

// columns gathers the Kernel taps of every output frame.
//
//	col [B*To, Kernel*In], x [B, T, In] float32
func (c Conv1D) columns(col, x []float32, b, t int) {
	to := c.OutLen(t)
	width := c.Kernel * c.In
	Parallel(b*to, 64, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			item, at := r/to, r%to
			row := col[r*width : (r+1)*width]
			src := x[item*t*c.In : (item+1)*t*c.In]
			for k := range c.Kernel {
				tap := row[k*c.In : (k+1)*c.In]
				if s := at*c.Stride + k*c.Dilation - c.PadLeft; s >= 0 && s < t {
					copy(tap, src[s*c.In:])
				} else {
					clear(tap)
				}
			}
		}
	})
}

// Forward computes y = x * w + bias. bias may be nil.
//
//	x [B, T, In], w [Kernel*In, Out], bias [Out], y [B, To, Out] float32
func (c Conv1D) Forward(y, x, w, bias []float32, b, t int) {
	m, k := b*c.OutLen(t), c.Kernel*c.In
	checkLen("Conv1D y", len(y), m*c.Out)
	checkLen("Conv1D x", len(x), b*t*c.In)
	checkLen("Conv1D w", len(w), k*c.Out)
	col := x
	if !c.pointwise() {
		col = Borrow(m * k)
		defer Return(col)
		c.columns(col, x, b, t)
	}
	Gemm(false, false, m, c.Out, k, col, k, w, c.Out, y, c.Out, false)
	if bias != nil {
		AddRows(y, bias, m, c.Out)
	}
}

// BackwardInput computes dx from dy.
//
//	dx [B, T, In], dy [B, To, Out], w [Kernel*In, Out] float32
func (c Conv1D) BackwardInput(dx, dy, w []float32, b, t int) {
	to := c.OutLen(t)
	m, k := b*to, c.Kernel*c.In
	checkLen("Conv1D dx", len(dx), b*t*c.In)
	checkLen("Conv1D dy", len(dy), m*c.Out)
	if c.pointwise() {
		Gemm(false, true, m, k, c.Out, dy, c.Out, w, c.Out, dx, k, false)
		return
	}
	col := Borrow(m * k)
	defer Return(col)
	Gemm(false, true, m, k, c.Out, dy, c.Out, w, c.Out, col, k, false)
	clear(dx)
	Parallel(b, 1, func(lo, hi int) {
		for r := lo * to; r < hi*to; r++ {
			item, at := r/to, r%to
			dst := dx[item*t*c.In : (item+1)*t*c.In]
			for tap := range c.Kernel {
				if s := at*c.Stride + tap*c.Dilation - c.PadLeft; s >= 0 && s < t {
					add(dst[s*c.In:(s+1)*c.In], col[r*k+tap*c.In:])
				}
			}
		}
	})
}

// BackwardWeight computes dw from dy.
//
//	dw [Kernel*In, Out], x [B, T, In], dy [B, To, Out] float32
func (c Conv1D) BackwardWeight(dw, x, dy []float32, b, t int) {
	m, k := b*c.OutLen(t), c.Kernel*c.In
	checkLen("Conv1D dw", len(dw), k*c.Out)
	col := x
	if !c.pointwise() {
		col = Borrow(m * k)
		defer Return(col)
		c.columns(col, x, b, t)
	}
	Gemm(true, false, k, c.Out, m, col, k, dy, c.Out, dw, c.Out, false)
}

func checkLen(what string, got, want int) {
	if got != want {
		panic(fmt.Sprintf("simd: %s has %d elements, want %d", what, got, want))
	}
}
