package simd

import "fmt"

// Conv2D is the geometry of a convolution over images, channels last. Weights
// are [Y.Kernel*X.Kernel*In, Out], tap major: row (ky*X.Kernel+kx)*In+c holds
// tap (ky, kx) of input channel c (PyTorch's weight[o][c][ky][kx]).
type Conv2D struct {
	In, Out int // channels
	Y, X    Axis
}

// Square returns the geometry with the same kernel, stride and padding along
// both axes.
func Square(in, out, kernel, stride, pad int) Conv2D {
	a := Axis{Kernel: kernel, Stride: stride, Dilation: 1, Before: pad, After: pad}
	return Conv2D{In: in, Out: out, Y: a, X: a}
}

// Taps returns the number of taps.
func (c Conv2D) Taps() int { return c.Y.Kernel * c.X.Kernel }

// OutSize returns the size of the output for h×w images.
func (c Conv2D) OutSize(h, w int) (toH, toW int) { return c.Y.OutLen(h), c.X.OutLen(w) }

// TransposedSize returns the size of the output of Transposed.
func (c Conv2D) TransposedSize(h, w int) (toH, toW int) {
	return c.Y.TransposedLen(h), c.X.TransposedLen(w)
}

// pointwise says that the columns are the input itself.
func (c Conv2D) pointwise() bool { return c.Y.pointwise() && c.X.pointwise() }

// size returns the rows m and the depth k of the product for b images of h×w.
func (c Conv2D) size(b, h, w int) (m, k int) {
	toH, toW := c.OutSize(h, w)
	return b * toH * toW, c.Taps() * c.In
}

// window is the matrix that the weights multiply, for images of h×w.
func (c Conv2D) window(h, w int) window {
	toH, toW := c.OutSize(h, w)
	return window{in: c.In, y: c.Y, x: c.X, h: h, w: w, toH: toH, toW: toW}
}

// Forward computes y = x * w + bias. bias may be nil.
//
//	x [B, H, W, In], w [Taps*In, Out], bias [Out], y [B, H', W', Out] float32
func (c Conv2D) Forward(y, x, w, bias []float32, b, h, wide int) {
	m, k := c.size(b, h, wide)
	checkLen("convolution y", len(y), m*c.Out)
	checkLen("convolution x", len(x), b*h*wide*c.In)
	checkLen("convolution w", len(w), k*c.Out)
	checkBias(bias, c.Out)
	if c.fast() {
		g := c.winograd(h, wide)
		g.convolve(y, x, w, bias, c, b, false)
		return
	}
	g := gemmCall{kern: gemmKernels[isaCurrent.Load()], m: m, n: c.Out, k: k, a: x, b: w, ldb: c.Out, c: y, ldc: c.Out, bias: bias}
	if c.pointwise() {
		g.lda = k
	} else {
		g.window = c.window(h, wide)
	}
	gemmRun(&g)
}

// ForwardPacked is Forward with weights w [Taps*In, Out] that [PackB] has
// prepared, bit for bit what Forward gives, or to rounding where that runs in
// tiles.
func (c Conv2D) ForwardPacked(y, x []float32, w *Packed, bias []float32, b, h, wide int) {
	m, k := c.size(b, h, wide)
	checkLen("convolution y", len(y), m*c.Out)
	checkLen("convolution x", len(x), b*h*wide*c.In)
	checkLen("convolution w", w.k*w.n, k*c.Out)
	checkBias(bias, c.Out)
	g := gemmCall{kern: w.kern, packed: w.data, m: m, n: c.Out, k: k, a: x, c: y, ldc: c.Out, bias: bias}
	if c.pointwise() {
		g.lda = k
	} else {
		g.window = c.window(h, wide)
	}
	gemmRun(&g)
}

// narrow is the number of input channels up to which BackwardInput adds up
// products per output instead of leaving most of a tile's columns empty.
const narrow = 8

// BackwardInput computes dx from dy.
//
//	dx [B, H, W, In], dy [B, H', W', Out], w [Taps*In, Out] float32
func (c Conv2D) BackwardInput(dx, dy, w []float32, b, h, wide int) {
	c.backwardInput(dx, dy, w, nil, b, h, wide)
}

// backwardInput is BackwardInput, and a bias [In] if there is one.
func (c Conv2D) backwardInput(dx, dy, w, bias []float32, b, h, wide int) {
	checkBias(bias, c.In)
	m, k := c.size(b, h, wide)
	checkLen("convolution dx", len(dx), b*h*wide*c.In)
	checkLen("convolution dy", len(dy), m*c.Out)
	checkLen("convolution w", len(w), k*c.Out)
	if c.pointwise() {
		gemmRun(&gemmCall{
			kern: gemmKernels[isaCurrent.Load()], transB: true, m: m, n: k, k: c.Out,
			a: dy, lda: c.Out, b: w, ldb: c.Out, c: dx, ldc: k, bias: bias,
		})
		return
	}
	if c.fast() {
		toH, toW := c.OutSize(h, wide)
		g := newWinograd(c.Out, c.In, toH, toW, h, wide, 2-c.Y.Before, 2-c.X.Before)
		g.convolve(dx, dy, w, bias, c, b, true)
		return
	}
	if c.In <= narrow {
		c.backwardNarrow(dx, dy, w, b, h, wide)
		if bias != nil {
			AddRows(dx, bias, b*h*wide, c.In)
		}
		return
	}
	toH, toW := c.OutSize(h, wide)
	for phase := range c.Y.Stride * c.X.Stride {
		phaseY, phaseX := phase/c.X.Stride, phase%c.X.Stride
		y, x := c.Y.phase(h, phaseY), c.X.phase(wide, phaseX)
		rows := b * y.n * x.n
		if rows == 0 {
			continue
		}
		g := gemmCall{
			kern: gemmKernels[isaCurrent.Load()], m: rows, n: c.In, k: y.axis.Kernel * x.axis.Kernel * c.Out, transB: true,
			a: dy, window: window{in: c.Out, y: y.axis, x: x.axis, h: toH, w: toW, toH: y.n, toW: x.n},
			b: w, ldb: c.Out, taps: tapOrder{in: c.In, out: c.Out, kernelX: c.X.Kernel, y: y, x: x},
			c: dx[(phaseY*wide+phaseX)*c.In:], ldc: c.X.Stride * c.In, bias: bias,
		}
		places := lattice{h: y.n, w: x.n, image: h * wide * c.In, line: c.Y.Stride * wide * c.In}
		if !places.even(g.ldc) {
			g.places = places
		}
		gemmRun(&g)
	}
}

