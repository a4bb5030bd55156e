//go:build amd64 && !purego

package simd

// vecWhole is how many of n values the assembly takes: whole vectors of eight,
// none on a processor without AVX2. AVX-512 uses the same code, bound as it is
// by division and memory.
func vecWhole(n int) int {
	if isaLevel(isaCurrent.Load()) < isaAVX2 {
		return 0
	}
	return n &^ 7
}

func vecExpHead(dst, src []float32) int {
	n := vecWhole(len(src))
	if n > 0 {
		vecExpAVX2(n, &dst[0], &src[0])
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
	n := vecWhole(len(x))
	if n > 0 {
		vecSoftplusAVX2(n, &y[0], &slope[0], &x[0])
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

// All of these take a multiple of eight values, n > 0.

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
