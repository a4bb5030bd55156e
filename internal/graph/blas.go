package graph

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
	G "gorgonia.org/gorgonia"

	"vqspeech/internal/simd"
)

// gorgonia's own products run on the kernels too.
func init() { G.Use(kernelBLAS{}) }

// kernelBLAS is gonum's BLAS with the float32 matrix product of internal/simd.
type kernelBLAS struct{ gonum.Implementation }

// Sgemm computes C = alpha op(A) op(B) + beta C, row-major; see blas.Float32.
func (kernelBLAS) Sgemm(tA, tB blas.Transpose, m, n, k int, alpha float32, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	for r := range m {
		row := c[r*ldc : r*ldc+n]
		switch beta {
		case 0:
			clear(row)
		case 1:
		default:
			for j := range row {
				row[j] *= beta
			}
		}
	}
	if alpha == 1 {
		simd.Gemm(tA != blas.NoTrans, tB != blas.NoTrans, m, n, k, a, lda, b, ldb, c, ldc, true)
		return
	}
	product := simd.Borrow(m * n)
	defer simd.Return(product)
	simd.Gemm(tA != blas.NoTrans, tB != blas.NoTrans, m, n, k, a, lda, b, ldb, product, n, false)
	for r := range m {
		simd.Axpy(alpha, product[r*n:(r+1)*n], c[r*ldc:r*ldc+n])
	}
}
