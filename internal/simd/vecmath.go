package simd

import "math"

// The functions of this file round every product before it is added to, so that
// they give the same bits on every machine. Their polynomials are those of
// Cephes (Moshier, single precision), evaluated without branches. Each vecXHead
// does what it can of a slice, in assembly where there is any, and returns the
// number of values done.

const (
	vecLog2E   = 1.44269504088896341
	vecLn2Hi   = 0.693359375 // nine bits, so that n*vecLn2Hi is exact
	vecLn2Lo   = -2.12194440e-4
	vecMagic   = 3 << 22 // adding it rounds a float32 to an integer, ties to even
	vecExpMax  = 89      // exp of more is infinite
	vecExpMin  = -104    // exp of less is zero
	vecSqrtHf  = 0.707106781186547524
	vecSoftCut = 0.414213562373095049 // √2 - 1
	vecTanhCut = 0.625                // below it tanh is a polynomial
)

// Exp sets dst[i] to e to the power src[i] for every i of src. dst may be src.
// The relative error is below 2e-7. Exp panics if dst is shorter than src, as
// do the other functions on vectors.
func Exp(dst, src []float32) {
	dst = dst[:len(src)]
	for i := vecExpHead(dst, src); i < len(src); i++ {
		dst[i] = vecExp(src[i])
	}
}

// expSum sets dst[i] to e^(src[i]-shift) for every i of src and returns the sum of
// dst, accumulated like that of dot. dst may be src.
func expSum(dst, src []float32, shift float32) float64 {
	dst = dst[:len(src)]
	var s [4]float64
	for i := vecExpSumHead(&s, dst, src, shift); i < len(src); i++ {
		dst[i] = vecExp(src[i] - shift)
		s[i%4] += float64(dst[i])
	}
	return (s[0] + s[1]) + (s[2] + s[3])
}

// vecExp splits x into n·ln 2 + r with |r| ≤ ln 2 / 2 and scales e^r by 2^n in
// two steps, so that results below the normal range are rounded once.
func vecExp(x float32) float32 {
	if x > vecExpMax {
		x = vecExpMax
	}
	if x < vecExpMin {
		x = vecExpMin
	}
	t := float32(x*vecLog2E) + vecMagic
	n := t - vecMagic
	r := x - float32(n*vecLn2Hi)
	r -= float32(n * vecLn2Lo)
	q := float32(r*1.9875691500e-4) + 1.3981999507e-3
	q = float32(q*r) + 8.3334519073e-3
	q = float32(q*r) + 4.1665795894e-2
	q = float32(q*r) + 1.6666665459e-1
	q = float32(q*r) + 5.0000001201e-1
	q = float32(q*float32(r*r)) + r
	q++
	e := int32(math.Float32bits(t)) - int32(math.Float32bits(vecMagic))
	half := e >> 1
	return q * math.Float32frombits(uint32(half+127)<<23) * math.Float32frombits(uint32(e-half+127)<<23)
}

// Log sets dst[i] to the natural logarithm of src[i] for every i of src: -Inf
// at 0, NaN below it. dst may be src. The relative error is below 2e-7.
func Log(dst, src []float32) {
	dst = dst[:len(src)]
	for i := vecLogHead(dst, src); i < len(src); i++ {
		dst[i] = vecLog(src[i])
	}
}

// vecLog splits x into 2^e · (1 + f) with 1 + f between √½ and √2.
func vecLog(x float32) float32 {
	const smallest, denormal = 0x1p-126, 0x1p23
	v, bias := x, float32(126)
	if v < smallest {
		v, bias = v*denormal, 126+23
	}
	b := math.Float32bits(v)
	e := float32(int32(b>>23)) - bias
	f := math.Float32frombits(b&0x7fffff | 0x3f000000) // in [½, 1)
	if f < vecSqrtHf {
		f += f
		e--
	}
	f--
	y := vecLogSeries(f, e)
	switch {
	case x > math.MaxFloat32 || x != x:
		return x
	case x < 0:
		return float32(math.NaN())
	case x == 0:
		return float32(math.Inf(-1))
	}
	return y
}

