package simd

import "slices"

// VarianceFloor is the least variance that a precision is the inverse of
// (sony/sqvae vision).
const VarianceFloor = 1e-10

// GaussianLogits computes a = -1/2 sum_j w (z - b)^2, clamped at 0, by the
// expanded square: two products instead of an [N, K, D] tensor.
//
//	a [N, K]; z [N, D]; codebook [K, D]; w: precisions [1], [N] or [N, D] float32
func GaussianLogits(a, z, w, codebook []float32, n, d, k int) {
	checkLen("GaussianLogits a", len(a), n*k)
	checkLen("GaussianLogits z", len(z), n*d)
	checkLen("GaussianLogits codebook", len(codebook), k*d)
	wz, zz := Borrow(n*d), Borrow(n)
	defer Return(wz)
	defer Return(zz)
	Parallel(n, rowGrain(d), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			var s float64
			row, dst := z[r*d:(r+1)*d], wz[r*d:(r+1)*d]
			for j, v := range row {
				p := precision(w, r, j, n, d)
				dst[j] = p * v
				s += float64(p*v) * float64(v)
			}
			zz[r] = float32(s)
		}
	})
	squares := Borrow(k * d)
	defer Return(squares)
	for i, v := range codebook {
		squares[i] = -0.5 * v * v
	}
	Gemm(false, true, n, k, d, wz, d, codebook, d, a, k, false)
	if len(w) == n*d {
		Gemm(false, true, n, k, d, w, d, squares, d, a, k, true)
		Parallel(n, rowGrain(k), func(lo, hi int) {
			for r := lo; r < hi; r++ {
				half, row := 0.5*zz[r], a[r*k:(r+1)*k]
				for c, v := range row {
					row[c] = min(v-half, 0)
				}
			}
		})
		return
	}
	norms := Borrow(k)
	defer Return(norms)
	for c := range norms {
		norms[c] = float32(sum(squares[c*d : (c+1)*d]))
	}
	Parallel(n, rowGrain(k), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			p, half, row := precision(w, r, 0, n, d), 0.5*zz[r], a[r*k:(r+1)*k]
			// min(v + p*norm - half, 0) as minus the larger of its opposite and 0
			Axpy(p, norms, row)
			affine(row, row, -1, half)
			rectify(row, row)
			affine(row, row, -1, 0)
		}
	})
}

// precision reads w [1], [N] or [N, D] at row r, column j.
func precision(w []float32, r, j, n, d int) float32 {
	switch len(w) {
	case n * d:
		return w[r*d+j]
	case 1:
		return w[0]
	}
	return w[r]
}

// GaussianLogitsBackward computes the gradients of GaussianLogits from da
// (reference: sum_k da_ik w (b - z) for z, minus the same per code for b,
// -1/2 sum_k da_ik (b - z)^2 for w).
//
//	dz [N, D]; dw like w; dcodebook [K, D]; da [N, K] float32
func GaussianLogitsBackward(dz, dw, dcodebook, da, z, w, codebook []float32, n, d, k int) {
	if len(w) == 1 {
		dw[0] = gaussianLogitsBackwardShared(dz, dcodebook, da, z, codebook, w[0], n, d, k)
		return
	}
	// ab = da·b, abb = da·b², sums = row sums of da; everything below follows.
	ab, abb, squares := Borrow(n*d), Borrow(n*d), Borrow(k*d)
	defer Return(ab)
	defer Return(abb)
	defer Return(squares)
	for i, v := range codebook {
		squares[i] = v * v
	}
	Gemm(false, false, n, d, k, da, k, codebook, d, ab, d, false)
	Gemm(false, false, n, d, k, da, k, squares, d, abb, d, false)
	wide, wz := Borrow(n*d), Borrow(n*d)
	defer Return(wide)
	defer Return(wz)
	rowDW := Borrow(n)
	defer Return(rowDW)
	Parallel(n, rowGrain(k), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			s := float32(sum(da[r*k : (r+1)*k]))
			var total float64
			for j := range d {
				i := r*d + j
				p, v := precision(w, r, j, n, d), z[i]
				wide[i], wz[i] = p, p*v
				dz[i] = p * (ab[i] - s*v)
				g := -0.5 * (abb[i] - 2*v*ab[i] + v*v*s)
				if len(dw) == n*d {
					dw[i] = g
				}
				total += float64(g)
			}
			rowDW[r] = float32(total)
		}
	})
	reducePrecision(dw, rowDW, n*d)
	// db_k = -(b_k * (daᵀ w)_k - (daᵀ (w z))_k)
	aw := Borrow(k * d)
	defer Return(aw)
	Gemm(true, false, k, d, n, da, k, wide, d, aw, d, false)
	Gemm(true, false, k, d, n, da, k, wz, d, dcodebook, d, false)
	for i, b := range codebook {
		dcodebook[i] -= b * aw[i]
	}
}

