package simd

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

func TestParallelCoversEachItemOnce(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, procs := range []int{1, 2, 7} {
		runtime.GOMAXPROCS(procs)
		for _, n := range []int{0, 1, 5, 100, 1001} {
			for _, grain := range []int{0, 1, 10, 2000} {
				seen := make([]atomic.Int32, n)
				Parallel(n, grain, func(lo, hi int) {
					if hi-lo < min(grain, n) && hi != n {
						t.Errorf("range [%d, %d) is shorter than %d", lo, hi, grain)
					}
					for i := lo; i < hi; i++ {
						seen[i].Add(1)
					}
				})
				for i := range seen {
					if seen[i].Load() != 1 {
						t.Fatalf("n=%d grain=%d procs=%d: item %d was done %d times", n, grain, procs, i, seen[i].Load())
					}
				}
			}
		}
	}
}

func TestParallelNestedAndConcurrent(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	var total atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			Parallel(40, 1, func(lo, hi int) {
				for range hi - lo {
					Parallel(30, 1, func(lo, hi int) { total.Add(int64(hi - lo)) })
				}
			})
		})
	}
	wg.Wait()
	if got := total.Load(); got != 8*40*30 {
		t.Errorf("%d items done, want %d", got, 8*40*30)
	}
}

func TestParallelPanicReachesCaller(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	for range 50 {
		func() {
			defer func() {
				if r := recover(); r != "bad range" {
					t.Errorf("recovered %v, want the value f panicked with", r)
				}
			}()
			Parallel(100, 1, func(lo, hi int) {
				if lo >= 60 {
					panic("bad range")
				}
			})
		}()
	}
	var n atomic.Int64
	Parallel(100, 1, func(lo, hi int) { n.Add(int64(hi - lo)) })
	if n.Load() != 100 {
		t.Errorf("%d items done after a panic, want 100", n.Load())
	}
}
