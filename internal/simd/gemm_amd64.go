//go:build amd64 && !purego

package simd

// gemmKernels has the kernel of each isaLevel of this build.
var gemmKernels = [...]*gemmKernel{
	isaGeneric: &gemmGeneric,
	isaAVX2:    {mr: 6, nr: 16, strideA: 8, exactA: true, half: true, wide: [3]int{1: 4, 2: 2}, threadFlops: 2 << 20, tile: gemmTileAVX2, pack: gemmPackAVX2},
	isaAVX512:  {mr: 14, nr: 32, strideA: 16, exactA: true, half: true, wide: [3]int{1: 4, 2: 2}, threadFlops: 4 << 20, tile: gemmTileAVX512, pack: gemmPackAVX2},
}

// gemmTileFunc is an assembly tile of a fixed number of rows and panels; k > 0.
// See gemmKernel for the rest.
type gemmTileFunc func(k int, a *float32, lda int, b *float32, ldb, panelB int, c *float32, ldc int, add bool)

func gemmTileAVX2(h, panels, k int, a []float32, lda int, b []float32, ldb, panelB int, c []float32, ldc int, add bool) {
	gemmCheckTile(h, panels, 16, k, a, lda, b, ldb, panelB, c, ldc)
	f := gemmTilesAVX2[h]
	switch {
	case panels > 1:
		f = gemmWidesAVX2[h]
	case panels == 0:
		f = gemmHalvesAVX2[h]
	}
	f(k, &a[0], lda, &b[0], ldb, panelB, &c[0], ldc, add)
}

func gemmTileAVX512(h, panels, k int, a []float32, lda int, b []float32, ldb, panelB int, c []float32, ldc int, add bool) {
	gemmCheckTile(h, panels, 32, k, a, lda, b, ldb, panelB, c, ldc)
	f := gemmTilesAVX512[h]
	switch {
	case panels > 1:
		f = gemmWidesAVX512[h]
	case panels == 0:
		f = gemmHalvesAVX512[h]
	}
	f(k, &a[0], lda, &b[0], ldb, panelB, &c[0], ldc, add)
}

// gemmCheckTile panics if an assembly tile would leave a slice.
func gemmCheckTile(h, panels, nr, k int, a []float32, lda int, b []float32, ldb, panelB int, c []float32, ldc int) {
	if panels == 0 {
		panels, nr = 1, nr/2
	}
	_, _, _ = a[(k-1)*lda+h-1], b[(panels-1)*panelB+(k-1)*ldb+nr-1], c[(h-1)*ldc+panels*nr-1]
}

// gemmPackAVX2 is gemmPack, eight values at a time.
func gemmPackAVX2(dst []float32, stride, w, k int, src []float32, ld int, kMajor bool) {
	_ = dst[(k-1)*stride+(w+7)&^7-1]
	if kMajor {
		_ = src[(k-1)*ld+w-1]
		gemmCopyAVX2(&dst[0], stride, w, k, &src[0], ld)
		return
	}
	_ = src[(w-1)*ld+k-1]
	whole := k &^ 7
	for x := 0; x < w && whole > 0; x += 8 {
		gemmTransposeAVX2(&dst[x], stride, min(8, w-x), whole, &src[x*ld], ld)
	}
	if whole < k {
		gemmPack(dst[whole*stride:], stride, w, k-whole, src[whole:], ld, false)
	}
}

// gemmCopyAVX2 copies k rows of w values from src, ld apart, to dst, stride
// apart. It writes whole vectors of eight values.
//
//go:noescape
func gemmCopyAVX2(dst *float32, stride, w, k int, src *float32, ld int)

// gemmTransposeAVX2 sets dst[p*stride+x] to src[x*ld+p] for x < w ≤ 8 and p < k,
// a multiple of 8. It writes eight values of every row of dst; those from w on
// are copies of the last.
//
//go:noescape
func gemmTransposeAVX2(dst *float32, stride, w, k int, src *float32, ld int)