// gaussianLogitsBackwardShared is GaussianLogitsBackward for one precision w,
// which needs two products less. It returns the gradient of w.
func gaussianLogitsBackwardShared(dz, dcodebook, da, z, codebook []float32, w float32, n, d, k int) float32 {
	columns, rows := Borrow(k), Borrow(n) // column sums of da, parts of the gradient of w
	defer Return(columns)
	defer Return(rows)
	SumRows(columns, da, n, k)
	Gemm(false, false, n, d, k, da, k, codebook, d, dz, d, false)
	Gemm(true, false, k, d, n, da, k, z, d, dcodebook, d, false)
	Parallel(n, rowGrain(k), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			s := float32(sum(da[r*k : (r+1)*k]))
			var part float64 // sum_j s z² - 2 z (da·b)
			row := dz[r*d : (r+1)*d]
			for j, v := range z[r*d : (r+1)*d] {
				part += float64(v) * (float64(s*v) - 2*float64(row[j]))
				row[j] = w * (row[j] - s*v)
			}
			rows[r] = float32(part)
		}
	})
	total := sum(rows)
	for c, sum := range columns {
		b, db := codebook[c*d:(c+1)*d], dcodebook[c*d:(c+1)*d]
		total += float64(sum) * SumSquares(b)
		for j, v := range b {
			db[j] = w * (db[j] - sum*v)
		}
	}
	return float32(-0.5 * total)
}

// reducePrecision gives dw [1] or [N] the sums over D; a dw of full size has
// its elements already.
func reducePrecision(dw, rows []float32, full int) {
	switch len(dw) {
	case full:
	case 1:
		dw[0] = float32(sum(rows))
	default:
		copy(dw, rows)
	}
}

// GaussianRegularizer returns, for every row, 1/2 sum_j w (z - q)^2 (nats).
//
//	rows [N]; z, q [N, D]; w [1], [N] or [N, D] float32
func GaussianRegularizer(rows, z, w, q []float32, n, d int) {
	Parallel(n, rowGrain(d), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			var s float64
			for j := range d {
				e := float64(z[r*d+j] - q[r*d+j])
				s += float64(precision(w, r, j, n, d)) * e * e
			}
			rows[r] = float32(s / 2)
		}
	})
}

// GaussianRegularizerBackward computes scale times the gradients of the sum of
// GaussianRegularizer's rows.
//
//	dz, dq, z, q [N, D]; dw like w float32
func GaussianRegularizerBackward(dz, dw, dq, z, w, q []float32, n, d int, scale float32) {
	rows := Borrow(n)
	defer Return(rows)
	Parallel(n, rowGrain(d), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			var s float64
			for j := range d {
				i := r*d + j
				e := z[i] - q[i]
				g := scale * precision(w, r, j, n, d) * e
				dz[i], dq[i] = g, -g
				h := 0.5 * scale * e * e
				if len(dw) == n*d {
					dw[i] = h
				}
				s += float64(h)
			}
			rows[r] = float32(s)
		}
	})
	reducePrecision(dw, rows, n*d)
}

// ArgMax returns for every row of a the index of its largest entry, the
// lowest on ties.
//
//	index [N] int32, a [N, K] float32
func ArgMax(index []int32, a []float32, n, k int) {
	Parallel(n, rowGrain(k), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			row := a[r*k : (r+1)*k]
			index[r] = int32(max(slices.Index(row, peak(row)), 0))
		}
	})
}
