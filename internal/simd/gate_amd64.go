//go:build amd64 && !purego

package simd

func rowMultiplyHead(dst, a, b []float32) int {
	n := vecWhole(len(dst))
	if n > 0 {
		rowMultiplyAVX2(n, &dst[0], &a[0], &b[0])
	}
	return n
}

func rowGateGradHead(a, b, dz []float32) int {
	n := vecWhole(len(a))
	if n > 0 {
		rowGateGradAVX2(n, &a[0], &b[0], &dz[0])
	}
	return n
}

// Both take a multiple of eight values, n > 0.

//go:noescape
func rowMultiplyAVX2(n int, dst, a, b *float32)

//go:noescape
func rowGateGradAVX2(n int, a, b, dz *float32)
