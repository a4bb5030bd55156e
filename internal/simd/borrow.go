package simd

import (
	"math/bits"
	"sync"
)

// scratch holds free buffers by capacity. Capacities come in four steps per
// power of two, so that the many lengths of a stream share few buffers.
type scratch[T float32 | float64] struct {
	sync.Mutex
	byCap map[int][][]T
	held  int // values
}

// scratchHeld bounds the scratch kept for reuse (values).
const scratchHeld = 32 << 20

var (
	scratch32 = scratch[float32]{byCap: map[int][][]float32{}}
	scratch64 = scratch[float64]{byCap: map[int][][]float64{}}
)

// Borrow returns a scratch buffer of n floats with undefined contents.
func Borrow(n int) []float32 { return scratch32.borrow(n) }

// Return gives a borrowed buffer back. It must not be used afterwards.
func Return(buf []float32) { scratch32.giveBack(buf) }

func borrowWide(n int) []float64 { return scratch64.borrow(n) }
func returnWide(buf []float64)   { scratch64.giveBack(buf) }

func (s *scratch[T]) borrow(n int) []T {
	c := scratchCap(n)
	s.Lock()
	defer s.Unlock()
	if list := s.byCap[c]; len(list) > 0 {
		buf := list[len(list)-1]
		s.byCap[c] = list[:len(list)-1]
		s.held -= c
		return buf[:n]
	}
	return make([]T, n, c)
}

func (s *scratch[T]) giveBack(buf []T) {
	c := cap(buf)
	s.Lock()
	defer s.Unlock()
	if s.held+c > scratchHeld {
		clear(s.byCap)
		s.held = 0
	}
	s.byCap[c] = append(s.byCap[c], buf)
	s.held += c
}

// scratchCap rounds n up to 4, 5, 6 or 7 times a power of two.
func scratchCap(n int) int {
	step := 1 << max(bits.Len(uint(n))-3, 0)
	return (n + step - 1) / step * step
}

// freeList keeps values for reuse, with the memory they hold. A sync.Pool would
// lose them at every collection.
type freeList[T any] struct {
	sync.Mutex
	free []*T
}

func (l *freeList[T]) get() *T {
	l.Lock()
	defer l.Unlock()
	if n := len(l.free); n > 0 {
		x := l.free[n-1]
		l.free = l.free[:n-1]
		return x
	}
	return new(T)
}

func (l *freeList[T]) put(x *T) {
	l.Lock()
	defer l.Unlock()
	l.free = append(l.free, x)
}
