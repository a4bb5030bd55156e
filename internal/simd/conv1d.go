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

// window is the matrix that the weights multiply, for sequences of t frames.
func (c Conv1D) window(t int) window {
	return window{in: c.In, kernel: c.Kernel, stride: c.Stride, dilation: c.Dilation, padLeft: c.PadLeft, t: t, to: c.OutLen(t)}
}

// Forward computes y = x * w + bias. bias may be nil.
//
//	x [B, T, In], w [Kernel*In, Out], bias [Out], y [B, To, Out] float32
func (c Conv1D) Forward(y, x, w, bias []float32, b, t int) {
	m, k := b*c.OutLen(t), c.Kernel*c.In
	checkLen("Conv1D y", len(y), m*c.Out)
	checkLen("Conv1D x", len(x), b*t*c.In)
	checkLen("Conv1D w", len(w), k*c.Out)
	if c.pointwise() {
		Gemm(false, false, m, c.Out, k, x, k, w, c.Out, y, c.Out, false)
	} else {
		gemmRun(&gemmCall{
			kern: gemmKernels[isaCurrent.Load()], m: m, n: c.Out, k: k,
			a: x, window: c.window(t), b: w, ldb: c.Out, c: y, ldc: c.Out,
		})
	}
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
	for phase := range c.Stride {
		c.backwardPhase(dx, dy, w, b, t, phase)
	}
}

// backwardPhase computes the gradients of the input frames phase, phase+Stride,
// …: a convolution of dy with those taps that reach them, in reverse order.
func (c Conv1D) backwardPhase(dx, dy, w []float32, b, t, phase int) {
	frames := (t - phase + c.Stride - 1) / c.Stride // of a sequence
	if frames <= 0 {
		return
	}
	common := gcd(c.Stride, c.Dilation)
	step := c.Stride / common // between two taps that reach the same frame
	first := 0
	for first < step && (phase+c.PadLeft-first*c.Dilation)%c.Stride != 0 {
		first++
	}
	taps := 0
	if first < step && first < c.Kernel {
		taps = (c.Kernel - first + step - 1) / step
	}
	dilation := c.Dilation / common
	lead := (phase + c.PadLeft - first*c.Dilation) / c.Stride // output frame that the first tap joins to frame phase
	g := gemmCall{
		kern: gemmKernels[isaCurrent.Load()], m: frames, n: c.In, k: taps * c.Out, transB: true,
		window: window{in: c.Out, kernel: taps, stride: 1, dilation: dilation, padLeft: (taps-1)*dilation - lead, t: c.OutLen(t), to: frames},
		b:      w, ldb: c.Out, taps: tapOrder{in: c.In, out: c.Out, first: first, step: step, count: taps},
		ldc: c.Stride * c.In,
	}
	if t%c.Stride == 0 { // the rows of all sequences are equally far apart
		g.m, g.a, g.c = b*frames, dy, dx[phase*c.In:]
		gemmRun(&g)
		return
	}
	to := c.OutLen(t)
	for i := range b {
		g.a, g.c = dy[i*to*c.Out:(i+1)*to*c.Out], dx[(i*t+phase)*c.In:(i+1)*t*c.In]
		gemmRun(&g)
	}
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// BackwardWeight computes dw from dy.
//
//	dw [Kernel*In, Out], x [B, T, In], dy [B, To, Out] float32
func (c Conv1D) BackwardWeight(dw, x, dy []float32, b, t int) {
	m, k := b*c.OutLen(t), c.Kernel*c.In
	checkLen("Conv1D dw", len(dw), k*c.Out)
	if c.pointwise() {
		Gemm(true, false, k, c.Out, m, x, k, dy, c.Out, dw, c.Out, false)
		return
	}
	gemmRun(&gemmCall{
		kern: gemmKernels[isaCurrent.Load()], transA: true, m: k, n: c.Out, k: m,
		a: x, window: c.window(t), b: dy, ldb: c.Out, c: dw, ldc: c.Out,
	})
}

func checkLen(what string, got, want int) {
	if got != want {
		panic(fmt.Sprintf("simd: %s has %d elements, want %d", what, got, want))
	}
}
