//go:build amd64 && !purego

package simd

import "golang.org/x/sys/cpu"

const (
	isaAVX2   isaLevel = iota + 1 // AVX2 and FMA
	isaAVX512                     // AVX-512 F, BW, DQ, VL, besides AVX2 and FMA
)

var isaNames = [...]string{isaGeneric: "generic", isaAVX2: "avx2", isaAVX512: "avx512"}

// isaBest is the highest level of this processor and operating system.
func isaBest() isaLevel {
	x := &cpu.X86
	switch {
	case !x.HasAVX2 || !x.HasFMA:
		return isaGeneric
	case x.HasAVX512F && x.HasAVX512BW && x.HasAVX512DQ && x.HasAVX512VL:
		return isaAVX512
	}
	return isaAVX2
}
