//go:build (!amd64 && !arm64) || purego

package simd

// gemmKernels has the kernel of each isaLevel of this build.
var gemmKernels = [...]*gemmKernel{isaGeneric: &gemmGeneric}
