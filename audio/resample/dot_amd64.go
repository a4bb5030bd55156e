//go:build !purego

package resample

import "golang.org/x/sys/cpu"

// dotAVX is the inner product of n elements, n a positive multiple of 16.
//
//go:noescape
func dotAVX(h, x *float64, n int) float64

func dot(h, x []float64) float64 {
	n := len(h) &^ 15
	if n == 0 || !cpu.X86.HasAVX {
		return dotGeneric(h, x)
	}
	x = x[:len(h)]
	return dotEnd(dotAVX(&h[0], &x[0], n), h[n:], x[n:])
}
