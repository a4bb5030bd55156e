package simd

const (
	// gemmKC is the number of values of k summed before a block's sum is
	// added to C. It is part of the meaning of a product: see Determinism in
	// the package comment.
	gemmKC = 256
	// gemmMC rows of A are packed at a time: 200 KB, to stay in L2. A multiple
	// of the height of every kernel's tile.
	gemmMC = 168
	// gemmNC columns of B are packed at a time: 2 MB, to stay in L3.
	gemmNC = 2048
	// gemmReadA is the longest row of a stored transposed A whose tiles are read
	// where they are: 256 of them stay in L2.
	gemmReadA = 256
	// gemmFewPanels panels of B or less do not pay for packing such an A.
	gemmFewPanels = 4
	// gemmFewRows tiles of rows or less do not pay for packing B.
	gemmFewRows = 2
)

// gemmKernel is the innermost loop of a product for one instruction set.
//
// tile computes h ≤ mr rows of C, as wide as the panels of B, nr columns each:
// with add, C += A·B, else C = A·B. There is one panel, or wide[h] of them, or
// with half none, which means the first nr/2 columns of one.
//
//	A  k groups of h values, lda apart
//	B  panels, panelB apart, of k groups of nr values, ldb apart
//	C  h rows, ldc apart
//
// A is packed with strideA ≥ mr for lda.
//
// pack copies w vectors of k values. Value p of vector x goes to
// dst[p*stride+x]; it comes from src[p*ld+x] if kMajor is set, else from
// src[x*ld+p]. stride is a multiple of 8. Values of dst with w ≤ x < stride are
// undefined.
//
// Products of fewer than threadFlops operations are not worth waking a thread.
type gemmKernel struct {
	mr, nr, strideA int
	wide            [3]int
	half            bool
	exactA          bool // tile reads h values of each group of A, not mr
	threadFlops     int
	tile            func(h, panels, k int, a []float32, lda int, b []float32, ldb, panelB int, c []float32, ldc int, add bool)
	pack            func(dst []float32, stride, w, k int, src []float32, ld int, kMajor bool)
}

// gemmGrow returns a slice of n values, x itself if it has room. The values
// are those left by the last user.
func gemmGrow[T any](x []T, n int) []T {
	if cap(x) < n {
		return make([]T, n)
	}
	return x[:n]
}

// gemmPass is the part of a block of C that one packing of B serves: columns jc to
// je-1, values pc to pc+kc-1 of k. Its memory is used again by later products.
type gemmPass struct {
	gemmCall
	jc, je, pc, kc int
	inPlace        bool      // whole panels of B are read where they are
	bufA, bufB     []float32 // packed parts of A and B
	panelA         []float32 // panels of A: bufA, or A itself
	strideA        int       // of panelA
	readA          bool      // rows of A are columns of panelA
	gathered       []float32 // part of A that a window gathers, not yet packed
	edge           []float32 // a tile that hangs over the right edge of C, or whose rows lie apart
}

var gemmPasses = freeList[gemmPass]{}

// gemmBlock computes rows i0 to i1-1 and columns j0 to j1-1 of C, where j0 is a
// multiple of nr.
func gemmBlock(g *gemmCall, i0, i1, j0, j1 int) {
	s := gemmPasses.get()
	s.gemmCall = *g
	mr, nr := g.kern.mr, g.kern.nr
	s.inPlace = g.packed == nil && !g.transB && i1-i0 <= gemmFewRows*mr
	kc := min(gemmKC, g.k)
	s.bufA = gemmGrow(s.bufA, gemmMC/mr*g.kern.strideA*kc)
	s.edge = gemmGrow(s.edge, mr*nr)
	if g.window.in > 0 {
		s.gathered = gemmGrow(s.gathered, gemmMC*kc)
	}
	if g.packed == nil {
		s.bufB = gemmGrow(s.bufB, (min(gemmNC, j1-j0)+nr-1)/nr*nr*kc)
	}
	blocks := (i1 - i0 + gemmMC - 1) / gemmMC
	for s.jc = j0; s.jc < j1; s.jc += gemmNC {
		s.je = min(s.jc+gemmNC, j1)
		for s.pc = 0; s.pc < g.k; s.pc += gemmKC {
			s.kc = min(gemmKC, g.k-s.pc)
			if g.packed == nil {
				s.packPanelsB()
			}
			for b := range blocks {
				ic, ie := gemmPart(i0, i1, b, blocks), gemmPart(i0, i1, b+1, blocks)
				s.rows(ic, ie)
				if g.bias != nil && s.pc+s.kc == g.k {
					for i := ic; i < ie; i++ {
						add(g.c[g.row(i)+s.jc:][:s.je-s.jc], g.bias[s.jc:])
					}
				}
			}
		}
	}
	s.gemmCall, s.panelA = gemmCall{}, nil
	gemmPasses.put(s)
}

// packPanelsB packs the panels of B that are not read in place.
func (s *gemmPass) packPanelsB() {
	nr := s.kern.nr
	for j := s.jc; j < s.je; j += nr {
		if w := min(nr, s.je-j); !s.inPlace || w < nr {
			s.packB(s.bufB[(j-s.jc)*s.kc:], s.pc, s.kc, j, w)
		}
	}
}

