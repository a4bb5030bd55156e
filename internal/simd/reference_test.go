package simd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// The tests of this file and of reference_quantizer_test.go compare every layer
// kernel with a plain float64 version of its definition, on every instruction
// set. Gradients are compared with numeric derivatives of the float64 version,
// so that no formula is written twice. referenceTolerance is the largest
// deviation allowed, relative to the largest element of the result.
const referenceTolerance = 5e-6

func within(t rapid.TB, what string, got []float32, want []float64) {
	t.Helper()
	largest := 0.0
	for _, w := range want {
		largest = max(largest, math.Abs(w))
	}
	withinScale(t, what, got, want, largest)
}

// withinScale is within for results whose rounding does not follow their own
// size, such as sums that cancel.
func withinScale(t rapid.TB, what string, got []float32, want []float64, scale float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d elements, want %d", what, len(got), len(want))
	}
	for i, w := range want {
		if diff := math.Abs(float64(got[i]) - w); !(diff <= referenceTolerance*scale) {
			t.Fatalf("%s: element %d is %g, want %g within %g", what, i, got[i], w, referenceTolerance*scale)
		}
	}
}

func float64s(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// derivative differentiates <dy, f()> with respect to x.
func derivative(x []float64, dy []float32, f func() []float64) []float64 {
	const step = 1e-5
	dx := make([]float64, len(x))
	at := func(i int, v float64) (s float64) {
		x[i] = v
		for j, y := range f() {
			s += y * float64(dy[j])
		}
		return s
	}
	for i, v := range x {
		dx[i] = (at(i, v+step) - at(i, v-step)) / (2 * step)
		x[i] = v
	}
	return dx
}

func TestConv1DReference(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) {
			draw := func(name string, lo, hi int) int { return rapid.IntRange(lo, hi).Draw(rt, name) }
			c := Conv1D{
				In: draw("in", 1, 9), Out: draw("out", 1, 37), Kernel: draw("kernel", 1, 5), Stride: draw("stride", 1, 3),
				Dilation: draw("dilation", 1, 4), PadLeft: draw("left", 0, 9), PadRight: draw("right", 0, 9),
			}
			b, frames := draw("batch", 1, 3), draw("frames", 1, 19)
			n := b * c.OutLen(frames) * c.Out
			if n == 0 {
				return
			}
			r := rand.New(rand.NewPCG(1, uint64(n)))
			x, w, bias, dy := randoms(r, b*frames*c.In), randoms(r, c.Kernel*c.In*c.Out), randoms(r, c.Out), randoms(r, n)
			y, dx, dw := c.Grid().conv64(x, w, bias, dy, b, 1, frames)
			gotY, gotDX, gotDW := randoms(r, n), randoms(r, len(x)), randoms(r, len(w)) // overwritten
			c.Forward(gotY, x, w, bias, b, frames)
			c.BackwardInput(gotDX, dy, w, b, frames)
			c.BackwardWeight(gotDW, x, dy, b, frames)
			// Terms are about 1 and may cancel: the error follows their number.
			withinScale(rt, "y", gotY, y, float64(1+c.Kernel*c.In))
			withinScale(rt, "dx", gotDX, dx, float64(1+c.Kernel*c.Out))
			withinScale(rt, "dw", gotDW, dw, float64(1+b*c.OutLen(frames)))
		})
	})
}

// batchNorm64 normalises with the given statistics, or the batch's own if mean
// is nil, which it returns.
func batchNorm64(x, gamma, beta, mean, variance []float64, eps float64) (y, m, v []float64) {
	c := len(gamma)
	n := len(x) / c
	if m, v = mean, variance; mean == nil {
		m, v = make([]float64, c), make([]float64, c)
		for i, u := range x {
			m[i%c] += u / float64(n)
		}
		for i, u := range x {
			v[i%c] += (u - m[i%c]) * (u - m[i%c]) / float64(n)
		}
	}
	y = make([]float64, len(x))
	for i, u := range x {
		j := i % c
		y[i] = gamma[j]*(u-m[j])/math.Sqrt(v[j]+eps) + beta[j]
	}
	return y, m, v
}

