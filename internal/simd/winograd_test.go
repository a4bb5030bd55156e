package simd

import (
	"math/rand/v2"
	"runtime"
	"testing"

	"pgregory.net/rapid"
)

// TestWinogradReference holds the convolutions that run in tiles against the
// plain one.
func TestWinogradReference(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) {
			draw := func(name string, lo, hi int) int { return rapid.IntRange(lo, hi).Draw(rt, name) }
			axis := func(name string) Axis {
				return Axis{Kernel: 3, Stride: 1, Dilation: 1, Before: draw(name+" before", 0, 2), After: draw(name+" after", 0, 2)}
			}
			c := Conv2D{In: draw("in", winogradChannels, 21), Out: draw("out", winogradChannels, 37), Y: axis("y"), X: axis("x")}
			b, h, wide := draw("batch", 1, 9), draw("height", 1, 17), draw("width", 1, 17)
			m, k := c.size(b, h, wide)
			if m == 0 {
				return
			}
			if !c.fast() {
				rt.Fatalf("%v does not run in tiles", c)
			}
			r := rand.New(rand.NewPCG(1, uint64(m)))
			x, w, bias, dy := randoms(r, b*h*wide*c.In), randoms(r, k*c.Out), randoms(r, c.Out), randoms(r, m*c.Out)
			y, dx, dw := c.conv64(x, w, bias, dy, b, h, wide)
			gotY, gotDX, gotDW := randoms(r, len(y)), randoms(r, len(x)), randoms(r, len(w)) // overwritten
			c.Forward(gotY, x, w, bias, b, h, wide)
			c.BackwardInput(gotDX, dy, w, b, h, wide)
			c.BackwardWeight(gotDW, x, dy, b, h, wide)
			withinScale(rt, "y", gotY, y, float64(1+k))
			withinScale(rt, "dx", gotDX, dx, float64(1+c.Taps()*c.Out))
			withinScale(rt, "dw", gotDW, dw, float64(1+m))
		})
	})
}

func TestWinogradSameBitsForAnyThreads(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	c := Square(20, 33, 3, 1, 1)
	const b, h, wide = 11, 9, 14
	r := rand.New(rand.NewPCG(1, 2))
	x, w, dy := randoms(r, b*h*wide*c.In), randoms(r, 9*c.In*c.Out), randoms(r, b*h*wide*c.Out)
	var want []float32
	for _, threads := range []int{1, 2, 5} {
		runtime.GOMAXPROCS(threads)
		y, dx, dw := make([]float32, len(dy)), make([]float32, len(x)), make([]float32, len(w))
		c.Forward(y, x, w, nil, b, h, wide)
		c.BackwardInput(dx, dy, w, b, h, wide)
		c.BackwardWeight(dw, x, dy, b, h, wide)
		got := append(append(y, dx...), dw...)
		if want == nil {
			want = got
		}
		mustEqual(t, got, want, "convolution")
	}
}
