//go:build amd64 && !purego

package simd

// rowGateHead does whole vectors of sixteen values, with AVX-512.
func rowGateHead(z, a, b []float32) int {
	n := len(z) &^ 15
	if n == 0 || isaLevel(isaCurrent.Load()) < isaAVX512 {
		return 0
	}
	rowGateAVX512(n, &z[0], &a[0], &b[0])
	return n
}

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

// rowGateAVX512 takes a multiple of sixteen values, n > 0.
//
//go:noescape
func rowGateAVX512(n int, z, a, b *float32)

// The others take a multiple of eight values, n > 0.

//go:noescape
func rowMultiplyAVX2(n int, dst, a, b *float32)

//go:noescape
func rowGateGradAVX2(n int, a, b, dz *float32)
