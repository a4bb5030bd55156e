package graph

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func TestSgemm(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	fill := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(rng.NormFloat64())
		}
		return x
	}
	const m, n, k, gap = 5, 7, 9, 2
	for _, tA := range []blas.Transpose{blas.NoTrans, blas.Trans} {
		for _, tB := range []blas.Transpose{blas.NoTrans, blas.Trans} {
			for _, alpha := range []float32{0, 1, -0.5} {
				for _, beta := range []float32{0, 1, 2} {
					lda, ldb, ldc := k+gap, n+gap, n+gap
					if tA == blas.Trans {
						lda = m + gap
					}
					if tB == blas.Trans {
						ldb = k + gap
					}
					a, b, c := fill(20*lda), fill(20*ldb), fill(m*ldc)
					want := append([]float32{}, c...)
					gonum.Implementation{}.Sgemm(tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, want, ldc)
					kernelBLAS{}.Sgemm(tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
					for i := range c {
						if math.Abs(float64(c[i]-want[i])) > 1e-5 {
							t.Fatalf("%c%c alpha %g beta %g: element %d is %g, want %g", tA, tB, alpha, beta, i, c[i], want[i])
						}
					}
				}
			}
		}
	}
}

// A product of gorgonia's own goes through the kernels.
func TestGorgoniaProduct(t *testing.T) {
	if _, ok := tensor.WhichBLAS().(kernelBLAS); !ok {
		t.Fatalf("gorgonia multiplies with %T", tensor.WhichBLAS())
	}
	g := G.NewGraph()
	x := G.NewMatrix(g, tensor.Float32, G.WithShape(1, 2), G.WithValue(tensor.New(tensor.WithBacking([]float32{1, 2}), tensor.WithShape(1, 2))))
	y := G.NewMatrix(g, tensor.Float32, G.WithShape(2, 1), G.WithValue(tensor.New(tensor.WithBacking([]float32{3, 4}), tensor.WithShape(2, 1))))
	z := G.Must(G.Mul(x, y))
	vm := G.NewTapeMachine(g)
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	if got := z.Value().Data().([]float32)[0]; got != 11 {
		t.Errorf("product is %g, want 11", got)
	}
}
