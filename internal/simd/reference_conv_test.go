package simd

import (
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// eachTap calls visit for every pair of an input and an output place that a
// convolution joins.
func (c Conv2D) eachTap(b, h, w int, visit func(in, out, tap int)) {
	toH, toW := c.OutSize(h, w)
	for out := range b * toH * toW {
		i, y, x := out/(toH*toW), out/toW%toH, out%toW
		for ky := range c.Y.Kernel {
			for kx := range c.X.Kernel {
				sy, sx := y*c.Y.Stride+ky*c.Y.Dilation-c.Y.Before, x*c.X.Stride+kx*c.X.Dilation-c.X.Before
				if sy >= 0 && sy < h && sx >= 0 && sx < w {
					visit((i*h+sy)*w+sx, out, ky*c.X.Kernel+kx)
				}
			}
		}
	}
}

// conv64 is the plain convolution of c and its gradients, in float64.
func (c Conv2D) conv64(x, w, bias, dy []float32, b, h, wide int) (y, dx, dw []float64) {
	y, dx, dw = make([]float64, len(dy)), make([]float64, len(x)), make([]float64, len(w))
	for i := range y {
		y[i] = float64(bias[i%c.Out])
	}
	c.eachTap(b, h, wide, func(in, out, tap int) {
		for i := range c.In {
			for o := range c.Out {
				xi, wi, yi := in*c.In+i, (tap*c.In+i)*c.Out+o, out*c.Out+o
				y[yi] += float64(x[xi]) * float64(w[wi])
				dx[xi] += float64(dy[yi]) * float64(w[wi])
				dw[wi] += float64(dy[yi]) * float64(x[xi])
			}
		}
	})
	return y, dx, dw
}

func TestConv2DReference(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) {
			draw := func(name string, lo, hi int) int { return rapid.IntRange(lo, hi).Draw(rt, name) }
			axis := func(name string) Axis {
				return Axis{
					Kernel: draw(name+" kernel", 1, 4), Stride: draw(name+" stride", 1, 3), Dilation: draw(name+" dilation", 1, 3),
					Before: draw(name+" before", 0, 4), After: draw(name+" after", 0, 4),
				}
			}
			c := Conv2D{In: draw("in", 1, 2*narrow+1), Out: draw("out", 1, 37), Y: axis("y"), X: axis("x")}
			b, h, wide := draw("batch", 1, 3), draw("height", 1, 9), draw("width", 1, 17)
			m, k := c.size(b, h, wide)
			if m == 0 {
				return
			}
			r := rand.New(rand.NewPCG(1, uint64(m)))
			x, w, bias, dy := randoms(r, b*h*wide*c.In), randoms(r, k*c.Out), randoms(r, c.Out), randoms(r, m*c.Out)
			y, dx, dw := c.conv64(x, w, bias, dy, b, h, wide)
			gotY, gotDX, gotDW := randoms(r, len(y)), randoms(r, len(x)), randoms(r, len(w)) // overwritten
			c.Forward(gotY, x, w, bias, b, h, wide)
			c.BackwardInput(gotDX, dy, w, b, h, wide)
			c.BackwardWeight(gotDW, x, dy, b, h, wide)
			// Terms are about 1 and may cancel: the error follows their number.
			withinScale(rt, "y", gotY, y, float64(1+k))
			withinScale(rt, "dx", gotDX, dx, float64(1+c.Taps()*c.Out))
			withinScale(rt, "dw", gotDW, dw, float64(1+m))
			packed := randoms(r, len(y))
			c.ForwardPacked(packed, x, PackB(false, k, c.Out, w, c.Out), bias, b, h, wide)
			if c.fast() {
				withinScale(rt, "packed", packed, y, float64(1+k))
			} else {
				mustEqual(rt, packed, gotY, "packed")
			}
		})
	})
}

func TestConv2DTransposedReference(t *testing.T) {
	for _, c := range []Conv2D{Square(1, 5, 4, 2, 1), Square(20, 33, 4, 2, 1), Square(33, 20, 3, 1, 1), Square(3, 1, 3, 1, 1), Square(20, 33, 2, 3, 0)} {
		const b, h, wide = 3, 5, 14
		toH, toW := c.TransposedSize(h, wide)
		if m, _ := c.size(b, toH, toW); m != b*h*wide {
			t.Fatalf("%v: %d×%d becomes %d×%d and that another size", c, h, wide, toH, toW)
		}
		r := rand.New(rand.NewPCG(1, uint64(toH)))
		x, w, dy := randoms(r, b*h*wide*c.Out), randoms(r, c.Taps()*c.In*c.Out), randoms(r, b*toH*toW*c.In)
		bias, none := randoms(r, c.In), make([]float32, c.Out)
		// The transposed convolution's input is what c makes.
		dx, y, dw := c.conv64(dy, w, none, x, b, toH, toW)
		for i := range y {
			y[i] += float64(bias[i%c.In])
		}
		eachISA(t, func(t *testing.T) {
			gotY, gotDX, gotDW := randoms(r, len(y)), randoms(r, len(x)), randoms(r, len(w))
			c.Transposed(gotY, x, w, bias, b, h, wide)
			c.TransposedBackwardInput(gotDX, dy, w, b, h, wide)
			c.TransposedBackwardWeight(gotDW, x, dy, b, h, wide)
			scale := float64(1 + c.Taps()*max(c.In, c.Out))
			withinScale(t, "y", gotY, y, scale)
			withinScale(t, "dx", gotDX, dx, scale)
			withinScale(t, "dw", gotDW, dw, float64(1+b*h*wide))
		})
	}
}

// TestConvLabels holds the sums of chosen rows against one-hot vectors.
func TestConvLabels(t *testing.T) {
	for _, c := range []Conv2D{Square(11, 13, 4, 2, 1), Square(3, 5, 3, 1, 1), Square(5, 8, 2, 3, 0), Square(2, 1, 5, 1, 4)} {
		checkConvLabels(t, c)
	}
}

func checkConvLabels(t *testing.T, c Conv2D) {
	const b, h, wide = 2, 9, 6
	r := rand.New(rand.NewPCG(1, 2))
	labels, x := make([]int32, b*h*wide), make([]float32, b*h*wide*c.In)
	for i := range labels {
		labels[i] = r.Int32N(int32(c.In))
		x[i*c.In+int(labels[i])] = 1
	}
	m, k := c.size(b, h, wide)
	w, bias, dy := randoms(r, k*c.Out), randoms(r, c.Out), randoms(r, m*c.Out)
	y, _, dw := c.conv64(x, w, bias, dy, b, h, wide)
	gotY, gotDW := randoms(r, len(y)), randoms(r, len(w))
	c.ForwardLabels(gotY, labels, w, bias, b, h, wide)
	c.BackwardWeightLabels(gotDW, labels, dy, b, h, wide)
	withinScale(t, "y", gotY, y, float64(1+c.Taps()))
	withinScale(t, "dw", gotDW, dw, float64(1+m))
}
