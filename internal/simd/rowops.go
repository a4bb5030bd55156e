package simd

import "math"

// The functions of this file work on one row on the caller's goroutine. Like
// those of vecmath.go they round every product before it is added to, and each
// rowXHead does the whole vectors of a row in assembly where there is any and
// returns the number of values done. They panic if a slice is shorter than the
// first.

// add computes dst += src.
func add(dst, src []float32) {
	src = src[:len(dst)]
	for i := rowAddHead(dst, src); i < len(dst); i++ {
		dst[i] += src[i]
	}
}

// mulAdd computes dst += a*b.
func mulAdd(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := rowMulAddHead(dst, a, b); i < len(dst); i++ {
		dst[i] += float32(a[i] * b[i])
	}
}

// interpolate computes dst = (1-z)*x + z*dst.
func interpolate(dst, z, x []float32) {
	z, x = z[:len(dst)], x[:len(dst)]
	for i := rowInterpolateHead(dst, z, x); i < len(dst); i++ {
		dst[i] = float32((1-z[i])*x[i]) + float32(z[i]*dst[i])
	}
}

// affine computes dst = src*a + b. dst may be src.
func affine(dst, src []float32, a, b float32) {
	src = src[:len(dst)]
	for i := rowAffineHead(dst, src, a, b); i < len(dst); i++ {
		dst[i] = float32(src[i]*a) + b
	}
}

// clamp computes dst = min(max(src, lo), hi) for values that are not NaN. dst
// may be src.
func clamp(dst, src []float32, lo, hi float32) {
	src = src[:len(dst)]
	for i := rowClampHead(dst, src, lo, hi); i < len(dst); i++ {
		v := src[i]
		if v < lo {
			v = lo
		}
		if v > hi {
			v = hi
		}
		dst[i] = v
	}
}

// scaleShift computes y = x*scale + shift, and with relu the larger of that and
// zero; NaN stays NaN.
func scaleShift(y, x, scale, shift []float32, relu bool) {
	x, scale, shift = x[:len(y)], scale[:len(y)], shift[:len(y)]
	floor := float32(math.Inf(-1))
	if relu {
		floor = 0
	}
	for i := rowScaleShiftHead(y, x, scale, shift, floor); i < len(y); i++ {
		v := float32(x[i]*scale[i]) + shift[i]
		if v < floor {
			v = floor
		}
		y[i] = v
	}
}

// rectify computes y = max(x, 0). NaN stays NaN.
func rectify(y, x []float32) {
	x = x[:len(y)]
	for i := rowRectifyHead(y, x); i < len(y); i++ {
		v := x[i]
		if v < 0 {
			v = 0
		}
		y[i] = v
	}
}

// rectifyGrad computes dx = dy where y > 0, else 0.
func rectifyGrad(dx, dy, y []float32) {
	dy, y = dy[:len(dx)], y[:len(dx)]
	for i := rowRectifyGradHead(dx, dy, y); i < len(dx); i++ {
		if y[i] > 0 {
			dx[i] = dy[i]
		} else {
			dx[i] = 0
		}
	}
}

// AddWide computes acc += x in float64. It panics if x is shorter than acc.
func AddWide(acc []float64, x []float32) {
	x = x[:len(acc)]
	for i := rowAddWideHead(acc, x); i < len(acc); i++ {
		acc[i] += float64(x[i])
	}
}

// addSquares computes acc += (x-mean)².
func addSquares(acc []float64, x []float32, mean []float64) {
	x, mean = x[:len(acc)], mean[:len(acc)]
	for i := rowAddSquaresHead(acc, x, mean); i < len(acc); i++ {
		d := float64(x[i]) - mean[i]
		acc[i] += float64(d * d)
	}
}

// normSums adds to sum the gradients dy, and to sumX dy*(x-mean).
func normSums(sum, sumX []float64, dy, x, mean []float32) {
	sumX, dy, x, mean = sumX[:len(sum)], dy[:len(sum)], x[:len(sum)], mean[:len(sum)]
	for i := rowNormSumsHead(sum, sumX, dy, x, mean); i < len(sum); i++ {
		g := float64(dy[i])
		sum[i] += g
		sumX[i] += float64(g * float64(x[i]-mean[i]))
	}
}

