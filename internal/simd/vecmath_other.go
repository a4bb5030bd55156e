//go:build (!amd64 && !arm64) || purego

package simd

func vecExpHead(dst, src []float32) int                                     { return 0 }
func vecLogHead(dst, src []float32) int                                     { return 0 }
func vecSigmoidHead(dst, src []float32) int                                 { return 0 }
func vecExpSumHead(sums *[4]float64, dst, src []float32, shift float32) int { return 0 }
func vecSoftplusHead(y, slope, x []float32) int                             { return 0 }
func vecTanhHead(dst, src []float32) int                                    { return 0 }
func vecAxpyHead(alpha float32, x, y []float32) int                         { return 0 }
func vecAdamHead(p, g, m, v []float32, k *adamFactors) int                  { return 0 }
