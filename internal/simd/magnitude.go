package simd

import "math"

// FoldedMagnitudes computes the magnitudes of two complex numbers from the
// halves of their parts, for every i of re0:
//
//	re0[i], im0[i] = |(re0+re1) + i(im0+im1)|, |(re0-re1) + i(im0-im1)|
//
// The sums and differences come from the even and the odd samples of a frame:
// they are its transform at the frequencies f and π-f. It panics if a slice is
// shorter than re0.
func FoldedMagnitudes(re0, re1, im0, im1 []float32) {
	re1, im0, im1 = re1[:len(re0)], im0[:len(re0)], im1[:len(re0)]
	for i := foldedMagnitudesHead(re0, re1, im0, im1); i < len(re0); i++ {
		re, im := re0[i]+re1[i], im0[i]+im1[i]
		reDiff, imDiff := re0[i]-re1[i], im0[i]-im1[i]
		re0[i] = float32(math.Sqrt(float64(float32(re*re) + float32(im*im))))
		im0[i] = float32(math.Sqrt(float64(float32(reDiff*reDiff) + float32(imDiff*imDiff))))
	}
}