// normGrad computes dx = a*dy + b*(x-mean) + d. dx may be dy.
func normGrad(dx, dy, x, mean, a, b, d []float32) {
	n := len(dx)
	dy, x, mean, a, b, d = dy[:n], x[:n], mean[:n], a[:n], b[:n], d[:n]
	for i := rowNormGradHead(dx, dy, x, mean, a, b, d); i < n; i++ {
		dx[i] = float32(a[i]*dy[i]) + float32(b[i]*(x[i]-mean[i])) + d[i]
	}
}

// dot returns the sum of x*(y-shift), accumulated in float64 over four lanes,
// always in the same order.
func dot(x, y []float32, shift float64) float64 {
	y = y[:len(x)]
	var s [4]float64
	i := rowDotHead(&s, x, y, shift)
	for ; i < len(x); i++ {
		s[i%4] += float64(float64(x[i]) * (float64(y[i]) - shift))
	}
	return (s[0] + s[1]) + (s[2] + s[3])
}

// Dot returns the sum of x*y, accumulated in float64, always in the same order:
// Dot(x, y) is Dot(y, x). It panics if y is shorter than x.
func Dot(x, y []float32) float64 { return dot(x, y, 0) }

// Dots sets dst [n] to Dot of x [d] and every row of y [n, d], to the bit. Four
// rows at a time do not wait for each other's sums. It panics if y is shorter.
func Dots(dst []float64, x, y []float32) {
	d := len(x)
	y = y[:len(dst)*d]
	for len(dst) >= 4 {
		var s [4][4]float64
		first := rowDots4Head(&s, x, y)
		for r := range s {
			row, sum := y[r*d:(r+1)*d], &s[r]
			for i := first; i < d; i++ {
				sum[i%4] += float64(float64(x[i]) * float64(row[i]))
			}
			dst[r] = (sum[0] + sum[1]) + (sum[2] + sum[3])
		}
		dst, y = dst[4:], y[4*d:]
	}
	for r := range dst {
		dst[r] = Dot(x, y[r*d:(r+1)*d])
	}
}

// sum returns the sum of x, accumulated like dot.
func sum(x []float32) float64 {
	var s [4]float64
	i := rowSumHead(&s, x)
	for ; i < len(x); i++ {
		s[i%4] += float64(x[i])
	}
	return (s[0] + s[1]) + (s[2] + s[3])
}

// SumSquares returns the sum of x², accumulated in float64, always in the same
// order.
func SumSquares(x []float32) float64 { return Dot(x, x) }

// SquaredDistance returns the sum of (x - y)², accumulated in float64.
func SquaredDistance(x, y []float32) float64 {
	s := 0.0
	for i, v := range x {
		d := float64(v) - float64(y[i])
		s += d * d
	}
	return s
}

// peak returns the largest value of x, -Inf if x is empty. A NaN may be passed
// over.
func peak(x []float32) float32 {
	top := float32(math.Inf(-1))
	i := rowPeakHead(&top, x)
	for ; i < len(x); i++ {
		if x[i] > top {
			top = x[i]
		}
	}
	return top
}

// center computes dst = x*(y-shift)*scale.
func center(dst, x, y []float32, shift, scale float32) {
	x, y = x[:len(dst)], y[:len(dst)]
	for i := rowCenterHead(dst, x, y, shift, scale); i < len(dst); i++ {
		dst[i] = x[i] * (y[i] - shift) * scale
	}
}

// gruGrad is the backward pass of one GRU cell over h values: from the gates r,
// z, n [3H], the candidate's recurrent part hn, the state before and the
// gradient dy + carry of the state after, it sets the gradients of the gates'
// inputs gi and gh [3H] and the part of carry that passes the gate z.
func gruGrad(gi, gh, carry, gates, hn, prev, dy []float32) {
	h := len(carry)
	gi, gh, gates, hn, prev, dy = gi[:3*h], gh[:3*h], gates[:3*h], hn[:h], prev[:h], dy[:h]
	for j := rowGRUGradHead(gi, gh, carry, gates, hn, prev, dy); j < h; j++ {
		r, z, n := gates[j], gates[h+j], gates[2*h+j]
		d := dy[j] + carry[j]
		dn := d * (1 - z) * (1 - float32(n*n))
		dz := d * (prev[j] - n) * z * (1 - z)
		dr := dn * hn[j] * r * (1 - r)
		gi[j], gi[h+j], gi[2*h+j] = dr, dz, dn
		gh[j], gh[h+j], gh[2*h+j] = dr, dz, dn*r
		carry[j] = d * z
	}
}
