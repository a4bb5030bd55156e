//go:build amd64 && !purego

package simd

func foldedMagnitudesHead(re0, re1, im0, im1 []float32) int {
	n := vecWhole(len(re0))
	if n > 0 {
		foldedMagnitudesAVX2(n, &re0[0], &re1[0], &im0[0], &im1[0])
	}
	return n
}

// foldedMagnitudesAVX2 takes a multiple of eight values, n > 0.
//
//go:noescape
func foldedMagnitudesAVX2(n int, re0, re1, im0, im1 *float32)
