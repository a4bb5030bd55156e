// Package simd holds the float32 kernels of every layer. The arithmetic of a
// layer is written here and nowhere else: the gorgonia operations that train a
// model (internal/graph) and the inference path (model/nn) call the same
// functions, so what trains is what runs.
//
// Start with [Gemm] (any matrix product), [PackB] and [GemmPacked] (products
// with weights that stay the same over many calls), [PackInt8] (products of a
// few rows with weights in bytes), [Parallel] (element-wise work on the
// package's threads), and [Exp], [Log], [Sigmoid], [Tanh]. The functions on
// vectors run on the caller's goroutine; [Parallel] spreads them.
// Matrices are row-major; a leading dimension is the distance in elements
// between two rows of the matrix as it is stored.
//
// # Determinism
//
// The bits of an output element depend on the inputs of that element and on
// nothing else: not on the number of rows or columns of the call, the place of
// the element in a tile, the number of threads, the reuse of a packed matrix
// or the leading dimensions. Units of a batch, of a stream cut anywhere and of
// one long file are therefore equal.
//
// The one exception is a convolution of images by 3×3: it runs in tiles of four by
// four outputs, whose bits depend on their place in the image (not in the batch).
//
// A product is summed in blocks of 256 values of k. Within a block each
// element has one accumulator that takes its products in the order of k; the
// sums of the blocks are added in order. The assembly kernels use fused
// multiply-add, so AVX2, AVX-512 and NEON give the same bits; the generic kernel
// rounds each product and agrees with them to rounding. The functions on
// vectors never fuse and are the same bits on every machine, and so are products
// with a [PackedInt8] matrix, whose sums are of integers.
//
// # Instruction sets
//
// The best set the processor has is chosen at start: "avx512" or "avx2" on
// amd64, "neon" on arm64, or "generic" (any processor, and all there is with
// -tags purego). [ISA] names it. The environment variable VQSPEECH_ISA or
// [SetISA] choose a lower one, for tests and to tell whether a fault lies in an
// assembly kernel. Products with bytes use VNNI where "avx512" has it, and plain
// Go on arm64.
//
// # Adding a kernel
//
// Write it in Go first, one loop, operations in the order the assembly will
// use, and round each product explicitly where the bits must not depend on the
// compiler's use of fused multiply-add: float32(a*b) + c. Then add the
// assembly with the build constraint "amd64 && !purego" or "arm64 && !purego"
// and a stub beside it, choose between them by the current [ISA], and extend
// the test that runs every set on odd sizes and demands equal results. Kernels
// panic on slices that are too short for the shape; they never read or write
// outside them.
package simd

//go:generate go run gemm_gen.go
//go:generate go run gemm_gen_arm64.go
//go:generate go run int8_gen.go