// vecLogSeries returns ln(2^e · (1 + f)).
func vecLogSeries(f, e float32) float32 {
	z := float32(f * f)
	q := float32(f*7.0376836292e-2) - 1.1514610310e-1
	q = float32(q*f) + 1.1676998740e-1
	q = float32(q*f) - 1.2420140846e-1
	q = float32(q*f) + 1.4249322787e-1
	q = float32(q*f) - 1.6668057665e-1
	q = float32(q*f) + 2.0000714765e-1
	q = float32(q*f) - 2.4999993993e-1
	q = float32(q*f) + 3.3333331174e-1
	q = float32(float32(q*f) * z)
	q += float32(e * vecLn2Lo)
	q -= float32(z * 0.5)
	return float32(f+q) + float32(e*vecLn2Hi)
}

// Sigmoid sets dst[i] to 1 / (1 + e^-src[i]) for every i of src. dst may be
// src. The relative error is below 3e-7, for large negative arguments too.
func Sigmoid(dst, src []float32) {
	dst = dst[:len(src)]
	for i := vecSigmoidHead(dst, src); i < len(src); i++ {
		dst[i] = vecSigmoid(src[i])
	}
}

func vecSigmoid(x float32) float32 {
	sign := math.Float32bits(x) & (1 << 31)
	e := vecExp(math.Float32frombits(math.Float32bits(x) | 1<<31)) // e^-|x|, at most 1
	num := float32(1)
	if sign != 0 {
		num = e
	}
	return num / (1 + e)
}

// softplusSlope sets y[i] to ln(1 + e^x[i]) and slope[i] to its derivative, the
// sigmoid of x[i], for every i of x. y may be x. The relative errors are below
// 3e-7.
func softplusSlope(y, slope, x []float32) {
	y, slope = y[:len(x)], slope[:len(x)]
	for i := vecSoftplusHead(y, slope, x); i < len(x); i++ {
		y[i], slope[i] = vecSoftplus(x[i])
	}
}

// vecSoftplus is max(x, 0) + ln(1 + e^-|x|). The logarithm takes e^-|x| as it is
// up to √2 - 1, for 1 + e^-|x| would lose its last bits.
func vecSoftplus(x float32) (y, slope float32) {
	sign := math.Float32bits(x) & (1 << 31)
	e := vecExp(math.Float32frombits(math.Float32bits(x) | 1<<31))
	slope = 1
	if sign != 0 {
		slope = e
	}
	slope /= 1 + e
	f, n := e, float32(0)
	if !(e < vecSoftCut) {
		f, n = (e-1)*0.5, 1
	}
	y = vecLogSeries(f, n)
	if x > 0 {
		y += x
	}
	return y, slope
}

// Tanh sets dst[i] to the hyperbolic tangent of src[i] for every i of src. dst
// may be src. The relative error is below 2e-7.
func Tanh(dst, src []float32) {
	dst = dst[:len(src)]
	for i := vecTanhHead(dst, src); i < len(src); i++ {
		dst[i] = vecTanh(src[i])
	}
}

func vecTanh(x float32) float32 {
	sign := math.Float32bits(x) & (1 << 31)
	a := math.Float32frombits(math.Float32bits(x) &^ (1 << 31))
	var y float32
	if a < vecTanhCut {
		z := float32(a * a)
		q := float32(z*-5.70498872745e-3) + 2.06390887954e-2
		q = float32(q*z) - 5.37397155531e-2
		q = float32(q*z) + 1.33314422036e-1
		q = float32(q*z) - 3.33332819422e-1
		y = float32(float32(q*z)*a) + a
	} else {
		y = 1 - 2/(vecExp(a+a)+1)
	}
	return math.Float32frombits(math.Float32bits(y) | sign)
}

// Axpy adds alpha·x[i] to y[i] for every i of x. It panics if y is shorter than x.
func Axpy(alpha float32, x, y []float32) {
	y = y[:len(x)]
	for i := vecAxpyHead(alpha, x, y); i < len(x); i++ {
		y[i] += float32(alpha * x[i])
	}
}