func TestBatchNormReference(t *testing.T) {
	const eps = 1e-5
	for _, s := range [][2]int{{3, 1}, {7, 3}, {13, 35}, {5, 67}} {
		n, c := s[0], s[1]
		r := rand.New(rand.NewPCG(2, uint64(n*c)))
		x, gamma, beta, dy := randoms(r, n*c), randoms(r, c), randoms(r, c), randoms(r, n*c)
		for i := range x {
			x[i] += 3 // a mean that must cancel
		}
		mean, variance := randoms(r, c), randoms(r, c)
		for i := range variance {
			variance[i] = 0.1 + variance[i]*variance[i]
		}
		x64, gamma64, beta64 := float64s(x), float64s(gamma), float64s(beta)
		mean64, variance64 := float64s(mean), float64s(variance)
		train := func() []float64 { y, _, _ := batchNorm64(x64, gamma64, beta64, nil, nil, eps); return y }
		eval := func() []float64 {
			y, _, _ := batchNorm64(x64, gamma64, beta64, mean64, variance64, eps)
			return y
		}
		t.Run(fmt.Sprint(n, "x", c), func(t *testing.T) {
			eachISA(t, func(t *testing.T) {
				y, m, v, inv := randoms(r, n*c), randoms(r, c), randoms(r, c), randoms(r, c)
				dx, dgamma, dbeta := randoms(r, n*c), randoms(r, c), randoms(r, c)
				BatchNormTrain(y, x, nil, gamma, beta, m, v, inv, n, c, eps, false)
				BatchNormBackward(dx, dgamma, dbeta, dy, x, nil, gamma, m, inv, n, c)
				wantY, wantM, wantV := batchNorm64(x64, gamma64, beta64, nil, nil, eps)
				within(t, "y", y, wantY)
				within(t, "mean", m, wantM)
				within(t, "variance", v, wantV)
				within(t, "dx", dx, derivative(x64, dy, train))
				within(t, "dgamma", dgamma, derivative(gamma64, dy, train))
				within(t, "dbeta", dbeta, derivative(beta64, dy, train))

				scale, shift := randoms(r, c), randoms(r, c)
				BatchNormEval(scale, shift, gamma, beta, mean, variance, eps)
				ScaleShift(y, x, scale, shift, n, c)
				BatchNormEvalBackward(dx, dgamma, dbeta, dy, x, gamma, mean, variance, n, c, eps)
				within(t, "eval y", y, eval())
				within(t, "eval dx", dx, derivative(x64, dy, eval))
				within(t, "eval dgamma", dgamma, derivative(gamma64, dy, eval))
				within(t, "eval dbeta", dbeta, derivative(beta64, dy, eval))
			})
		})
	}
}

// weights64 are GRUWeights in float64.
type weights64 struct{ wih, whh, bih, bhh []float64 }

// forward64 runs the recurrence of GRU frame by frame.
func (g GRU) forward64(x, h0 []float64, w weights64, b, t int) []float64 {
	h := g.Hidden
	y := make([]float64, b*t*h)
	sigmoid := func(v float64) float64 { return 1 / (1 + math.Exp(-v)) }
	for i := range b {
		state := append([]float64{}, h0[i*h:(i+1)*h]...)
		for step := range t {
			at := step
			if g.Reverse {
				at = t - 1 - step
			}
			row := x[(i*t+at)*g.In : (i*t+at+1)*g.In]
			gate := func(k int) (fromX, fromH float64) { // column k of both products
				fromX, fromH = w.bih[k], w.bhh[k]
				for j, v := range row {
					fromX += v * w.wih[j*3*h+k]
				}
				for j, v := range state {
					fromH += v * w.whh[j*3*h+k]
				}
				return fromX, fromH
			}
			next := y[(i*t+at)*h : (i*t+at+1)*h]
			for j := range next {
				rx, rh := gate(j)
				zx, zh := gate(h + j)
				nx, nh := gate(2*h + j)
				z := sigmoid(zx + zh)
				next[j] = (1-z)*math.Tanh(nx+sigmoid(rx+rh)*nh) + z*state[j]
			}
			copy(state, next)
		}
	}
	return y
}

func TestGRUReference(t *testing.T) {
	for _, s := range []struct{ b, t, in, h int }{{1, 1, 1, 1}, {2, 5, 3, 7}, {3, 4, 9, 11}, {18, 2, 2, 5}} {
		for _, reverse := range []bool{false, true} {
			g := GRU{In: s.in, Hidden: s.h, Reverse: reverse}
			r := rand.New(rand.NewPCG(3, uint64(s.h)))
			half := func(n int) []float32 {
				x := randoms(r, n)
				for i := range x {
					x[i] /= 2
				}
				return x
			}
			x, h0, dy := randoms(r, s.b*s.t*s.in), randoms(r, s.b*s.h), randoms(r, s.b*s.t*s.h)
			w := GRUWeights{WIH: half(s.in * 3 * s.h), WHH: half(s.h * 3 * s.h), BIH: half(3 * s.h), BHH: half(3 * s.h)}
			x64, h64 := float64s(x), float64s(h0)
			w64 := weights64{float64s(w.WIH), float64s(w.WHH), float64s(w.BIH), float64s(w.BHH)}
			run := func() []float64 { return g.forward64(x64, h64, w64, s.b, s.t) }
			want := run()
			t.Run(fmt.Sprint(s, reverse), func(t *testing.T) {
				eachISA(t, func(t *testing.T) {
					y := randoms(r, s.b*s.t*s.h)
					var tape GRUTape
					g.Forward(y, x, h0, w, s.b, s.t, &tape)
					within(t, "y", y, want)
					noTape := randoms(r, len(y))
					g.Forward(noTape, x, h0, w, s.b, s.t, nil)
					mustEqual(t, noTape, y, "y without a tape")
					dx, dh0 := randoms(r, len(x)), randoms(r, len(h0))
					dw := GRUWeights{WIH: randoms(r, len(w.WIH)), WHH: randoms(r, len(w.WHH)), BIH: randoms(r, 3*s.h), BHH: randoms(r, 3*s.h)}
					g.Backward(dx, dh0, dw, dy, x, w, s.b, s.t, &tape)
					within(t, "dx", dx, derivative(x64, dy, run))
					within(t, "dh0", dh0, derivative(h64, dy, run))
					within(t, "dWIH", dw.WIH, derivative(w64.wih, dy, run))
					within(t, "dWHH", dw.WHH, derivative(w64.whh, dy, run))
					within(t, "dBIH", dw.BIH, derivative(w64.bih, dy, run))
					within(t, "dBHH", dw.BHH, derivative(w64.bhh, dy, run))
				})
			})
		}
	}
}
