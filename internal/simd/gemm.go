package simd

import (
	"fmt"
	"runtime"
)

// Gemm computes C = op(A)·op(B), or C += op(A)·op(B) with accumulate, where op
// transposes if the flag says so.
//
//	op(A) [m, k] float32, stored [m, k] or, with transA, [k, m]
//	op(B) [k, n] float32, stored [k, n] or, with transB, [n, k]
//	C     [m, n] float32
//
// Few rows against a B that stays the same are much faster with [GemmPacked].
// C must not overlap A or B. With k = 0 the product is zero. Gemm panics on a
// negative size, on a leading dimension shorter than a stored row and on a
// slice too short for its shape.
func Gemm(transA, transB bool, m, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int, accumulate bool) {
	gemmCheckOperand("B", transB, k, n, b, ldb)
	gemmRun(&gemmCall{
		kern: gemmKernels[isaCurrent.Load()], transA: transA, transB: transB, m: m, n: n, k: k,
		a: a, lda: lda, b: b, ldb: ldb, c: c, ldc: ldc, accumulate: accumulate,
	})
}

// GemmPacked is Gemm with a matrix B [k, n] that [PackB] has prepared: C = A·B,
// or C += A·B with accumulate, bit for bit what Gemm gives.
//
//	A [m, k] float32
//	C [m, n] float32
func GemmPacked(m int, a []float32, lda int, b *Packed, c []float32, ldc int, accumulate bool) {
	gemmRun(&gemmCall{
		kern: b.kern, packed: b.data, m: m, n: b.n, k: b.k,
		a: a, lda: lda, c: c, ldc: ldc, accumulate: accumulate,
	})
}

// gemmCall holds the arguments of one product. A is a, or the frames that window
// gathers from it; B is b, b in the order of taps, or packed.
type gemmCall struct {
	kern           *gemmKernel
	transA, transB bool
	m, n, k        int
	a              []float32
	lda            int
	window         window
	b              []float32
	ldb            int
	taps           tapOrder
	packed         []float32
	c              []float32
	ldc            int
	places         lattice   // of the rows of C
	bias           []float32 // added to the rows of C in the end; may be nil
	accumulate     bool
}

// gemmCheckOperand panics unless x holds a rows×cols matrix, stored transposed
// if trans is set, with leading dimension ld.
func gemmCheckOperand(name string, trans bool, rows, cols int, x []float32, ld int) {
	if rows < 0 || cols < 0 {
		panic(fmt.Sprintf("simd: %s is %d×%d, want sizes of at least 0", name, rows, cols))
	}
	if trans {
		rows, cols = cols, rows
	}
	if rows == 0 || cols == 0 {
		return
	}
	if ld < cols {
		panic(fmt.Sprintf("simd: leading dimension of %s is %d, want at least %d", name, ld, cols))
	}
	if want := (rows-1)*ld + cols; len(x) < want {
		panic(fmt.Sprintf("simd: %s holds %d values, want at least %d", name, len(x), want))
	}
}

// gemmTasks is a product cut into rows × cols blocks of C, of nearly equal sizes
// in whole tiles. B is packed once for all of them where that pays.
type gemmTasks struct {
	call       gemmCall
	shared     Packed
	rows, cols int
	run        func(lo, hi int) // method value, made once
}

var gemmTaskList = freeList[gemmTasks]{}

func gemmRun(g *gemmCall) {
	if g.window.in == 0 {
		gemmCheckOperand("A", g.transA, g.m, g.k, g.a, g.lda)
	}
	if g.places.w == 0 {
		gemmCheckOperand("C", false, g.m, g.n, g.c, g.ldc)
	}
	if g.m == 0 || g.n == 0 {
		return
	}
	if g.k == 0 {
		if !g.accumulate {
			for i := range g.m {
				row := g.c[g.row(i):][:g.n]
				clear(row)
				if g.bias != nil {
					add(row, g.bias[:g.n])
				}
			}
		}
		return
	}
	width := 1
	most := min(4*float64(g.m)*float64(g.n)*float64(g.k)/float64(g.kern.threadFlops), 1e6)
	if most >= 2 {
		width = runtime.GOMAXPROCS(0)
	}
	if width == 1 {
		gemmBlock(g, 0, g.m, 0, g.n)
		return
	}
	t := gemmTaskList.get()
	if t.run == nil {
		t.run = t.do
	}
	t.call = *g
	if g.packed == nil && g.m > gemmFewRows*g.kern.mr {
		t.shared.fill(g)
		t.call.packed = t.shared.data
	}
	t.split(width, int(most))
	parallelRun(width, t.rows*t.cols, 1, t.run)
	t.call = gemmCall{}
	gemmTaskList.put(t)
}

// split sets the number of blocks, at most most of them, that takes the least
// time by a rough model. The model counts the multiply-adds of a block and the
// packing of its rows, and of its columns unless B is packed, a value at the
// price of gemmPackCost multiply-adds; half a block is added for the thread that
// ends last.
func (t *gemmTasks) split(width, most int) {
	const gemmPackCost = 16
	g := &t.call
	mr, nr := g.kern.mr, g.kern.nr
	panelsA, panelsB := g.panels()
	best := -1.0
	for over := 1; over <= 4; over *= 2 {
		tasks := min(width*over, most)
		for tr := 1; tr <= min(tasks, panelsA); tr++ {
			tc := min(tasks/tr, panelsB)
			rows, cols := float64(panelsA)/float64(tr)*float64(mr), float64(panelsB)/float64(tc)*float64(nr)
			packed := rows
			if g.packed == nil {
				packed += cols
			}
			waves := (tr*tc + width - 1) / width
			cost := (float64(waves) + 0.5) * (rows*cols + gemmPackCost*packed)
			if best < 0 || cost < best {
				best, t.rows, t.cols = cost, tr, tc
			}
		}
	}
}

// panels returns the number of tiles over the rows and the columns of C.
func (g *gemmCall) panels() (rows, cols int) {
	return (g.m + g.kern.mr - 1) / g.kern.mr, (g.n + g.kern.nr - 1) / g.kern.nr
}

// do computes the blocks lo to hi-1.
func (t *gemmTasks) do(lo, hi int) {
	g := &t.call
	panelsA, panelsB := g.panels()
	row := func(i int) int { return min(gemmPart(0, panelsA, i, t.rows)*g.kern.mr, g.m) }
	col := func(i int) int { return min(gemmPart(0, panelsB, i, t.cols)*g.kern.nr, g.n) }
	for i := lo; i < hi; i++ {
		r, c := i/t.cols, i%t.cols
		gemmBlock(g, row(r), row(r+1), col(c), col(c+1))
	}
}
