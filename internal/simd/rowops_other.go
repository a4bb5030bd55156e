//go:build !amd64 || purego

package simd

func rowAddHead(dst, src []float32) int                                 { return 0 }
func rowMulAddHead(dst, a, b []float32) int                             { return 0 }
func rowInterpolateHead(dst, z, x []float32) int                        { return 0 }
func rowAffineHead(dst, src []float32, a, b float32) int                { return 0 }
func rowClampHead(dst, src []float32, lo, hi float32) int               { return 0 }
func rowScaleShiftHead(y, x, scale, shift []float32, floor float32) int { return 0 }
func rowRectifyHead(y, x []float32) int                                 { return 0 }
func rowRectifyGradHead(dx, dy, y []float32) int                        { return 0 }
func rowAddWideHead(acc []float64, x []float32) int                     { return 0 }
func rowAddSquaresHead(acc []float64, x []float32, mean []float64) int  { return 0 }
func rowNormSumsHead(sum, sumX []float64, dy, x, mean []float32) int    { return 0 }
func rowNormGradHead(dx, dy, x, mean, a, b, d []float32) int            { return 0 }
func rowDotHead(s *[4]float64, x, y []float32, shift float64) int       { return 0 }
func rowDots4Head(s *[4][4]float64, x, y []float32) int                 { return 0 }
func rowSumHead(s *[4]float64, x []float32) int                         { return 0 }
func rowPeakHead(top *float32, x []float32) int                         { return 0 }
func rowCenterHead(dst, x, y []float32, shift, scale float32) int       { return 0 }
func rowGRUGradHead(gi, gh, carry, gates, hn, prev, dy []float32) int   { return 0 }
