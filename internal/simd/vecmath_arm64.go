//go:build arm64 && !purego

package simd

// vecWhole is how many of n values the assembly takes: whole vectors of four.
func vecWhole(n int) int {
	if isaLevel(isaCurrent.Load()) < isaNEON {
		return 0
	}
	return n &^ 3
}

func vecExpHead(dst, src []float32) int {
	n := vecWhole(len(src))
	if n > 0 {
		vecExpNEON(n, &dst[0], &src[0])
	}
	return n
}

func vecLogHead(dst, src []float32) int {
	n := vecWhole(len(src))
	if n > 0 {
		vecLogNEON(n, &dst[0], &src[0])
	}
	return n
}

func vecSigmoidHead(dst, src []float32) int {
	n := vecWhole(len(src))
	if n > 0 {
		vecSigmoidNEON(n, &dst[0], &src[0])
	}
	return n
}

func vecExpSumHead(sums *[4]float64, dst, src []float32, shift float32) int {
	n := vecWhole(len(src))
	for i, v := range src[:n] {
		dst[i] = v - shift
	}
	vecExpHead(dst, dst[:n])
	for i, v := range dst[:n] {
		sums[i%4] += float64(v)
	}
	return n
}

func vecSoftplusHead(y, slope, x []float32) int { return 0 } // plain Go

func vecTanhHead(dst, src []float32) int {
	n := vecWhole(len(src))
	if n > 0 {
		vecTanhNEON(n, &dst[0], &src[0])
	}
	return n
}

func vecAxpyHead(alpha float32, x, y []float32) int {
	n := vecWhole(len(x))
	if n > 0 {
		vecAxpyNEON(n, alpha, &x[0], &y[0])
	}
	return n
}

func vecAdamHead(p, g, m, v []float32, k *adamFactors) int {
	n := vecWhole(len(p))
	if n > 0 {
		vecAdamNEON(n, &p[0], &g[0], &m[0], &v[0], k)
	}
	return n
}

// All of these take a multiple of four values, n > 0.

//go:noescape
func vecExpNEON(n int, dst, src *float32)

//go:noescape
func vecLogNEON(n int, dst, src *float32)

//go:noescape
func vecSigmoidNEON(n int, dst, src *float32)

//go:noescape
func vecTanhNEON(n int, dst, src *float32)

//go:noescape
func vecAxpyNEON(n int, alpha float32, x, y *float32)

//go:noescape
func vecAdamNEON(n int, p, grad, m, v *float32, k *adamFactors)
