//go:build !amd64 || purego

package simd

// pause tells the processor that this is a loop that waits.
func pause() {}
