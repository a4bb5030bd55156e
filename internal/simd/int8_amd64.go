//go:build amd64 && !purego

package simd

import "golang.org/x/sys/cpu"

// int8Kernels has the kernel of each isaLevel of this build. Processors with
// AVX-512 but not VNNI, which came two years later, use that of AVX2.
var int8Kernels = [...]*int8Kernel{isaGeneric: &int8Generic, isaAVX2: &int8AVX2, isaAVX512: int8Best()}

var (
	int8AVX2 = int8Kernel{rows: 1, most: [5]int{1: 4}, tile: int8TileAVX2}
	int8VNNI = int8Kernel{rows: 4, most: [5]int{1: 8, 2: 8, 3: 4, 4: 4}, tile: int8TileVNNI}
)

func int8Best() *int8Kernel {
	if cpu.X86.HasAVX512VNNI {
		return &int8VNNI
	}
	return &int8AVX2
}

func int8TileAVX2(t *int8Tile, h, vectors int) {
	t.check(h, vectors)
	int8TilesAVX2[h][vectors](t)
}

func int8TileVNNI(t *int8Tile, h, vectors int) {
	t.check(h, vectors)
	int8TilesVNNI[h][vectors](t)
}

// check panics if an assembly tile would leave a slice.
func (t *int8Tile) check(h, vectors int) {
	n := vectors * int8Vector
	_, _ = t.x[(h-1)*t.ldx+t.groups*int8Group-1], t.w[((t.groups-1)*t.columns+n)*int8Group-1]
	_, _, _, _ = t.scale[n-1], t.offset[n-1], t.scales[h-1], t.y[(h-1)*t.ldy+n-1]
}

func quantiseTopHead(top *float32, x []float32) int {
	n := vecWhole(len(x))
	if n > 0 {
		*top = quantiseTopAVX2(n, &x[0])
	}
	return n
}

func quantiseHead(codes []uint8, x []float32, factor float32) int {
	n := vecWhole(len(codes))
	if n > 0 {
		quantiseAVX2(n, &codes[0], &x[0], factor)
	}
	return n
}

// Both take a multiple of eight values, n > 0.

//go:noescape
func quantiseTopAVX2(n int, x *float32) float32

//go:noescape
func quantiseAVX2(n int, codes *uint8, x *float32, factor float32)
