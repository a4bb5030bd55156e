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
			row, src := y[r*k:(r+1)*k], a[r*k:(r+1)*k]
			top := float32(math.Inf(-1))
			if noise != nil {
				g := noise[r*k : (r+1)*k]
				for j, v := range src {
					row[j] = (v + g[j]) * inv
					top = max(top, row[j])
				}
			} else {
				for j, v := range src {
					row[j] = v * inv
					top = max(top, row[j])
				}
			}
			for j := range row {
				row[j] -= top
			}
			Exp(row, row)
			scale := float32(1 / sum(row))
			for j := range row {
				row[j] *= scale
			}
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
			var dot float64
			for j, v := range row {
				dot += float64(v) * float64(g[j])
			}
			d := float32(dot)
			dst := da[r*k : (r+1)*k]
			for j, v := range row {
				dst[j] = v * (g[j] - d) * inv
			}
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
			lse := logSumExp(src, row)
			var s float64
			for j, v := range row {
				s += float64(v) * (float64(src[j]) - lse)
			}
			rows[r] = float32(s)
		}
	})
}

// NegEntropyBackward computes da = scale * p*(ln p - rows).
//
//	da, p, a [N, K], rows [N] float32
func NegEntropyBackward(da, p, rows, a []float32, n, k int, scale float32) {
	Parallel(n, rowGrain(k), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			src, row, dst := a[r*k:(r+1)*k], p[r*k:(r+1)*k], da[r*k:(r+1)*k]
			base := float32(logSumExp(src, row)) + rows[r]
			for j, v := range row {
				dst[j] = scale * v * (src[j] - base)
			}
		}
	})
}

// logSumExp returns ln sum exp(a) from a and its softmax p: at the largest
// entry ln p = a - lse, and p is at least 1/K there.
func logSumExp(a, p []float32) float64 {
	best := 0
	for j, v := range a {
		if v > a[best] {
			best = j
		}
	}
	return float64(a[best]) - math.Log(float64(p[best]))
}

// Gumbel computes g = -ln(-ln u) with u clamped to [2^-23, 1-2^-23]
// (sony/sqvae speech). g may be u.
func Gumbel(g, u []float32) {
	const eps = 1.0 / (1 << 23)
	Parallel(len(u), 4096, func(lo, hi int) {
		dst := g[lo:hi]
		for i, v := range u[lo:hi] {
			dst[i] = min(max(v, eps), 1-eps)
		}
		Log(dst, dst)
		for i, v := range dst {
			dst[i] = -v
		}
		Log(dst, dst)
		for i, v := range dst {
			dst[i] = -v
		}
	})
}

// sum accumulates in float64 over four lanes, always in the same order.
func sum(x []float32) float64 {
	var s0, s1, s2, s3 float64
	for len(x) >= 4 {
		s0 += float64(x[0])
		s1 += float64(x[1])
		s2 += float64(x[2])
		s3 += float64(x[3])
		x = x[4:]
	}
	for _, v := range x {
		s0 += float64(v)
	}
	return (s0 + s1) + (s2 + s3)
}

// rowGrain is the least number of rows of k elements worth a goroutine.
func rowGrain(k int) int { return 1 + 4096/k }
