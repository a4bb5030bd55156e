package simd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// eachRow64 applies f to the rows of x.
func eachRow64(x []float64, k int, f func(row []float64) []float64) []float64 {
	var y []float64
	for i := 0; i < len(x); i += k {
		y = append(y, f(x[i:i+k])...)
	}
	return y
}

func softmax64(row []float64) []float64 {
	y, sum := make([]float64, len(row)), 0.0
	for j, v := range row {
		y[j] = math.Exp(v)
		sum += y[j]
	}
	for j := range y {
		y[j] /= sum
	}
	return y
}

func TestSoftmaxReference(t *testing.T) {
	const tau = 0.4
	for _, s := range [][2]int{{1, 1}, {5, 2}, {7, 35}, {2, 257}} {
		n, k := s[0], s[1]
		r := rand.New(rand.NewPCG(4, uint64(k)))
		a, u, dy := randoms(r, n*k), randoms(r, n*k), randoms(r, n*k)
		for i := range u {
			u[i] = r.Float32()
		}
		u[0] = []float32{0, 1}[k%2] // the ends of the clamp
		noise64 := float64s(u)
		for i, v := range noise64 {
			noise64[i] = -math.Log(-math.Log(min(max(v, 0x1p-23), 1-0x1p-23)))
		}
		a64 := float64s(a)
		run := func() []float64 {
			x := make([]float64, n*k)
			for i, v := range a64 {
				x[i] = (v + noise64[i]) / tau
			}
			return eachRow64(x, k, softmax64)
		}
		negEntropy := func() []float64 {
			return eachRow64(a64, k, func(row []float64) []float64 {
				s := 0.0
				for _, p := range softmax64(row) {
					s += p * math.Log(p)
				}
				return []float64{s}
			})
		}
		t.Run(fmt.Sprint(n, "x", k), func(t *testing.T) {
			eachISA(t, func(t *testing.T) {
				noise, y, p, da := randoms(r, n*k), randoms(r, n*k), randoms(r, n*k), randoms(r, n*k)
				Gumbel(noise, u)
				within(t, "gumbel", noise, noise64)
				Softmax(y, a, noise, n, k, tau)
				within(t, "y", y, run())
				Softmax(p, a, nil, n, k, 1)
				within(t, "p", p, eachRow64(a64, k, softmax64))
				if k == 1 {
					return // everything below is zero
				}
				SoftmaxBackward(da, y, dy, n, k, tau)
				within(t, "da", da, derivative(a64, dy, run))
				rows, ones := randoms(r, n), make([]float32, n)
				for i := range ones {
					ones[i] = 0.3
				}
				NegEntropy(p, rows, a, n, k)
				within(t, "negative entropy", rows, negEntropy())
				NegEntropyBackward(da, p, rows, a, n, k, 0.3)
				within(t, "negative entropy da", da, derivative(a64, ones, negEntropy))
			})
		})
	}
}

func TestGaussianReference(t *testing.T) {
	for _, s := range [][3]int{{1, 1, 1}, {5, 3, 2}, {7, 19, 35}, {3, 1, 17}} {
		n, d, k := s[0], s[1], s[2]
		for _, m := range []int{1, n, n * d} {
			r := rand.New(rand.NewPCG(5, uint64(m)))
			z, q, w, book, da := randoms(r, n*d), randoms(r, n*d), randoms(r, m), randoms(r, k*d), randoms(r, n*k)
			Exp(w, w)
			z64, q64, w64, book64 := float64s(z), float64s(q), float64s(w), float64s(book)
			weight := func(r, j int) float64 { // w [1], [N] or [N, D]
				switch m {
				case n * d:
					return w64[r*d+j]
				case n:
					return w64[r]
				}
				return w64[0]
			}
			logits := func() []float64 {
				a := make([]float64, n*k)
				for i := range a {
					for j := range d {
						e := z64[i/k*d+j] - book64[i%k*d+j]
						a[i] -= weight(i/k, j) * e * e / 2
					}
				}
				return a
			}
			regularizer := func() []float64 {
				rows := make([]float64, n)
				for i := range n * d {
					e := z64[i] - q64[i]
					rows[i/d] += weight(i/d, i%d) * e * e / 2
				}
				return rows
			}
			t.Run(fmt.Sprint(s, m), func(t *testing.T) {
				eachISA(t, func(t *testing.T) {
					a, dz, dq, dw, dbook := randoms(r, n*k), randoms(r, n*d), randoms(r, n*d), randoms(r, m), randoms(r, k*d)
					GaussianLogits(a, z, w, book, n, d, k)
					within(t, "logits", a, logits())
					GaussianLogitsBackward(dz, dw, dbook, da, z, w, book, n, d, k)
					within(t, "dz", dz, derivative(z64, da, logits))
					within(t, "dw", dw, derivative(w64, da, logits))
					within(t, "dcodebook", dbook, derivative(book64, da, logits))
					rows, factors := randoms(r, n), make([]float32, n)
					for i := range factors {
						factors[i] = -0.7
					}
					GaussianRegularizer(rows, z, w, q, n, d)
					within(t, "regularizer", rows, regularizer())
					GaussianRegularizerBackward(dz, dw, dq, z, w, q, n, d, -0.7)
					within(t, "regularizer dz", dz, derivative(z64, factors, regularizer))
					within(t, "regularizer dw", dw, derivative(w64, factors, regularizer))
					within(t, "regularizer dq", dq, derivative(q64, factors, regularizer))
				})
			})
		}
	}
}

