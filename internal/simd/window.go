package simd

// window is a matrix [B*toH*toW, taps*in] whose row (i*toH+y)*toW+x holds the
// values of image i that output (y, x) of a convolution sees, tap after tap.
// Values outside the image are zero. It is never built as a whole: a product
// gathers the part it is about to pack.
type window struct {
	in       int // channels
	y, x     Axis
	h, w     int // of an image
	toH, toW int // of the output
}

// gather copies columns c0 to c1-1 of rows r0 to r1-1 to dst, one row after the
// other.
//
//	img [B, h, w, in] float32
func (w *window) gather(dst, img []float32, r0, r1, c0, c1 int) {
	// Columns of span values are neighbours in img as well.
	span, spans := w.in, w.x.Kernel
	if w.x.Dilation == 1 {
		span, spans = span*spans, 1
	}
	line := w.w * w.in
	size := w.h * line
	i, y, x := r0/(w.toH*w.toW), r0/w.toW%w.toH, r0%w.toW
	for r := r0; r < r1; r++ {
		one := img[i*size:][:size]
		firstY, firstX := y*w.y.Stride-w.y.Before, (x*w.x.Stride-w.x.Before)*w.in
		part, skip := c0/span, c0%span
		tapY, tapX := part/spans, part%spans
		for left := c1 - c0; left > 0; {
			row := dst[:min(span-skip, left)]
			dst = dst[len(row):]
			left -= len(row)
			from := firstX + tapX*w.x.Dilation*w.in + skip // of the next column in its line
			at := firstY + tapY*w.y.Dilation
			skip = 0
			if tapX++; tapX == spans {
				tapX = 0
				tapY++
			}
			if at < 0 || at >= w.h {
				clear(row)
				continue
			}
			values := one[at*line:][:line]
			if from >= 0 && from+len(row) <= line {
				copy(row, values[from:])
				continue
			}
			lo := min(max(-from, 0), len(row))
			hi := max(min(line-from, len(row)), lo)
			clear(row[:lo])
			if lo < hi {
				copy(row[lo:hi], values[from+lo:])
			}
			clear(row[hi:])
		}
		if x++; x == w.toW {
			x = 0
			if y++; y == w.toH {
				y = 0
				i++
			}
		}
	}
}

// tapOrder reads convolution weights [taps*in, out] as the matrix
// [count*out, in] that multiplies gradients of the output: block i of out rows
// is the transpose of tap count-1-i of those that the phases y and x have.
type tapOrder struct {
	in, out, kernelX int
	y, x             axisPhase
}

// source returns where value p of column j lies in the weights, and how many
// values of the column follow each other from there, itself included.
func (o *tapOrder) source(p, j int) (at, n int) {
	block, wide := p/o.out, o.x.axis.Kernel
	y := o.y.first + o.y.step*(o.y.axis.Kernel-1-block/wide)
	x := o.x.first + o.x.step*(wide-1-block%wide)
	at = p % o.out
	return ((y*o.kernelX+x)*o.in+j)*o.out + at, o.out - at
}

// lattice places the rows of a product: row (i*h+y)*w+x goes to element
// i*image + y*line + x*ldc of C. Its zero value places them ldc apart.
type lattice struct{ h, w, image, line int }

// even says that all rows are ldc apart.
func (l lattice) even(ldc int) bool {
	return (l.h == 1 || l.line == l.w*ldc) && l.image == l.h*l.w*ldc
}

// row returns where row i of C begins.
func (g *gemmCall) row(i int) int {
	l := &g.places
	if l.w == 0 {
		return i * g.ldc
	}
	return i/(l.w*l.h)*l.image + i/l.w%l.h*l.line + i%l.w*g.ldc
}

// aligned says that the n rows of C from i on are ldc apart.
func (g *gemmCall) aligned(i, n int) bool { return g.places.w == 0 || i%g.places.w+n <= g.places.w }
