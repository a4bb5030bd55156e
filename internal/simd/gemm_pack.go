package simd

// Packed is a matrix B [k, n] laid out for the kernel of the instruction set
// that was in use when it was packed. Any number of goroutines may use it at a
// time.
type Packed struct {
	kern *gemmKernel
	k, n int
	data []float32 // blocks of gemmKC values of k; in each, panels of nr columns

	call gemmCall         // being packed
	run  func(lo, hi int) // method value, made once
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
	p.fill(&gemmCall{kern: gemmKernels[isaCurrent.Load()], transB: transB, k: k, n: n, b: b, ldb: ldb})
}

// fill packs B of a product.
func (p *Packed) fill(g *gemmCall) {
	p.kern, p.k, p.n = g.kern, g.k, g.n
	nr := g.kern.nr
	panels := (g.n + nr - 1) / nr
	p.data = gemmGrow(p.data, panels*nr*g.k)
	if len(p.data) == 0 {
		return
	}
	p.call = *g
	if p.run == nil {
		p.run = p.fillPanels
	}
	Parallel(panels, 1+gemmPackGrain/(nr*g.k), p.run)
	p.call = gemmCall{}
}

// gemmPackGrain is the least number of values worth a thread to pack.
const gemmPackGrain = 1 << 15

// fillPanels packs the panels lo to hi-1.
func (p *Packed) fillPanels(lo, hi int) {
	g := &p.call
	nr := g.kern.nr
	wide := (g.n + nr - 1) / nr * nr
	for pc := 0; pc < g.k; pc += gemmKC {
		kc := min(gemmKC, g.k-pc)
		for j := lo * nr; j < min(hi*nr, g.n); j += nr {
			g.packB(p.data[wide*pc+j*kc:], pc, kc, j, min(nr, g.n-j))
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
