//go:build amd64 && !purego

package simd

func rowAddHead(dst, src []float32) int {
	n := vecWhole(len(dst))
	if n > 0 {
		rowAddAVX2(n, &dst[0], &src[0])
	}
	return n
}

func rowMulAddHead(dst, a, b []float32) int {
	n := vecWhole(len(dst))
	if n > 0 {
		rowMulAddAVX2(n, &dst[0], &a[0], &b[0])
	}
	return n
}

func rowInterpolateHead(dst, z, x []float32) int {
	n := vecWhole(len(dst))
	if n > 0 {
		rowInterpolateAVX2(n, &dst[0], &z[0], &x[0])
	}
	return n
}

func rowAffineHead(dst, src []float32, a, b float32) int {
	n := vecWhole(len(dst))
	if n > 0 {
		rowAffineAVX2(n, &dst[0], &src[0], a, b)
	}
	return n
}

func rowClampHead(dst, src []float32, lo, hi float32) int {
	n := vecWhole(len(dst))
	if n > 0 {
		rowClampAVX2(n, &dst[0], &src[0], lo, hi)
	}
	return n
}

func rowScaleShiftHead(y, x, scale, shift []float32, floor float32) int {
	n := vecWhole(len(y))
	if n > 0 {
		rowScaleShiftAVX2(n, &y[0], &x[0], &scale[0], &shift[0], floor)
	}
	return n
}

func rowRectifyHead(y, x []float32) int {
	n := vecWhole(len(y))
	if n > 0 {
		rowRectifyAVX2(n, &y[0], &x[0])
	}
	return n
}

func rowRectifyGradHead(dx, dy, y []float32) int {
	n := vecWhole(len(dx))
	if n > 0 {
		rowRectifyGradAVX2(n, &dx[0], &dy[0], &y[0])
	}
	return n
}

func rowAddWideHead(acc []float64, x []float32) int {
	n := vecWhole(len(acc))
	if n > 0 {
		rowAddWideAVX2(n, &acc[0], &x[0])
	}
	return n
}

func rowAddSquaresHead(acc []float64, x []float32, mean []float64) int {
	n := vecWhole(len(acc))
	if n > 0 {
		rowAddSquaresAVX2(n, &acc[0], &x[0], &mean[0])
	}
	return n
}

func rowNormSumsHead(sum, sumX []float64, dy, x, mean []float32) int {
	n := vecWhole(len(sum))
	if n > 0 {
		rowNormSumsAVX2(n, &sum[0], &sumX[0], &dy[0], &x[0], &mean[0])
	}
	return n
}

func rowNormGradHead(dx, dy, x, mean, a, b, d []float32) int {
	n := vecWhole(len(dx))
	if n > 0 {
		rowNormGradAVX2(n, &dx[0], &dy[0], &x[0], &mean[0], &a[0], &b[0], &d[0])
	}
	return n
}

func rowDotHead(s *[4]float64, x, y []float32, shift float64) int {
	n := vecWhole(len(x))
	if n > 0 {
		rowDotAVX2(n, s, &x[0], &y[0], shift)
	}
	return n
}

func rowDots4Head(s *[4][4]float64, x, y []float32) int {
	n := vecWhole(len(x))
	if n > 0 {
		rowDots4AVX2(n, len(x), s, &x[0], &y[0])
	}
	return n
}

func rowSumHead(s *[4]float64, x []float32) int {
	n := vecWhole(len(x))
	if n > 0 {
		rowSumAVX2(n, s, &x[0])
	}
	return n
}

func rowPeakHead(top *float32, x []float32) int {
	n := vecWhole(len(x))
	if n > 0 {
		rowPeakAVX2(n, top, &x[0])
	}
	return n
}

func rowCenterHead(dst, x, y []float32, shift, scale float32) int {
	n := vecWhole(len(dst))
	if n > 0 {
		rowCenterAVX2(n, &dst[0], &x[0], &y[0], shift, scale)
	}
	return n
}

func rowGRUGradHead(gi, gh, carry, gates, hn, prev, dy []float32) int {
	n := vecWhole(len(carry))
	if n > 0 {
		rowGRUGradAVX2(n, len(carry), &gi[0], &gh[0], &carry[0], &gates[0], &hn[0], &prev[0], &dy[0])
	}
	return n
}

// All of these take a multiple of eight values, n > 0.

//go:noescape
func rowAddAVX2(n int, dst, src *float32)

//go:noescape
func rowMulAddAVX2(n int, dst, a, b *float32)

//go:noescape
func rowInterpolateAVX2(n int, dst, z, x *float32)

//go:noescape
func rowAffineAVX2(n int, dst, src *float32, a, b float32)

//go:noescape
func rowClampAVX2(n int, dst, src *float32, lo, hi float32)

//go:noescape
func rowScaleShiftAVX2(n int, y, x, scale, shift *float32, floor float32)

//go:noescape
func rowRectifyAVX2(n int, y, x *float32)

//go:noescape
func rowRectifyGradAVX2(n int, dx, dy, y *float32)

//go:noescape
func rowAddWideAVX2(n int, acc *float64, x *float32)

//go:noescape
func rowAddSquaresAVX2(n int, acc *float64, x *float32, mean *float64)

//go:noescape
func rowNormSumsAVX2(n int, sum, sumX *float64, dy, x, mean *float32)

//go:noescape
func rowNormGradAVX2(n int, dx, dy, x, mean, a, b, d *float32)

//go:noescape
func rowDotAVX2(n int, s *[4]float64, x, y *float32, shift float64)

//go:noescape
func rowDots4AVX2(n, stride int, s *[4][4]float64, x, y *float32)

//go:noescape
func rowSumAVX2(n int, s *[4]float64, x *float32)

//go:noescape
func rowPeakAVX2(n int, top *float32, x *float32)

//go:noescape
func rowCenterAVX2(n int, dst, x, y *float32, shift, scale float32)

//go:noescape
func rowGRUGradAVX2(n int, h int, gi, gh, carry, gates, hn, prev, dy *float32)
