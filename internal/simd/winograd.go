package simd

const (
	winogradOut = 4                       // outputs of a tile along an axis
	winogradIn  = winogradOut + 2         // inputs, and products
	winogradAll = winogradIn * winogradIn // products of a tile
	winogradMix = winogradIn * 3          // of them with one axis transformed
)

// winograd is the geometry of a 3×3 convolution computed four by four outputs at a
// time from six by six inputs, with 36 multiplications instead of 144: F(4×4,
// 3×3) of Lavin and Gray 2016. The 36 transformed values of all tiles are 36
// products of matrices.
type winograd struct {
	from, to         int // channels of the images read and of those written
	h, w             int // of the images read
	toH, toW         int // of those written
	before, left     int // zeros above and beside the images read
	tall, wide       int // tiles of an image
	lineIn, lineTile int // values of a line read, of a line of tiles written
}

// winogradChannels is the least number of channels, on both sides, that pays for
// the transforms.
const winogradChannels = 16

// winograd says that tiles suit the axis.
func (a Axis) winograd() bool {
	return a.Kernel == 3 && a.Stride == 1 && a.Dilation == 1 && a.Before <= 2 && a.After <= 2
}

// fast says that the convolution and its gradients run in tiles.
func (c Conv2D) fast() bool {
	return c.In >= winogradChannels && c.Out >= winogradChannels && c.Y.winograd() && c.X.winograd()
}

func newWinograd(from, to, h, w, toH, toW, before, left int) winograd {
	g := winograd{from: from, to: to, h: h, w: w, toH: toH, toW: toW, before: before, left: left, tall: (toH + winogradOut - 1) / winogradOut, wide: (toW + winogradOut - 1) / winogradOut}
	g.lineIn, g.lineTile = (winogradOut*g.wide+2)*from, winogradOut*g.wide*to
	return g
}

// winograd is the geometry for images of h×w.
func (c Conv2D) winograd(h, w int) winograd {
	toH, toW := c.OutSize(h, w)
	return newWinograd(c.In, c.Out, h, w, toH, toW, c.Y.Before, c.X.Before)
}

// winogradWeights is transformed weights, packed.
type winogradWeights struct{ u [winogradAll]Packed }

var winogradWeightsList = freeList[winogradWeights]{}

// fill transforms weights [9, in, out]. With transposed they are those of the
// input's gradient: taps in reverse order, outputs to inputs.
func (p *winogradWeights) fill(w []float32, in, out int, transposed bool) {
	n := in * out
	u, t, reversed := Borrow(winogradAll*n), Borrow(winogradMix*n), Borrow(9*n)
	defer Return(u)
	defer Return(t)
	defer Return(reversed)
	if transposed {
		copyReversed(reversed, w, n)
		w = reversed
	}
	winogradWeight(t, 3*n, w, 3*n, 3*n)
	for i := range winogradIn {
		winogradWeight(u[winogradIn*i*n:], n, t[3*i*n:], n, n)
	}
	for i := range p.u {
		if transposed {
			p.u[i].Repack(true, out, in, u[i*n:][:n], out)
		} else {
			p.u[i].Repack(false, in, out, u[i*n:][:n], out)
		}
	}
}

// copyReversed copies 9 taps of n values in reverse order.
func copyReversed(dst, w []float32, n int) {
	for i := range 9 {
		copy(dst[i*n:(i+1)*n], w[(8-i)*n:])
	}
}

// convolve transforms the weights w of c and convolves b images. bias [to]
// may be nil.
func (g *winograd) convolve(dst, src, w, bias []float32, c Conv2D, b int, transposed bool) {
	weights := winogradWeightsList.get()
	defer winogradWeightsList.put(weights)
	weights.fill(w, c.In, c.Out, transposed)
	g.apply(dst, src, weights, bias, b)
}

// winogradTiles is about how many tiles run at a time, so that they stay in L2.
const winogradTiles = 64

// apply convolves b images.
func (g *winograd) apply(dst, src []float32, weights *winogradWeights, bias []float32, b int) {
	tiles := g.tall * g.wide
	images := max(1, winogradTiles/tiles)
	Parallel(b, images, func(lo, hi int) {
		v, m := Borrow(winogradAll*images*tiles*g.from), Borrow(winogradAll*images*tiles*g.to)
		defer Return(v)
		defer Return(m)
		for ; lo < hi; lo += images {
			n := min(images, hi-lo)
			all := n * tiles
			for i := range n {
				g.inputs(v, src[(lo+i)*g.h*g.w*g.from:], i*tiles, all)
			}
			for i := range winogradAll {
				GemmPacked(all, v[i*all*g.from:], g.from, &weights.u[i], m[i*all*g.to:], g.to, false)
			}
			for i := range n {
				g.outputs(dst[(lo+i)*g.toH*g.toW*g.to:], m, bias, i*tiles, all)
			}
		}
	})
}

