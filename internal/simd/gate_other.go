//go:build !amd64 || purego

package simd

func rowGateHead(z, a, b []float32) int       { return 0 }
func rowMultiplyHead(dst, a, b []float32) int { return 0 }
func rowGateGradHead(a, b, dz []float32) int  { return 0 }
