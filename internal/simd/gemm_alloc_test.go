//go:build !race

package simd

import (
	"math/rand/v2"
	"runtime"
	"testing"
)

// The race detector makes sync.Pool forget things on purpose, so these counts
// hold without it only.

func TestRepackReusesMemory(t *testing.T) {
	x := randoms(rand.New(rand.NewPCG(1, 1)), 300*70)
	p := PackB(false, 300, 70, x, 70)
	if n := testing.AllocsPerRun(10, func() { p.Repack(true, 70, 300, x, 70) }); n > 0 {
		t.Errorf("Repack allocates %v times", n)
	}
}

func TestGemmDoesNotAllocate(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	for _, m := range []int{1, 300} {
		p := newProduct(rand.New(rand.NewPCG(1, 1)), false, false, false, m, 130, 64, [3]int{})
		p.run(p.c)
		// A garbage collection may empty the pools, so not quite zero.
		if n := testing.AllocsPerRun(200, func() { p.run(p.c) }); n > 0.5 {
			t.Errorf("m=%d: %v allocations a call", m, n)
		}
	}
}
