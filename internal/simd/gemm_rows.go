package simd

// MulRows computes y += x·B for a few rows, bit for bit what [GemmPacked] gives
// with accumulate. It works on the caller's goroutine and costs little beside
// the product itself, down to a single row: what a network that runs sample by
// sample needs. The rows of x are ldx apart, those of y ldy. scratch keeps memory
// between calls; it serves one call at a time.
//
//	x [m, k], B [k, n], y [m, n] float32
func (b *Packed) MulRows(m int, x []float32, ldx int, y []float32, ldy int, scratch *RowScratch) {
	if m == 0 || b.k == 0 || b.n == 0 {
		return
	}
	_, _ = x[(m-1)*ldx+b.k-1], y[(m-1)*ldy+b.n-1]
	kern := b.kern
	wide := (b.n + kern.nr - 1) / kern.nr * kern.nr
	for pc := 0; pc < b.k; pc += gemmKC {
		kc := min(gemmKC, b.k-pc)
		for i := 0; i < m; i += kern.mr {
			h := min(kern.mr, m-i)
			a, lda := x[i*ldx+pc:], 1
			if h > 1 || kern == &gemmGeneric {
				scratch.rows = gemmGrow(scratch.rows, kern.strideA*kc)
				a, lda = scratch.rows, kern.strideA
				kern.pack(a, lda, h, kc, x[i*ldx+pc:], ldx, false)
			}
			scratch.edge = gemmGrow(scratch.edge, kern.mr*kern.nr)
			b.mulTile(h, pc, kc, a, lda, y[i*ldy:], ldy, wide, scratch.edge)
		}
	}
}

// RowScratch is the memory of [Packed.MulRows] and [PackedInt8.MulRows]. The zero
// value is ready.
type RowScratch struct {
	rows, edge, scales []float32
	codes              []uint8
	tile               int8Tile
}

// mulTile adds to h rows of y their products with the values pc to pc+kc-1 of k.
func (b *Packed) mulTile(h, pc, kc int, a []float32, lda int, y []float32, ldy, wide int, edge []float32) {
	kern := b.kern
	nr := kern.nr
	panels := 1
	if h < len(kern.wide) {
		panels = max(1, kern.wide[h])
	}
	for j := 0; j < b.n; {
		data := b.data[wide*pc+j*kc:]
		if b.n-j >= nr*panels {
			kern.tile(h, panels, kc, a, lda, data, nr, nr*kc, y[j:], ldy, true)
			j += nr * panels
			continue
		}
		if b.n-j >= nr {
			kern.tile(h, 1, kc, a, lda, data, nr, nr*kc, y[j:], ldy, true)
			j += nr
			continue
		}
		kern.tile(h, 1, kc, a, lda, data, nr, nr*kc, edge, nr, false)
		for r := range h {
			add(y[r*ldy+j:r*ldy+b.n], edge[r*nr:])
		}
		j = b.n
	}
}
