package simd

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"unsafe"
)

// guarded returns n random values that end (or, with atStart, begin) at a page
// that must not be touched.
func guarded(t *testing.T, r *rand.Rand, n int, atStart bool) []float32 {
	page := syscall.Getpagesize()
	size := (4*n + page - 1) / page * page
	mem, err := syscall.Mmap(-1, 0, size+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Munmap(mem) })
	for _, guard := range [][]byte{mem[:page], mem[page+size:]} {
		if err := syscall.Mprotect(guard, syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	if n == 0 {
		return nil
	}
	start := page
	if !atStart {
		start += size - 4*n
	}
	x := unsafe.Slice((*float32)(unsafe.Pointer(&mem[start])), n)
	copy(x, randoms(r, n))
	return x
}

// A kernel that reads or writes outside its slices dies here of SIGSEGV.
func TestKernelsStayInsideTheirSlices(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		for _, s := range [][3]int{
			{1, 1, 1}, {1, 128, 3}, {2, 65, 9}, {3, 31, 8}, {5, 33, 17}, {13, 15, 7}, {14, 32, 16}, {15, 64, 257}, {29, 17, 12}, {31, 100, 31},
		} {
			for flags := range 8 {
				p := newProduct(r, flags&1 != 0, flags&2 != 0, flags&4 != 0, s[0], s[1], s[2], [3]int{})
				for _, atStart := range []bool{false, true} {
					p.a = guarded(t, r, len(p.a), atStart)
					p.b = guarded(t, r, len(p.b), atStart)
					c := guarded(t, r, len(p.c), atStart)
					p.c = append([]float32(nil), c...)
					p.run(c)
					p.check(t, c)
					copy(c, p.c)
					p.runPacked(c)
					p.check(t, c)
					if !p.transA {
						copy(c, p.c)
						PackB(p.transB, p.k, p.n, p.b, p.ldb).MulRows(p.m, p.a, p.lda, c, p.ldc, new(RowScratch))
						PackInt8(p.k, p.n, p.b).MulRows(p.m, p.a, p.lda, c, p.ldc, new(RowScratch))
					}
				}
			}
		}
		for n := range 20 {
			for _, atStart := range []bool{false, true} {
				x, y := guarded(t, r, n, atStart), guarded(t, r, n, atStart)
				for _, f := range []func(dst, src []float32){Exp, Log, Sigmoid, Tanh} {
					f(y, x)
				}
				expSum(y, x, 0.5)
				softplusSlope(y, guarded(t, r, n, atStart), x)
				Axpy(0.5, x, y)
				h := guarded(t, r, 2*n, atStart)
				GateRow(x, h)
				gateGrad(h[:n], h[n:], x)
				adamStep(1).Apply(x, y, guarded(t, r, n, atStart), guarded(t, r, n, atStart))
			}
		}
	})
}
