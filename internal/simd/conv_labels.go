package simd

// ForwardLabels is Forward on images of one-hot vectors of In classes, given as
// labels: the rows of w that they choose are added up.
//
//	labels [B, H, W] int32, each < In; w [Taps*In, Out], bias [Out], y [B, H', W', Out] float32
func (c Conv2D) ForwardLabels(y []float32, labels []int32, w, bias []float32, b, h, wide int) {
	m, k := c.size(b, h, wide)
	checkLen("convolution y", len(y), m*c.Out)
	checkLen("convolution labels", len(labels), b*h*wide)
	checkLen("convolution w", len(w), k*c.Out)
	checkLen("convolution bias", len(bias), c.Out)
	win := c.window(h, wide)
	lines := m / max(win.toW, 1)
	Parallel(lines, 1+8192/max(win.toW*c.Taps()*c.Out, 1), func(lo, hi int) {
		for line := lo; line < hi; line++ {
			rows := y[line*win.toW*c.Out:][:win.toW*c.Out]
			for x := 0; x < len(rows); x += c.Out {
				copy(rows[x:x+c.Out], bias)
			}
			for tap := range c.Taps() {
				x, at, n := win.seen(line, tap)
				for i := range n {
					add(rows[(x+i)*c.Out:(x+i+1)*c.Out], w[(tap*c.In+int(labels[at+i*win.x.Stride]))*c.Out:])
				}
			}
		}
	})
}

// BackwardWeightLabels computes dw of ForwardLabels from dy.
//
//	dw [Taps*In, Out], labels [B, H, W] int32, dy [B, H', W', Out] float32
func (c Conv2D) BackwardWeightLabels(dw []float32, labels []int32, dy []float32, b, h, wide int) {
	m, k := c.size(b, h, wide)
	checkLen("convolution dw", len(dw), k*c.Out)
	checkLen("convolution labels", len(labels), b*h*wide)
	checkLen("convolution dy", len(dy), m*c.Out)
	win := c.window(h, wide)
	Parallel(c.Taps(), 1, func(lo, hi int) {
		for tap := lo; tap < hi; tap++ {
			part := dw[tap*c.In*c.Out : (tap+1)*c.In*c.Out]
			clear(part)
			for line := range m / max(win.toW, 1) {
				x, at, n := win.seen(line, tap)
				for i := range n {
					label := int(labels[at+i*win.x.Stride])
					add(part[label*c.Out:(label+1)*c.Out], dy[(line*win.toW+x+i)*c.Out:])
				}
			}
		}
	})
}

// seen returns, for the outputs of one line of all images, the first that tap gives
// a pixel to, the place of that pixel [B, h, w], and how many outputs follow it, itself
// included, whose pixels are Stride apart.
func (w *window) seen(line, tap int) (x, at, n int) {
	y := line%w.toH*w.y.Stride - w.y.Before + tap/w.x.Kernel*w.y.Dilation
	left := tap%w.x.Kernel*w.x.Dilation - w.x.Before // pixel of output 0
	x = max((-left+w.x.Stride-1)/w.x.Stride, 0)
	first := left + x*w.x.Stride
	if y < 0 || y >= w.h || first >= w.w {
		return 0, 0, 0
	}
	n = min((w.w-1-first)/w.x.Stride+1, w.toW-x)
	return x, (line/w.toH*w.h+y)*w.w + first, max(n, 0)
}
