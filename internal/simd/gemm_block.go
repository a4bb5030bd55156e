package simd

import "sync"

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
)

// gemmKernel is the innermost loop of a product for one instruction set.
//
// tile computes h ≤ mr rows of C, as wide as the panels of B, nr columns each:
// with add, C += A·B, else C = A·B. There is one panel, or wide[h] of them.
//
//	A  k groups of h values, lda apart
//	B  panels, panelB apart, of k groups of nr values, ldb apart
//	C  h rows, ldc apart
//
// A is packed with strideA ≥ mr for lda.
//
// pack copies w vectors of k values. Value p of vector x goes to
// dst[p*stride+x]; it comes from src[p*ld+x] if kMajor is set, else from
// src[x*ld+p]. Values of dst with w ≤ x < stride are undefined.
//
// Products of fewer than threadFlops operations are not worth waking a thread.
type gemmKernel struct {
	mr, nr, strideA int
	wide            [3]int
	threadFlops     int
	tile            func(h, panels, k int, a []float32, lda int, b []float32, ldb, panelB int, c []float32, ldc int, add bool)
	pack            func(dst []float32, stride, w, k int, src []float32, ld int, kMajor bool)
}

// gemmBuffers is the scratch memory of one block of C, grown as needed.
type gemmBuffers struct {
	a, b []float32
	edge []float32 // one tile that hangs over the right edge of C
}

var gemmBufferPool = sync.Pool{New: func() any { return new(gemmBuffers) }}

// gemmGrow returns a slice of n values, x itself if it has room. The values
// are those left by the last user.
func gemmGrow(x []float32, n int) []float32 {
	if cap(x) < n {
		return make([]float32, n)
	}
	return x[:n]
}

// gemmBlock computes rows i0 to i1-1 and columns j0 to j1-1 of C, where j0 is a
// multiple of nr.
func gemmBlock(g *gemmCall, i0, i1, j0, j1 int) {
	buf := gemmBufferPool.Get().(*gemmBuffers)
	mr, nr := g.kern.mr, g.kern.nr
	kc := min(gemmKC, g.k)
	buf.a = gemmGrow(buf.a, gemmMC/mr*g.kern.strideA*kc)
	buf.edge = gemmGrow(buf.edge, mr*nr)
	// B is packed unless few rows will use it and its rows serve as they are.
	packB := g.packed == nil && (g.transB || i1-i0 > 2*mr)
	if g.packed == nil {
		buf.b = gemmGrow(buf.b, (min(gemmNC, j1-j0)+nr-1)/nr*nr*kc)
	}
	blocks := (i1 - i0 + gemmMC - 1) / gemmMC
	for jc := j0; jc < j1; jc += gemmNC {
		je := min(jc+gemmNC, j1)
		for pc := 0; pc < g.k; pc += gemmKC {
			kc := min(gemmKC, g.k-pc)
			if g.packed == nil {
				for j := jc; j < je; j += nr {
					if w := min(nr, je-j); packB || w < nr {
						g.kern.pack(buf.b[(j-jc)*kc:], nr, w, kc, g.sourceB(pc, j), g.ldb, !g.transB)
					}
				}
			}
			for block := range blocks {
				ic, ie := gemmPart(i0, i1, block, blocks), gemmPart(i0, i1, block+1, blocks)
				g.packA(buf.a, ic, ie, pc, kc)
				wide := 1
				if ie-ic < len(g.kern.wide) {
					wide = max(1, g.kern.wide[ie-ic])
				}
				for j := jc; j < je; {
					w := min(nr*wide, je-j)
					if w < nr*wide {
						w = min(nr, w)
					}
					var b []float32
					ldb, panelB := nr, nr*kc
					switch {
					case g.packed != nil:
						b = g.packed[(g.n+nr-1)/nr*nr*pc+j*kc:]
					case packB || w < nr:
						b = buf.b[(j-jc)*kc:]
					default:
						b, ldb, panelB = g.sourceB(pc, j), g.ldb, nr
					}
					g.column(buf, ic, ie, j, w, kc, b, ldb, panelB, g.accumulate || pc > 0)
					j += w
				}
			}
		}
	}
	gemmBufferPool.Put(buf)
}

// column multiplies the packed rows ic to ie-1 of A by w columns of B, from j on:
// whole panels, or less than one.
func (g *gemmCall) column(buf *gemmBuffers, ic, ie, j, w, kc int, b []float32, ldb, panelB int, add bool) {
	nr, stride := g.kern.nr, g.kern.strideA
	panels := (ie - ic + g.kern.mr - 1) / g.kern.mr
	for p := range panels {
		i := gemmPart(ic, ie, p, panels)
		h := gemmPart(ic, ie, p+1, panels) - i
		a := buf.a[p*stride*kc:]
		c := g.c[i*g.ldc+j:]
		if w >= nr {
			g.kern.tile(h, w/nr, kc, a, stride, b, ldb, panelB, c, g.ldc, add)
			continue
		}
		g.kern.tile(h, 1, kc, a, stride, b, ldb, panelB, buf.edge, nr, false)
		for r := range h {
			to := c[r*g.ldc : r*g.ldc+w]
			from := buf.edge[r*nr:][:w]
			if add {
				for x, v := range from {
					to[x] += v
				}
			} else {
				copy(to, from)
			}
		}
	}
}

// packA packs rows ic to ie-1 of op(A), values pc to pc+kc-1 of k, in panels of
// about equal height.
func (g *gemmCall) packA(dst []float32, ic, ie, pc, kc int) {
	stride := g.kern.strideA
	panels := (ie - ic + g.kern.mr - 1) / g.kern.mr
	for p := range panels {
		i := gemmPart(ic, ie, p, panels)
		src := g.a
		if g.transA {
			src = src[pc*g.lda+i:]
		} else {
			src = src[i*g.lda+pc:]
		}
		g.kern.pack(dst[p*stride*kc:], stride, gemmPart(ic, ie, p+1, panels)-i, kc, src, g.lda, g.transA)
	}
}

// gemmPart is the start of part i of n nearly equal parts of [lo, hi).
func gemmPart(lo, hi, i, n int) int { return lo + (hi-lo)*i/n }

// sourceB is B from row p and column j of op(B) on.
func (g *gemmCall) sourceB(p, j int) []float32 {
	if g.transB {
		return g.b[j*g.ldb+p:]
	}
	return g.b[p*g.ldb+j:]
}
