package simd

// Packed is a matrix B [k, n] laid out for the kernel of the instruction set
// that was in use when it was packed. Any number of goroutines may use it at a
// time.
type Packed struct {
	kern *gemmKernel
	k, n int
	data []float32 // blocks of gemmKC values of k; in each, panels of nr columns
}

// PackB prepares op(B) [k, n], stored [k, n] or, with transB, [n, k] with leading
// dimension ldb, for many calls of [GemmPacked]. It panics like [Gemm] on
// sizes that do not fit.
func PackB(transB bool, k, n int, b []float32, ldb int) *Packed {
	p := new(Packed)
	p.Repack(transB, k, n, b, ldb)
	return p
}

// Repack is PackB into the memory of p, for weights that have changed. The
// zero value of Packed will do. No call may be using p.
func (p *Packed) Repack(transB bool, k, n int, b []float32, ldb int) {
	gemmCheckOperand("B", transB, k, n, b, ldb)
	p.kern, p.k, p.n = gemmKernels[isaCurrent.Load()], k, n
	nr := p.kern.nr
	wide := (n + nr - 1) / nr * nr
	p.data = gemmGrow(p.data, wide*k)
	g := gemmCall{transB: transB, b: b, ldb: ldb}
	for pc := 0; pc < k; pc += gemmKC {
		kc := min(gemmKC, k-pc)
		for j := 0; j < n; j += nr {
			p.kern.pack(p.data[wide*pc+j*kc:], nr, min(nr, n-j), kc, g.sourceB(pc, j), ldb, !transB)
		}
	}
}

// gemmPack is the packing every instruction set can use; see gemmKernel.
func gemmPack(dst []float32, stride, w, k int, src []float32, ld int, kMajor bool) {
	if kMajor {
		for p := range k {
			copy(dst[p*stride:][:w], src[p*ld:])
		}
		return
	}
	for x := range w {
		for p, v := range src[x*ld:][:k] {
			dst[p*stride+x] = v
		}
	}
}
