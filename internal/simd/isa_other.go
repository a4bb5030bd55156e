//go:build !amd64 || purego

package simd

// isaBest is the highest level of this build.
func isaBest() isaLevel { return isaGeneric }
