package simd

import (
	"math/bits"
	"sync"
)

// free holds scratch buffers by capacity. Capacities come in four steps per
// power of two, so that the many lengths of a stream share few buffers.
var free = struct {
	sync.Mutex
	byCap map[int][][]float32
	held  int // floats
}{byCap: map[int][][]float32{}}

// maxHeld bounds the scratch kept for reuse (floats).
const maxHeld = 32 << 20

// Borrow returns a scratch buffer of n floats with undefined contents.
func Borrow(n int) []float32 {
	c := scratchCap(n)
	free.Lock()
	defer free.Unlock()
	if list := free.byCap[c]; len(list) > 0 {
		buf := list[len(list)-1]
		free.byCap[c] = list[:len(list)-1]
		free.held -= c
		return buf[:n]
	}
	return make([]float32, n, c)
}

// Return gives a borrowed buffer back. It must not be used afterwards.
func Return(buf []float32) {
	c := cap(buf)
	free.Lock()
	defer free.Unlock()
	if free.held+c > maxHeld {
		clear(free.byCap)
		free.held = 0
	}
	free.byCap[c] = append(free.byCap[c], buf)
	free.held += c
}

// scratchCap rounds n up to 4, 5, 6 or 7 times a power of two.
func scratchCap(n int) int {
	step := 1 << max(bits.Len(uint(n))-3, 0)
	return (n + step - 1) / step * step
}
