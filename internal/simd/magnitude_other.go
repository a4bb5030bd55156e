//go:build !amd64 || purego

package simd

func foldedMagnitudesHead(re0, re1, im0, im1 []float32) int { return 0 }