// rows computes at most gemmMC rows of C.
func (s *gemmPass) rows(ic, ie int) {
	s.packA(ic, ie)
	nr, wide := s.kern.nr, 1
	if ie-ic < len(s.kern.wide) && s.places.w == 0 {
		wide = max(1, s.kern.wide[ie-ic])
	}
	for j := s.jc; j < s.je; {
		w := nr * wide
		if s.je-j < w {
			w = min(nr, s.je-j)
		}
		switch {
		case s.packed != nil:
			s.columns(ic, ie, j, w, s.packed[(s.n+nr-1)/nr*nr*s.pc+j*s.kc:], nr, nr*s.kc)
		case !s.inPlace || w < nr:
			s.columns(ic, ie, j, w, s.bufB[(j-s.jc)*s.kc:], nr, nr*s.kc)
		default:
			s.columns(ic, ie, j, w, s.sourceB(s.pc, j), s.ldb, nr)
		}
		j += w
	}
}

// columns multiplies the packed rows ic to ie-1 of A by w columns of B, from j on:
// whole panels, or less than one.
func (s *gemmPass) columns(ic, ie, j, w int, b []float32, ldb, panelB int) {
	nr, wide, stride := s.kern.nr, w/s.kern.nr, s.strideA
	if wide == 0 {
		wide = 1
		if s.kern.half && w <= nr/2 {
			wide, nr = 0, nr/2
		}
	}
	add := s.accumulate || s.pc > 0
	panels := (ie - ic + s.kern.mr - 1) / s.kern.mr
	for p := range panels {
		i := gemmPart(ic, ie, p, panels)
		h := gemmPart(ic, ie, p+1, panels) - i
		a := s.panelA
		if s.readA {
			a = a[i-ic:]
		} else {
			a = a[p*stride*s.kc:]
		}
		if w >= nr && s.aligned(i, h) {
			s.kern.tile(h, wide, s.kc, a, stride, b, ldb, panelB, s.c[s.row(i)+j:], s.ldc, add)
			continue
		}
		s.kern.tile(h, wide, s.kc, a, stride, b, ldb, panelB, s.edge, nr, false)
		for r := range h {
			to := s.c[s.row(i+r)+j:][:w]
			if !add {
				copy(to, s.edge[r*nr:])
				continue
			}
			for x, v := range s.edge[r*nr:][:w] {
				to[x] += v
			}
		}
	}
}

// packA packs rows ic to ie-1 of op(A), values pc to pc+kc-1 of k, in panels of
// about equal height.
func (s *gemmPass) packA(ic, ie int) {
	src, ld := s.a, s.lda
	if ie-ic == 1 && s.kern.exactA && !s.transA && s.window.in == 0 { // is packed as it is
		s.panelA, s.strideA, s.readA = src[ic*ld+s.pc:], 1, false
		return
	}
	switch {
	case s.window.in > 0 && s.transA:
		src, ld = s.gathered, ie-ic
		s.window.gather(src, s.a, s.pc, s.pc+s.kc, ic, ie)
	case s.window.in > 0:
		src, ld = s.gathered, s.kc
		s.window.gather(src, s.a, ic, ie, s.pc, s.pc+s.kc)
	case s.transA:
		src = src[s.pc*ld+ic:]
	default:
		src = src[ic*ld+s.pc:]
	}
	few := s.je-s.jc <= gemmFewPanels*s.kern.nr
	if s.transA && s.kern.exactA && few && (s.window.in > 0 || ld <= gemmReadA) {
		s.panelA, s.strideA, s.readA = src, ld, true
		return
	}
	s.panelA, s.strideA, s.readA = s.bufA, s.kern.strideA, false
	step := ld // between the sources of two rows
	if s.transA {
		step = 1
	}
	stride := s.kern.strideA
	panels := (ie - ic + s.kern.mr - 1) / s.kern.mr
	for p := range panels {
		i := gemmPart(0, ie-ic, p, panels)
		h := gemmPart(0, ie-ic, p+1, panels) - i
		s.kern.pack(s.bufA[p*stride*s.kc:], stride, h, s.kc, src[i*step:], ld, s.transA)
	}
}

// gemmPart is the start of part i of n nearly equal parts of [lo, hi).
func gemmPart(lo, hi, i, n int) int { return lo + (hi-lo)*i/n }

// packB packs columns j to j+w-1 of op(B), at most a panel, values pc to pc+kc-1
// of k.
func (g *gemmCall) packB(dst []float32, pc, kc, j, w int) {
	nr := g.kern.nr
	if g.taps.out == 0 {
		g.kern.pack(dst, nr, w, kc, g.sourceB(pc, j), g.ldb, !g.transB)
		return
	}
	for p := pc; p < pc+kc; {
		src, n := g.taps.source(p, j)
		n = min(n, pc+kc-p)
		g.kern.pack(dst[(p-pc)*nr:], nr, w, n, g.b[src:], g.ldb, false)
		p += n
	}
}

// sourceB is B from row p and column j of op(B) on.
func (g *gemmCall) sourceB(p, j int) []float32 {
	if g.transB {
		return g.b[j*g.ldb+p:]
	}
	return g.b[p*g.ldb+j:]
}
