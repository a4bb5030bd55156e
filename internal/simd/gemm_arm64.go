//go:build arm64 && !purego

package simd

//go:generate go run gemm_gen_arm64.go

// gemmKernels has the kernel of each isaLevel of this build.
var gemmKernels = [...]*gemmKernel{
	isaGeneric: &gemmGeneric,
	isaNEON:    {mr: 6, nr: 16, strideA: 8, wide: [3]int{1: 4, 2: 2}, threadFlops: 4 << 20, tile: gemmTileNEON, pack: gemmPack},
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
