package wavenet

import "vqspeech/internal/simd"

// product multiplies rows by one weight matrix W [k, n]: y += x·W. Rows of x are
// ldx apart, rows of y ldy. A row of the result must not depend on the number
// of rows. Every matrix that generation reads for each sample is a product, so
// that another number format of the weights is another product.
type product interface {
	add(m int, y []float32, ldy int, x []float32, ldx int, scratch *simd.RowScratch)
}

// packing makes a product of a matrix [k, n].
type packing func(k, n int, w []float32) product

// float32Product is the product of weights as they were trained.
type float32Product struct{ w *simd.Packed }

func packFloat32(k, n int, w []float32) product {
	return float32Product{simd.PackB(false, k, n, w, n)}
}

func (p float32Product) add(m int, y []float32, ldy int, x []float32, ldx int, scratch *simd.RowScratch) {
	p.w.MulRows(m, x, ldx, y, ldy, scratch)
}

// int8Product is the product of weights rounded to bytes.
type int8Product struct{ w *simd.PackedInt8 }

func packInt8(k, n int, w []float32) product { return int8Product{simd.PackInt8(k, n, w)} }

func (p int8Product) add(m int, y []float32, ldy int, x []float32, ldx int, scratch *simd.RowScratch) {
	p.w.MulRows(m, x, ldx, y, ldy, scratch)
}