// backwardNarrow computes what each output gives to the inputs it sees and adds
// that up, output after output.
func (c Conv2D) backwardNarrow(dx, dy, w []float32, b, h, wide int) {
	m, k := c.size(b, h, wide)
	toH, toW := c.OutSize(h, wide)
	columns := Borrow(m * k)
	defer Return(columns)
	Gemm(false, true, m, k, c.Out, dy, c.Out, w, c.Out, columns, k, false)
	win := c.window(h, wide)
	Parallel(b, 1+(1<<14)/max(toH*toW*k, 1), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			one := dx[i*h*wide*c.In : (i+1)*h*wide*c.In]
			clear(one)
			win.scatter(one, columns[i*toH*toW*k:])
		}
	})
}

// scatter is the transpose of gather for one image: it adds the rows' values to
// those of img that gather would read them from.
//
//	img [h, w, in], rows [toH*toW, taps*in] float32
func (w *window) scatter(img, rows []float32) {
	span, spans := w.in, w.x.Kernel
	if w.x.Dilation == 1 {
		span, spans = span*spans, 1
	}
	line := w.w * w.in
	for r := range w.toH * w.toW {
		firstY, firstX := r/w.toW*w.y.Stride-w.y.Before, (r%w.toW*w.x.Stride-w.x.Before)*w.in
		for part := range w.y.Kernel * spans {
			row := rows[:span]
			rows = rows[span:]
			at, from := firstY+part/spans*w.y.Dilation, firstX+part%spans*w.x.Dilation*w.in
			if at < 0 || at >= w.h {
				continue
			}
			lo := min(max(-from, 0), span)
			if hi := min(line-from, span); lo < hi {
				add(img[at*line+from+lo:][:hi-lo], row[lo:hi])
			}
		}
	}
}

// BackwardWeight computes dw from dy.
//
//	dw [Taps*In, Out], x [B, H, W, In], dy [B, H', W', Out] float32
func (c Conv2D) BackwardWeight(dw, x, dy []float32, b, h, wide int) {
	m, k := c.size(b, h, wide)
	checkLen("convolution dw", len(dw), k*c.Out)
	checkLen("convolution x", len(x), b*h*wide*c.In)
	checkLen("convolution dy", len(dy), m*c.Out)
	if c.pointwise() {
		Gemm(true, false, k, c.Out, m, x, k, dy, c.Out, dw, c.Out, false)
		return
	}
	if c.fast() {
		g := c.winograd(h, wide)
		g.weightGradient(dw, x, dy, b)
		return
	}
	gemmRun(&gemmCall{
		kern: gemmKernels[isaCurrent.Load()], transA: true, m: k, n: c.Out, k: m,
		a: x, window: c.window(h, wide), b: dy, ldb: c.Out, c: dw, ldc: c.Out,
	})
}

// Transposed computes the transposed convolution, which is the input gradient of
// c: from images of Out channels to images of In channels and TransposedSize.
// PyTorch's ConvTranspose2d weight[i][o][ky][kx] is w[((ky*X.Kernel+kx)*In+o)*Out+i].
//
//	x [B, H, W, Out], w [Taps*In, Out], bias [In], y [B, H', W', In] float32
func (c Conv2D) Transposed(y, x, w, bias []float32, b, h, wide int) {
	toH, toW := c.TransposedSize(h, wide)
	c.backwardInput(y, x, w, bias, b, toH, toW)
}

// TransposedBackwardInput computes dx of Transposed from dy.
//
//	dx [B, H, W, Out], dy [B, H', W', In], w [Taps*In, Out] float32
func (c Conv2D) TransposedBackwardInput(dx, dy, w []float32, b, h, wide int) {
	toH, toW := c.TransposedSize(h, wide)
	c.Forward(dx, dy, w, nil, b, toH, toW)
}

// TransposedBackwardWeight computes dw of Transposed from dy.
//
//	dw [Taps*In, Out], x [B, H, W, Out], dy [B, H', W', In] float32
func (c Conv2D) TransposedBackwardWeight(dw, x, dy []float32, b, h, wide int) {
	toH, toW := c.TransposedSize(h, wide)
	c.BackwardWeight(dw, dy, x, b, toH, toW)
}

func checkBias(bias []float32, n int) {
	if bias != nil {
		checkLen("convolution bias", len(bias), n)
	}
}

func checkLen(what string, got, want int) {
	if got != want {
		panic(fmt.Sprintf("simd: %s has %d elements, want %d", what, got, want))
	}
}
