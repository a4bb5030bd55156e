package simd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

func TestGateReference(t *testing.T) {
	for _, s := range [][3]int{{1, 1, 1}, {6, 3, 2}, {5, 8, 5}, {35, 13, 7}, {700, 33, 35}} {
		n, d, repeat := s[0], s[1], s[2]
		r := rand.New(rand.NewPCG(1, uint64(n*d)))
		h, context, dz := randoms(r, n*2*d), randoms(r, n/repeat*2*d), randoms(r, n*d)
		h64, context64 := float64s(h), float64s(context)
		forward := func() []float64 {
			z := make([]float64, n*d)
			for i := range z {
				row, j := i/d, i%d
				at := func(j int) float64 { return h64[row*2*d+j] + context64[row/repeat*2*d+j] }
				z[i] = math.Tanh(at(j)) / (1 + math.Exp(-at(d+j)))
			}
			return z
		}
		// The derivative of a row depends on that row only, so it is taken
		// for the first rows.
		some := min(n, 2*repeat)
		var bits []float32
		t.Run(fmt.Sprint(s), func(t *testing.T) {
			eachISA(t, func(t *testing.T) {
				z, tape := randoms(r, n*d), append([]float32(nil), h...)
				Gate(z, tape, context, n, d, repeat)
				within(t, "z", z, forward())
				GateBackward(tape, dz, n, d)
				if some <= 12 {
					within(t, "dh", tape[:some*2*d], derivative(h64, dz, forward)[:some*2*d])
					dc := randoms(r, len(context))
					SumGroups(dc, tape, n/repeat, 2*d, repeat)
					within(t, "dcontext", dc, derivative(context64, dz, forward))
				}
				got := append(append([]float32(nil), z...), tape...)
				if bits == nil {
					bits = got
				}
				mustEqual(t, got, bits, "Gate")
				row, one := append([]float32(nil), h[:2*d]...), randoms(r, d)
				AddRow(row, context[:2*d])
				GateRow(one, row)
				mustEqual(t, one, z[:d], "GateRow")
			})
		})
	}
}

// The fused assembly is Tanh and Sigmoid, bit for bit, at every argument.
func TestGateRowIsTanhTimesSigmoid(t *testing.T) {
	xs := vecSweep()
	n := len(xs) / 2
	a, b := append([]float32(nil), xs[:n]...), append([]float32(nil), xs[len(xs)-n:]...)
	h := append(append([]float32(nil), a...), b...)
	for i := range a {
		a[i], b[i] = vecTanh(a[i]), vecSigmoid(b[i])
	}
	want := make([]float32, n)
	for i := range want {
		want[i] = a[i] * b[i]
	}
	eachISA(t, func(t *testing.T) {
		for _, swap := range []bool{false, true} {
			tape, z := append([]float32(nil), h...), make([]float32, n)
			if swap { // so that both functions see all arguments
				copy(tape, h[n:])
				copy(tape[n:], h[:n])
			}
			GateRow(z, tape)
			if !swap {
				mustEqual(t, tape[:n], a, "tanh")
				mustEqual(t, tape[n:], b, "sigmoid")
				mustEqual(t, z, want, "product")
				continue
			}
			tanh, sigmoid := append([]float32(nil), h[n:]...), append([]float32(nil), h[:n]...)
			Tanh(tanh, tanh)
			Sigmoid(sigmoid, sigmoid)
			mustEqual(t, tape[:n], tanh, "tanh")
			mustEqual(t, tape[n:], sigmoid, "sigmoid")
		}
	})
}

func BenchmarkGateRow(b *testing.B) {
	h, z := randoms(rand.New(rand.NewPCG(1, 2)), 128), make([]float32, 64)
	for b.Loop() {
		GateRow(z, h)
	}
}

func TestCrossEntropyReference(t *testing.T) {
	for _, s := range [][2]int{{1, 1}, {3, 2}, {5, 9}, {7, 256}, {33, 21}} {
		n, k := s[0], s[1]
		r := rand.New(rand.NewPCG(1, uint64(n*k)))
		a, dnll := randoms(r, n*k), randoms(r, n)
		for i := range a {
			a[i] = 5*a[i] + 30 // far from where exp is about 1
		}
		a64, target := float64s(a), make([]int32, n)
		for i := range target {
			target[i] = int32(r.IntN(k))
		}
		forward := func() []float64 {
			nll := make([]float64, n)
			for i := range nll {
				var sum float64
				for _, v := range a64[i*k : (i+1)*k] {
					sum += math.Exp(v)
				}
				nll[i] = math.Log(sum) - a64[i*k+int(target[i])]
			}
			return nll
		}
		t.Run(fmt.Sprint(s), func(t *testing.T) {
			eachISA(t, func(t *testing.T) {
				nll, p := randoms(r, n), randoms(r, n*k)
				CrossEntropy(nll, p, a, target, n, k)
				withinScale(t, "nll", nll, forward(), 30)
				CrossEntropyBackward(p, dnll, target, n, k)
				withinScale(t, "da", p, derivative(a64, dnll, forward), 1)
			})
		})
	}
}

