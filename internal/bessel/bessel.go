// Package bessel computes modified Bessel functions of the first kind I_v of
// whole orders, as von Mises-Fisher distributions need them: in logarithms,
// because I_127(1) is 1e-252, and as ratios.
package bessel

import "math"

// largeArgument is where the power series gives way to the uniform expansion.
const largeArgument = 600

// LogI returns ln I_v(x) for v ≥ 0 and x > 0, to a relative error of I_v of about
// 1e-10.
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
	p := v * v / (r * r)
	correction := (3-5*p)/(24*r) + (81+p*(-462+385*p))/(1152*r*r) +
		(30375+p*(-369603+p*(765765-425425*p)))/(414720*r*r*r)
	return r + v*math.Log(x/(v+r)) - 0.5*math.Log(2*math.Pi*r) + math.Log1p(correction)
}

// Ratio returns I_{v+1}(x)/I_v(x), which is in (0, 1).
func Ratio(v int, x float64) float64 {
	if x > largeArgument {
		return math.Exp(LogI(v+1, x) - LogI(v, x))
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
