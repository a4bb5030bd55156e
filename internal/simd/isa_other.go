//go:build (!amd64 && !arm64) || purego

package simd

var isaNames = [...]string{isaGeneric: "generic"}

// isaBest is the highest level of this build.
func isaBest() isaLevel { return isaGeneric }