func TestCrossEntropyWithoutOverflow(t *testing.T) {
	nll, p := make([]float32, 2), make([]float32, 4)
	CrossEntropy(nll, p, []float32{1e30, 0, -200, 200}, []int32{0, 0}, 2, 2)
	if nll[0] != 0 || nll[1] != 400 {
		t.Errorf("nll is %v, want 0 and 400", nll)
	}
	defer func() {
		if recover() == nil {
			t.Error("a target outside the classes is taken")
		}
	}()
	CrossEntropy(nll[:1], p[:2], []float32{1, 2}, []int32{2}, 1, 2)
}

func TestRowFunctions(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		for n := 1; n < 40; n++ {
			x, y := randoms(r, n), randoms(r, n)
			want := make([]float32, n)
			for i := range want {
				want[i] = max((x[i]+y[i])*0.75, 0)
			}
			AddRow(y, x)
			ScaleRow(y, 0.75)
			ReLURow(y, y)
			mustEqual(t, y, want, "row functions")

			w := make([]float32, n)
			total := SoftmaxRow(w, x, 0.5)
			var sum float64
			top := float64(peak(x))
			for i, v := range x {
				e := math.Exp((float64(v) - top) / 0.5)
				if math.Abs(float64(w[i])-e) > 1e-5 {
					t.Fatalf("weight %g, want %g", w[i], e)
				}
				sum += float64(w[i])
			}
			if math.Abs(total-sum) > 1e-9*sum {
				t.Fatalf("sum %g, want %g", total, sum)
			}
		}
	})
}

func TestTransposedReference(t *testing.T) {
	for _, s := range [][5]int{ // in, out, stride, kernel, frames
		{1, 1, 1, 1, 1}, {3, 5, 2, 8, 4}, {9, 2, 3, 15, 1}, {7, 33, 5, 25, 3}, {5, 17, 4, 16, 6}, {2, 3, 3, 4, 2},
	} {
		c := Conv1D{In: s[0], Out: s[1], Stride: s[2], Kernel: s[3], Dilation: 1}
		if d := c.Kernel - c.Stride; d%2 == 0 {
			c.PadLeft, c.PadRight = d/2, d/2
		}
		const b = 2
		frames := s[4]
		to := c.TransposedLen(frames)
		if c.OutLen(to) != frames {
			t.Fatalf("%v: %d frames become %d, those %d", s, frames, to, c.OutLen(to))
		}
		r := rand.New(rand.NewPCG(1, uint64(to)))
		x, w, bias, dy := randoms(r, b*frames*c.Out), randoms(r, c.Kernel*c.In*c.Out), randoms(r, c.In), randoms(r, b*to*c.In)
		y, dx, dw := make([]float64, b*to*c.In), make([]float64, len(x)), make([]float64, len(w))
		for i := range y {
			y[i] = float64(bias[i%c.In])
		}
		c.Grid().eachTap(b, 1, to, func(big, little, tap int) {
			for i := range c.In {
				for o := range c.Out {
					yi, wi, xi := big*c.In+i, (tap*c.In+i)*c.Out+o, little*c.Out+o
					y[yi] += float64(x[xi]) * float64(w[wi])
					dx[xi] += float64(dy[yi]) * float64(w[wi])
					dw[wi] += float64(dy[yi]) * float64(x[xi])
				}
			}
		})
		eachISA(t, func(t *testing.T) {
			gotY, gotDX, gotDW := randoms(r, len(y)), randoms(r, len(x)), randoms(r, len(w))
			c.Transposed(gotY, x, w, bias, b, frames)
			c.TransposedBackwardInput(gotDX, dy, w, b, frames)
			c.TransposedBackwardWeight(gotDW, x, dy, b, frames)
			scale := float64(1 + c.Kernel*max(c.In, c.Out))
			withinScale(t, "y", gotY, y, scale)
			withinScale(t, "dx", gotDX, dx, scale)
			withinScale(t, "dw", gotDW, dw, scale)
		})
	}
}