func TestVMFReference(t *testing.T) {
	for _, s := range [][3]int{{1, 2, 1}, {5, 3, 2}, {7, 19, 35}} {
		n, d, k := s[0], s[1], s[2]
		r := rand.New(rand.NewPCG(6, uint64(k)))
		x, z, q, book, dy, da := randoms(r, n*d), randoms(r, n*d), randoms(r, n*d), randoms(r, k*d), randoms(r, n*d), randoms(r, n*k)
		x64, z64, q64, book64, kappa := float64s(x), float64s(z), float64s(q), float64s(book), []float64{2.5}
		normalize := func() []float64 {
			return eachRow64(x64, d, func(row []float64) []float64 {
				s := 0.0
				for _, v := range row {
					s += v * v
				}
				y := make([]float64, d)
				for j, v := range row {
					y[j] = v / math.Sqrt(s)
				}
				return y
			})
		}
		logits := func() []float64 {
			a := make([]float64, n*k)
			for i := range a {
				for j := range d {
					a[i] += kappa[0] * z64[i/k*d+j] * book64[i%k*d+j]
				}
			}
			return a
		}
		regularizer := func() []float64 {
			rows := make([]float64, n)
			for i, v := range z64 {
				rows[i/d] += kappa[0] * v * (v - q64[i])
			}
			return rows
		}
		t.Run(fmt.Sprint(s), func(t *testing.T) {
			eachISA(t, func(t *testing.T) {
				y, dx, dq, a, dbook := randoms(r, n*d), randoms(r, n*d), randoms(r, n*d), randoms(r, n*k), randoms(r, k*d)
				NormalizeRows(y, x, n, d)
				within(t, "normalized", y, normalize())
				NormalizeRowsBackward(dx, dy, x, n, d)
				within(t, "normalized dx", dx, derivative(x64, dy, normalize))
				VMFLogits(a, z, book, 2.5, n, d, k)
				within(t, "logits", a, logits())
				dkappa := VMFLogitsBackward(dx, dbook, da, z, book, 2.5, n, d, k)
				within(t, "dz", dx, derivative(z64, da, logits))
				within(t, "dcodebook", dbook, derivative(book64, da, logits))
				// A sum of n*k terms of either sign: an error of their size.
				withinScale(t, "dkappa", []float32{float32(dkappa)}, derivative(kappa, da, logits), float64(d))
				rows, factors := randoms(r, n), make([]float32, n)
				for i := range factors {
					factors[i] = -0.7
				}
				VMFRegularizer(rows, z, q, 2.5, n, d)
				within(t, "regularizer", rows, regularizer())
				dkappa = VMFRegularizerBackward(dx, dq, z, q, 2.5, n, d, -0.7)
				within(t, "regularizer dz", dx, derivative(z64, factors, regularizer))
				within(t, "regularizer dq", dq, derivative(q64, factors, regularizer))
				within(t, "regularizer dkappa", []float32{float32(dkappa)}, derivative(kappa, factors, regularizer))
			})
		})
	}
	t.Run("rows shorter than the least norm", func(t *testing.T) {
		x, y, dy, dx := []float32{0, 0, 1e-13, 0}, make([]float32, 4), []float32{1, 2, 3, 4}, make([]float32, 4)
		NormalizeRows(y, x, 2, 2)
		NormalizeRowsBackward(dx, dy, x, 2, 2)
		within(t, "y", y, []float64{0, 0, 0.1, 0})
		within(t, "dx", dx, []float64{1e12, 2e12, 3e12, 4e12})
	})
}
