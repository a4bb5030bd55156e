//go:build amd64 && !purego

package simd

// vecWhole is how many of n values the assembly takes: whole vectors of eight,
// none on a processor without AVX2. With AVX-512 most use the same code, bound as
// it is by division and memory.
func vecWhole(n int) int {
	if isaLevel(isaCurrent.Load()) < isaAVX2 {
		return 0
	}
	return n &^ 7
}

// vecWide is how many of n values the assembly takes by sixteen.
func vecWide(n int) int {
	if isaLevel(isaCurrent.Load()) < isaAVX512 {
		return 0
	}
	return n &^ 15
}

func vecExpHead(dst, src []float32) int {
	n, wide := vecWhole(len(src)), vecWide(len(src))
	if wide > 0 {
		vecExpAVX512(wide, &dst[0], &src[0])
	}
	if n > wide {
		vecExpAVX2(n-wide, &dst[wide], &src[wide])
	}
	return n
}

func vecExpSumHead(sums *[4]float64, dst, src []float32, shift float32) int {
	n, wide := vecWhole(len(src)), vecWide(len(src))
	if wide > 0 {
		vecExpSumAVX512(wide, sums, &dst[0], &src[0], shift)
	}
	if n > wide {
		vecExpSumAVX2(n-wide, sums, &dst[wide], &src[wide], shift)
	}
	return n
}

func vecLogHead(dst, src []float32) int {
	n := vecWhole(len(src))
	if n > 0 {
		vecLogAVX2(n, &dst[0], &src[0])
	}
	return n
}

func vecSigmoidHead(dst, src []float32) int {
	n := vecWhole(len(src))
	if n > 0 {
		vecSigmoidAVX2(n, &dst[0], &src[0])
	}
	return n
}

func vecSoftplusHead(y, slope, x []float32) int {
	n, wide := vecWhole(len(x)), vecWide(len(x))
	if wide > 0 {
		vecSoftplusAVX512(wide, &y[0], &slope[0], &x[0])
	}
	if n > wide {
		vecSoftplusAVX2(n-wide, &y[wide], &slope[wide], &x[wide])
	}
	return n
}

func vecTanhHead(dst, src []float32) int {
	n := vecWhole(len(src))
	if n > 0 {
		vecTanhAVX2(n, &dst[0], &src[0])
	}
	return n
}

func vecAxpyHead(alpha float32, x, y []float32) int {
	n := vecWhole(len(x))
	if n > 0 {
		vecAxpyAVX2(n, alpha, &x[0], &y[0])
	}
	return n
}

func vecAdamHead(p, g, m, v []float32, k *adamFactors) int {
	n := vecWhole(len(p))
	if n > 0 {
		vecAdamAVX2(n, &p[0], &g[0], &m[0], &v[0], k)
	}
	return n
}

// All of these take a multiple of eight values, or sixteen with AVX-512, n > 0.

//go:noescape
func vecExpAVX512(n int, dst, src *float32)

//go:noescape
func vecExpSumAVX512(n int, sums *[4]float64, dst, src *float32, shift float32)

//go:noescape
func vecExpSumAVX2(n int, sums *[4]float64, dst, src *float32, shift float32)

//go:noescape
func vecSoftplusAVX512(n int, y, slope, x *float32)

//go:noescape
func vecExpAVX2(n int, dst, src *float32)

//go:noescape
func vecLogAVX2(n int, dst, src *float32)

//go:noescape
func vecSigmoidAVX2(n int, dst, src *float32)

//go:noescape
func vecSoftplusAVX2(n int, y, slope, x *float32)

//go:noescape
func vecTanhAVX2(n int, dst, src *float32)

//go:noescape
func vecAxpyAVX2(n int, alpha float32, x, y *float32)

//go:noescape
func vecAdamAVX2(n int, p, grad, m, v *float32, k *adamFactors)
