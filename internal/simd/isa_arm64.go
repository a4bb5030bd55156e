//go:build arm64 && !purego

package simd

const isaNEON isaLevel = 1

var isaNames = [...]string{isaGeneric: "generic", isaNEON: "neon"}

// isaBest is the highest level: every arm64 processor has NEON.
func isaBest() isaLevel { return isaNEON }
