package simd

// gemmGeneric is the kernel for processors without an assembly kernel. Its
// tiles are small enough for the sixteen registers Go has on amd64. Each product
// is rounded, on processors whose compiler would fuse it too.
var gemmGeneric = gemmKernel{
	mr: 2, nr: 4, strideA: 2, wide: [3]int{1: 2}, threadFlops: 1 << 20,
	tile: gemmTileGeneric, pack: gemmPack,
}

func gemmTileGeneric(h, panels, k int, a []float32, lda int, b []float32, ldb, panelB int, c []float32, ldc int, add bool) {
	if panels == 2 {
		gemmTile1x8(k, a, lda, b, b[panelB:], ldb, c, add)
		return
	}
	gemmTile2x4(h, k, a, lda, b, ldb, c, ldc, add)
}

// gemmTile2x4 always multiplies two rows, of which C gets the top h.
func gemmTile2x4(h, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int, add bool) {
	var c00, c01, c02, c03, c10, c11, c12, c13 float32
	for p := range k {
		x, y := a[p*lda:][:2], b[p*ldb:][:4]
		c00 += float32(x[0] * y[0])
		c01 += float32(x[0] * y[1])
		c02 += float32(x[0] * y[2])
		c03 += float32(x[0] * y[3])
		c10 += float32(x[1] * y[0])
		c11 += float32(x[1] * y[1])
		c12 += float32(x[1] * y[2])
		c13 += float32(x[1] * y[3])
	}
	gemmStore4(c, c00, c01, c02, c03, add)
	if h > 1 {
		gemmStore4(c[ldc:], c10, c11, c12, c13, add)
	}
}

// gemmTile1x8 multiplies one row by two panels.
func gemmTile1x8(k int, a []float32, lda int, b0, b1 []float32, ldb int, c []float32, add bool) {
	var c0, c1, c2, c3, c4, c5, c6, c7 float32
	for p := range k {
		x, y, z := a[p*lda], b0[p*ldb:][:4], b1[p*ldb:][:4]
		c0 += float32(x * y[0])
		c1 += float32(x * y[1])
		c2 += float32(x * y[2])
		c3 += float32(x * y[3])
		c4 += float32(x * z[0])
		c5 += float32(x * z[1])
		c6 += float32(x * z[2])
		c7 += float32(x * z[3])
	}
	gemmStore4(c, c0, c1, c2, c3, add)
	gemmStore4(c[4:], c4, c5, c6, c7, add)
}

func gemmStore4(c []float32, c0, c1, c2, c3 float32, add bool) {
	c = c[:4]
	if add {
		c0, c1, c2, c3 = c[0]+c0, c[1]+c1, c[2]+c2, c[3]+c3
	}
	c[0], c[1], c[2], c[3] = c0, c1, c2, c3
}
