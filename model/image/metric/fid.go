package metric

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Frechet returns the squared Fréchet distance of the normal distributions with
// the moments of two sets of features,
//
//	|m1 - m2|² + tr(C1 + C2 - 2 (C1 C2)^½)
//
// with unbiased covariances (Dowson and Landau 1982). On the 2048 pool3 features
// of the Inception-v3 of pytorch-fid it is the FID of Heusel et al. 2017, on any
// other features it is not. It is biased: the fewer rows, the larger, above all
// with no more rows than dimensions.
//
// The trace of the root is that of the symmetric (F C2 Fᵀ)^½ with C1 = Fᵀ F, F
// by a Cholesky factorisation with pivots, which is the sum of the roots of its
// eigenvalues and always exists. Differs from pytorch-fid, which takes the root
// of C1 C2 itself and, only where that fails because the product is singular,
// adds 1e-6 to the diagonals of both under the root: here nothing is ever added,
// and eigenvalues that rounding left below 0 count as 0.
//
// It is an error if the dimensions differ, if there are fewer than 2 rows, or if
// the features are so large that the distance is not finite.
func Frechet(a, b *Moments) (float64, error) {
	if a.Dim() != b.Dim() {
		return 0, fmt.Errorf("metric: features of %d dimensions against %d, want the same", b.Dim(), a.Dim())
	}
	ca, err := a.Covariance()
	if err != nil {
		return 0, err
	}
	cb, err := b.Covariance()
	if err != nil {
		return 0, err
	}
	distance := mat.Trace(ca) + mat.Trace(cb)
	for j, v := range a.Mean() {
		d := v - b.Mean()[j]
		distance += d * d
	}
	tooLarge := errors.New("metric: the distance is not finite, want smaller features")
	if math.IsNaN(distance) || math.IsInf(distance, 0) {
		return 0, tooLarge
	}
	root, ok := rootTrace(ca, cb)
	if distance -= 2 * root; !ok || math.IsNaN(distance) || math.IsInf(distance, 0) {
		return 0, tooLarge
	}
	return max(0, distance), nil
}

// rootTrace returns tr((a b)^½) of two covariances, and whether it was found.
func rootTrace(a, b *mat.SymDense) (float64, bool) {
	dim := a.SymmetricDim()
	var chol mat.PivotedCholesky
	chol.Factorize(a, -1) // the default tolerance; false only says that a is singular
	rank := chol.Rank()
	if rank == 0 {
		return 0, true
	}
	f := mat.NewDense(rank, dim, nil)
	u, pivots := chol.RawU(), chol.ColumnPivots(nil)
	for i := range rank {
		for j := i; j < dim; j++ {
			f.Set(i, pivots[j], u.At(i, j))
		}
	}
	var left, product mat.Dense
	left.Mul(f, b)
	product.Mul(&left, f.T())
	sym := mat.NewSymDense(rank, nil)
	for i := range rank {
		for j := i; j < rank; j++ {
			v := (product.At(i, j) + product.At(j, i)) / 2
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return 0, false
			}
			sym.SetSym(i, j, v)
		}
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(sym, false) {
		return 0, false
	}
	sum := 0.0
	for _, v := range eigen.Values(nil) {
		sum += math.Sqrt(max(0, v))
	}
	return sum, true
}
