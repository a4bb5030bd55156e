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
	Parallel(m, 1+8192/(c.Taps()*c.Out), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			row := y[r*c.Out : (r+1)*c.Out]
			copy(row, bias)
			for tap := range c.Taps() {
				if at := win.place(r, tap); at >= 0 {
					add(row, w[(tap*c.In+int(labels[at]))*c.Out:])
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
			for r := range m {
				if at := win.place(r, tap); at >= 0 {
					label := int(labels[at])
					add(part[label*c.Out:(label+1)*c.Out], dy[r*c.Out:])
				}
			}
		}
	})
}

// place returns which pixel [B, h, w] tap sees in row r, -1 if none.
func (w *window) place(r, tap int) int {
	y := r/w.toW%w.toH*w.y.Stride - w.y.Before + tap/w.x.Kernel*w.y.Dilation
	x := r%w.toW*w.x.Stride - w.x.Before + tap%w.x.Kernel*w.x.Dilation
	if y < 0 || y >= w.h || x < 0 || x >= w.w {
		return -1
	}
	return (r/(w.toW*w.toH)*w.h+y)*w.w + x
}
