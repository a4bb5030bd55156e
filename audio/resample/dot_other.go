//go:build !amd64 || purego

package resample

func dot(h, x []float64) float64 { return dotGeneric(h, x) }
