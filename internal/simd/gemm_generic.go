package simd

// gemmGeneric is the kernel for processors without an assembly kernel. Its
// tile is small enough for the sixteen registers Go has on amd64.
var gemmGeneric = gemmKernel{mr: 2, nr: 4, strideA: 2, tile: gemmTileGeneric, pack: gemmPack}

// gemmTileGeneric always multiplies two rows, of which C gets the top h.
func gemmTileGeneric(h, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int, add bool) {
	var c00, c01, c02, c03, c10, c11, c12, c13 float32
	for range k - 1 {
		x, y := a[:2:2], b[:4:4]
		c00 += x[0] * y[0]
		c01 += x[0] * y[1]
		c02 += x[0] * y[2]
		c03 += x[0] * y[3]
		c10 += x[1] * y[0]
		c11 += x[1] * y[1]
		c12 += x[1] * y[2]
		c13 += x[1] * y[3]
		a, b = a[lda:], b[ldb:]
	}
	x, y := a[:2:2], b[:4:4]
	c00 += x[0] * y[0]
	c01 += x[0] * y[1]
	c02 += x[0] * y[2]
	c03 += x[0] * y[3]
	c10 += x[1] * y[0]
	c11 += x[1] * y[1]
	c12 += x[1] * y[2]
	c13 += x[1] * y[3]
	gemmStoreRow(c[:4:4], c00, c01, c02, c03, add)
	if h > 1 {
		gemmStoreRow(c[ldc:][:4:4], c10, c11, c12, c13, add)
	}
}

func gemmStoreRow(c []float32, c0, c1, c2, c3 float32, add bool) {
	if add {
		c0, c1, c2, c3 = c[0]+c0, c[1]+c1, c[2]+c2, c[3]+c3
	}
	c[0], c[1], c[2], c[3] = c0, c1, c2, c3
}