// inputs transforms the tiles of one image, which are the tiles first to
// first+tall*wide-1 of all.
//
//	v [36, all, from], img [h, w, from] float32
func (g *winograd) inputs(v, img []float32, first, all int) {
	c, line := g.from, g.w*g.from
	t, edge := Borrow(winogradIn*g.lineIn), Borrow(winogradIn*line)
	defer Return(t)
	defer Return(edge)
	clear(t) // the zeros beside the image stay
	for y := range g.tall {
		top := winogradOut*y - g.before
		if top >= 0 && top+winogradIn <= g.h {
			winogradInput(t[g.left*c:], g.lineIn, img[top*line:], line, line)
		} else {
			copyLines(edge, img, line, top, g.h, winogradIn)
			winogradInput(t[g.left*c:], g.lineIn, edge, line, line)
		}
		for i := range winogradIn {
			for x := range g.wide {
				winogradInput(v[(winogradIn*i*all+first+y*g.wide+x)*c:], all*c, t[i*g.lineIn+winogradOut*x*c:], c, c)
			}
		}
	}
}

// outputs is the transform of one image's products.
//
//	img [toH, toW, to], m [36, all, to] float32
func (g *winograd) outputs(img, m, bias []float32, first, all int) {
	c, line := g.to, g.toW*g.to
	t, edge := Borrow(winogradIn*g.lineTile), Borrow(winogradOut*line)
	defer Return(t)
	defer Return(edge)
	for y := range g.tall {
		for i := range winogradIn {
			for x := range g.wide {
				winogradOutput(t[i*g.lineTile+winogradOut*x*c:], c, m[(winogradIn*i*all+first+y*g.wide+x)*c:], all*c, c)
			}
		}
		top := winogradOut * y
		end := min(top+winogradOut, g.toH)
		if end-top == winogradOut {
			winogradOutput(img[top*line:], line, t, g.lineTile, line)
		} else {
			winogradOutput(edge, line, t, g.lineTile, line)
			copy(img[top*line:end*line], edge)
		}
		for at := top * line; bias != nil && at < end*line; at += c {
			add(img[at:at+c], bias)
		}
	}
}

// gradients transforms the gradient of one image written.
//
//	v [36, all, to], img [toH, toW, to] float32
func (g *winograd) gradients(v, img []float32, first, all int) {
	c, line := g.to, g.toW*g.to
	t, edge := Borrow(winogradIn*g.lineTile), Borrow(winogradOut*line)
	defer Return(t)
	defer Return(edge)
	clear(t)
	for y := range g.tall {
		top := winogradOut * y
		if top+winogradOut <= g.toH {
			winogradGradient(t, g.lineTile, img[top*line:], line, line)
		} else {
			copyLines(edge, img, line, top, g.toH, winogradOut)
			winogradGradient(t, g.lineTile, edge, line, line)
		}
		for i := range winogradIn {
			for x := range g.wide {
				winogradGradient(v[(winogradIn*i*all+first+y*g.wide+x)*c:], all*c, t[i*g.lineTile+winogradOut*x*c:], c, c)
			}
		}
	}
}

// copyLines copies the n lines of an image from line top on; those outside are zero.
func copyLines(dst, img []float32, line, top, h, n int) {
	for i := range n {
		if y := top + i; y >= 0 && y < h {
			copy(dst[i*line:(i+1)*line], img[y*line:])
		} else {
			clear(dst[i*line : (i+1)*line])
		}
	}
}

// weightGradient computes dw [9, from, to]. Its sums run over the tiles in
// blocks, like those of any product.
func (g *winograd) weightGradient(dw, x, dy []float32, b int) {
	tiles, n := g.tall*g.wide, g.from*g.to
	images := max(1, gemmKC/tiles)
	s, t := Borrow(winogradAll*n), Borrow(winogradMix*n)
	v, d := Borrow(winogradAll*images*tiles*g.from), Borrow(winogradAll*images*tiles*g.to)
	defer Return(s)
	defer Return(t)
	defer Return(v)
	defer Return(d)
	for lo := 0; lo < b; lo += images {
		count := min(images, b-lo)
		all := count * tiles
		Parallel(count, 1+winogradTiles/tiles, func(from, to int) {
			for i := from; i < to; i++ {
				g.inputs(v, x[(lo+i)*g.h*g.w*g.from:], i*tiles, all)
				g.gradients(d, dy[(lo+i)*g.toH*g.toW*g.to:], i*tiles, all)
			}
		})
		Parallel(winogradAll, 1, func(from, to int) {
			for i := from; i < to; i++ {
				Gemm(true, false, g.from, g.to, all, v[i*all*g.from:], g.from, d[i*all*g.to:], g.to, s[i*n:], g.to, lo > 0)
			}
		})
	}
	for i := range winogradIn {
		winogradWeightGradient(t[3*i*n:], n, s[winogradIn*i*n:], n, n)
	}
	winogradWeightGradient(dw, 3*n, t, 3*n, 3*n)
}
