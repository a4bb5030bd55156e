package simd

import "sync"

// free holds scratch buffers by size. A training step asks for the same sizes
// again and again, so exact sizes are kept rather than classes.
var free = struct {
	sync.Mutex
	bySize map[int][][]float32
	held   int // floats
}{bySize: map[int][][]float32{}}

// maxHeld bounds the scratch kept for reuse (floats).
const maxHeld = 64 << 20

// Borrow returns a scratch buffer of n floats with undefined contents.
func Borrow(n int) []float32 {
	free.Lock()
	defer free.Unlock()
	if list := free.bySize[n]; len(list) > 0 {
		buf := list[len(list)-1]
		free.bySize[n] = list[:len(list)-1]
		free.held -= n
		return buf
	}
	return make([]float32, n)
}

// Return gives a borrowed buffer back. It must not be used afterwards.
func Return(buf []float32) {
	free.Lock()
	defer free.Unlock()
	if free.held+len(buf) > maxHeld {
		clear(free.bySize)
		free.held = 0
	}
	free.bySize[len(buf)] = append(free.bySize[len(buf)], buf)
	free.held += len(buf)
}
