//go:build arm64 && !purego

package simd

// gemmKernels has the kernel of each isaLevel of this build.
var gemmKernels = [...]*gemmKernel{
	isaGeneric: &gemmGeneric,
	isaNEON:    {mr: 6, nr: 16, strideA: 8, exactA: true, wide: [3]int{1: 4, 2: 2}, threadFlops: 4 << 20, tile: gemmTileNEON, pack: gemmPackNEON},
}

// gemmTileFunc is an assembly tile of a fixed number of rows and panels; k > 0.
// See gemmKernel for the rest.
type gemmTileFunc func(k int, a *float32, lda int, b *float32, ldb, panelB int, c *float32, ldc int, add bool)

func gemmTileNEON(h, panels, k int, a []float32, lda int, b []float32, ldb, panelB int, c []float32, ldc int, add bool) {
	_, _, _ = a[(k-1)*lda+h-1], b[(panels-1)*panelB+(k-1)*ldb+15], c[(h-1)*ldc+panels*16-1]
	f := gemmTilesNEON[h]
	if panels > 1 {
		f = gemmWidesNEON[h]
	}
	f(k, &a[0], lda, &b[0], ldb, panelB, &c[0], ldc, add)
}

// gemmPackNEON is gemmPack, with whole panels of B copied 16 values at a time
// and vectors transposed four values at a time.
func gemmPackNEON(dst []float32, stride, w, k int, src []float32, ld int, kMajor bool) {
	_ = dst[(k-1)*stride+(w+3)&^3-1]
	if kMajor {
		if w < 16 {
			gemmPack(dst, stride, w, k, src, ld, true)
			return
		}
		_ = src[(k-1)*ld+15]
		gemmCopyNEON(&dst[0], stride, k, &src[0], ld)
		return
	}
	_ = src[(w-1)*ld+k-1]
	whole := k &^ 3
	for x := 0; x < w && whole > 0; x += 4 {
		gemmTransposeNEON(&dst[x], stride, min(4, w-x), whole, &src[x*ld], ld)
	}
	if whole < k {
		gemmPack(dst[whole*stride:], stride, w, k-whole, src[whole:], ld, false)
	}
}

// gemmCopyNEON copies k rows of 16 values from src, ld apart, to dst, stride
// apart.
//
//go:noescape
func gemmCopyNEON(dst *float32, stride, k int, src *float32, ld int)

// gemmTransposeNEON sets dst[p*stride+x] to src[x*ld+p] for x < w ≤ 4 and p < k,
// a multiple of 4. It writes four values of every row of dst; those from w on
// are copies of the last.
//
//go:noescape
func gemmTransposeNEON(dst *float32, stride, w, k int, src *float32, ld int)
