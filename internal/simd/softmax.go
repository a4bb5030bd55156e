package simd

import "math"

// Softmax computes y = softmax((a + noise)/tau) over rows. noise may be nil.
//
//	y, a, noise [N, K] float32
func Softmax(y, a, noise []float32, n, k int, tau float32) {
	checkLen("Softmax y", len(y), n*k)
	checkLen("Softmax a", len(a), n*k)
	inv := 1 / tau
	Parallel(n, rowGrain(k), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			row := y[r*k : (r+1)*k]
			copy(row, a[r*k:])
			if noise != nil {
				add(row, noise[r*k:])
			}
			affine(row, row, inv, 0)
			affine(row, row, float32(1/expSum(row, row, peak(row))), 0)
		}
	})
}

// SoftmaxBackward computes da = y*(dy - sum(y*dy))/tau.
//
//	da, y, dy [N, K] float32
func SoftmaxBackward(da, y, dy []float32, n, k int, tau float32) {
	inv := 1 / tau
	Parallel(n, rowGrain(k), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			row, g := y[r*k:(r+1)*k], dy[r*k:(r+1)*k]
			center(da[r*k:(r+1)*k], row, g, float32(dot(row, g, 0)), inv)
		}
	})
}

// NegEntropy computes p = softmax(a) and, for every row, sum_k p ln p (nats).
//
//	p, a [N, K], rows [N] float32
func NegEntropy(p, rows, a []float32, n, k int) {
	Softmax(p, a, nil, n, k, 1)
	Parallel(n, rowGrain(k), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			src, row := a[r*k:(r+1)*k], p[r*k:(r+1)*k]
			rows[r] = float32(dot(row, src, logSumExp(src, row)))
		}
	})
}

// NegEntropyBackward computes da = scale * p*(ln p - rows).
//
//	da, p, a [N, K], rows [N] float32
func NegEntropyBackward(da, p, rows, a []float32, n, k int, scale float32) {
	Parallel(n, rowGrain(k), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			src, row := a[r*k:(r+1)*k], p[r*k:(r+1)*k]
			center(da[r*k:(r+1)*k], row, src, float32(logSumExp(src, row))+rows[r], scale)
		}
	})
}

// logSumExp returns ln sum exp(a) from a and its softmax p: at the largest
// entry ln p = a - lse, and p is at least 1/K there.
func logSumExp(a, p []float32) float64 {
	return float64(peak(a)) - math.Log(float64(peak(p)))
}

// Gumbel computes g = -ln(-ln u) with u clamped to [2^-23, 1-2^-23]
// (sony/sqvae speech). g may be u.
func Gumbel(g, u []float32) {
	const eps = 1.0 / (1 << 23)
	const block = 4096 // stays in the first cache
	Parallel(len(u), block, func(lo, hi int) {
		for ; lo < hi; lo += block {
			dst := g[lo:min(lo+block, hi)]
			clamp(dst, u[lo:], eps, 1-eps)
			Log(dst, dst)
			affine(dst, dst, -1, 0)
			Log(dst, dst)
			affine(dst, dst, -1, 0)
		}
	})
}

// rowGrain is the least number of rows of k elements worth a goroutine.
func rowGrain(k int) int { return 1 + 4096/k }
