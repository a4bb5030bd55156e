// Package bessel computes modified Bessel functions of the first kind I_v of
// whole orders, as von Mises-Fisher distributions need them: in logarithms,
// because I_127(1) is 1e-252, and as ratios.
package bessel

import "math"

// largeArgument is where the power series gives way to the uniform expansion.
const largeArgument = 600

// LogI returns ln I_v(x) for v ≥ 0 and x > 0, to an error of about 1e-10, or where
// it is larger that of rounding ln I_v(x), which is about x, to a float64.
func LogI(v int, x float64) float64 {
	if x > largeArgument {
		return logUniform(float64(v), x)
	}
	// Abramowitz and Stegun 9.6.10. All terms are positive; the sum is at most
	// I_0(600), about 1e259.
	quarter := x * x / 4
	sum, term := 1.0, 1.0
	for k := 1.0; term > sum*1e-17; k++ {
		term *= quarter / (k * (k + float64(v)))
		sum += term
	}
	gamma, _ := math.Lgamma(float64(v) + 1)
	return float64(v)*math.Log(x/2) - gamma + math.Log(sum)
}

// logUniform is the expansion of Abramowitz and Stegun 9.7.7 to the third
// order, in r = √(v² + x²), which is good for any v.
func logUniform(v, x float64) float64 {
	r := math.Hypot(v, x)
	return r - v*math.Asinh(v/x) - 0.5*math.Log(2*math.Pi*r) + logCorrection(v, r)
}

// logCorrection is the logarithm of the expansion's sum.
func logCorrection(v, r float64) float64 {
	p := v * v / (r * r)
	return math.Log1p((3-5*p)/(24*r) + (81+p*(-462+385*p))/(1152*r*r) +
		(30375+p*(-369603+p*(765765-425425*p)))/(414720*r*r*r))
}

// logRatioUniform is logUniform(v+1, x) - logUniform(v, x) without the terms that
// cancel: for large x the ratio is so near to 1 that nothing else would be left.
func logRatioUniform(v, x float64) float64 {
	w, r := v+1, math.Hypot(v, x)
	s := math.Hypot(w, x)
	more := w + v // s² - r²
	return more/(s+r) - w*math.Asinh(w/x) + v*math.Asinh(v/x) - 0.25*math.Log1p(more/(r*r)) +
		logCorrection(w, s) - logCorrection(v, r)
}

// Ratio returns I_{v+1}(x)/I_v(x), which is in (0, 1).
func Ratio(v int, x float64) float64 {
	if x > largeArgument {
		return math.Exp(logRatioUniform(float64(v), x))
	}
	// The continued fraction 1/(2(v+1)/x + 1/(2(v+2)/x + …)), from a depth where
	// the ratio of the rest does not matter.
	r := 0.0
	for k := v + 60 + int(2*x); k > v; k-- {
		r = 1 / (2*float64(k)/x + r)
	}
	return r
}

// VMFLogNormalizer returns c(kappa) = (m-1) ln kappa - ln I_{m-1}(kappa) for m =
// F/2: the log normaliser of a von Mises-Fisher distribution on the unit sphere
// of F (even) dimensions, but for the constant -m ln 2 pi. Its derivative is
// -VMFMeanCosine.
func VMFLogNormalizer(f int, kappa float64) float64 {
	return float64(f/2-1)*math.Log(kappa) - LogI(f/2-1, kappa)
}

// VMFMeanCosine returns A(kappa) = I_m(kappa)/I_{m-1}(kappa) for m = F/2: the mean
// cosine between the distribution's direction and a draw.
func VMFMeanCosine(f int, kappa float64) float64 { return Ratio(f/2-1, kappa) }

// VMFKappa returns the concentration of a decoder with the parameter t: 1/kappa =
// exp(t) + 1e-9 (sony/sqvae vision).
func VMFKappa(t float64) float64 { return 1 / (math.Exp(t) + 1e-9) }
