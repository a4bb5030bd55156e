package simd

import "math"

// normalizeMin is the least norm a row is divided by (PyTorch's normalize).
const normalizeMin = 1e-12

// NormalizeRows divides every row by its Euclidean norm, at least 1e-12.
//
//	y, x [N, D] float32; y may be x
func NormalizeRows(y, x []float32, n, d int) {
	checkLen("NormalizeRows y", len(y), n*d)
	checkLen("NormalizeRows x", len(x), n*d)
	Parallel(n, rowGrain(d), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			src, dst := x[r*d:(r+1)*d], y[r*d:(r+1)*d]
			inv := 1 / max(norm(src), normalizeMin)
			for j, v := range src {
				dst[j] = float32(float64(v) * inv)
			}
		}
	})
}

// NormalizeRowsBackward computes dx = (dy - y <y, dy>)/|x|.
//
//	dx, dy, x [N, D] float32
func NormalizeRowsBackward(dx, dy, x []float32, n, d int) {
	checkLen("NormalizeRows dx", len(dx), n*d)
	Parallel(n, rowGrain(d), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			src, g, dst := x[r*d:(r+1)*d], dy[r*d:(r+1)*d], dx[r*d:(r+1)*d]
			length := norm(src)
			inv := 1 / max(length, normalizeMin)
			var along float64 // <y, dy>/|x|; the norm of a tiny row is constant
			if length > normalizeMin {
				along = Dot(src, g) * inv * inv
			}
			for j, v := range src {
				dst[j] = float32((float64(g[j]) - along*float64(v)) * inv)
			}
		}
	})
}

func norm(x []float32) float64 { return math.Sqrt(SumSquares(x)) }

// VMFLogits computes a = kappa z·b, the log density of a von Mises-Fisher
// distribution up to a constant where z and the code vectors are unit vectors.
//
//	a [N, K], z [N, D], codebook [K, D] float32
func VMFLogits(a, z, codebook []float32, kappa float32, n, d, k int) {
	checkLen("VMFLogits a", len(a), n*k)
	checkLen("VMFLogits z", len(z), n*d)
	checkLen("VMFLogits codebook", len(codebook), k*d)
	Gemm(false, true, n, k, d, z, d, codebook, d, a, k, false)
	ScaleBy(a, a, kappa)
}

// VMFLogitsBackward computes the gradients of VMFLogits from da and returns
// that of kappa.
//
//	dz [N, D], dcodebook [K, D], da [N, K] float32
func VMFLogitsBackward(dz, dcodebook, da, z, codebook []float32, kappa float32, n, d, k int) (dkappa float64) {
	Gemm(false, false, n, d, k, da, k, codebook, d, dz, d, false)
	dkappa = Dot(dz, z[:len(dz)]) // sum_ik da_ik z_i·b_k
	Gemm(true, false, k, d, n, da, k, z, d, dcodebook, d, false)
	ScaleBy(dz, dz, kappa)
	ScaleBy(dcodebook, dcodebook, kappa)
	return dkappa
}

// VMFRegularizer returns, for every row, kappa z·(z - q) (nats).
//
//	rows [N]; z, q [N, D] float32
func VMFRegularizer(rows, z, q []float32, kappa float32, n, d int) {
	Parallel(n, rowGrain(d), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			rows[r] = float32(float64(kappa) * alongError(z[r*d:(r+1)*d], q[r*d:(r+1)*d]))
		}
	})
}

// VMFRegularizerBackward computes factor times the gradients of the sum of
// VMFRegularizer's rows and returns that of kappa.
//
//	dz, dq, z, q [N, D] float32
func VMFRegularizerBackward(dz, dq, z, q []float32, kappa float32, n, d int, factor float64) (dkappa float64) {
	g := float32(factor) * kappa
	for r := range n {
		dkappa += alongError(z[r*d:(r+1)*d], q[r*d:(r+1)*d])
	}
	for i, v := range z {
		dz[i] = g * (2*v - q[i])
		dq[i] = -g * v
	}
	return dkappa * factor
}

// alongError returns z·(z - q).
func alongError(z, q []float32) float64 {
	var s float64
	for j, v := range z {
		s += float64(v) * (float64(v) - float64(q[j]))
	}
	return s
}

// VMFCosines computes, for every row, the cosine between u and the axis of its
// label: u[label]/|u|.
//
//	cosines [N], u [N, F] float32, label [N] int32, each < F
func VMFCosines(cosines, u []float32, label []int32, n, f int) {
	checkLen("VMFCosines u", len(u), n*f)
	checkLen("VMFCosines label", len(label), n)
	Parallel(n, rowGrain(f), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			row := u[r*f : (r+1)*f]
			cosines[r] = float32(float64(row[label[r]]) / max(norm(row), normalizeMin))
		}
	})
}
