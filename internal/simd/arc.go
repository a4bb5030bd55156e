package simd

import "math"

// Arc are classes in order, such as levels of grey: unit vectors equally far apart
// on a quarter of a circle, of which the first is (1, 0) and the last (0, 1). A
// decoder's outputs have an angle on it as u = softplus(outputs) >= 0.
type Arc struct{ Classes int } // at least 2

// Angle returns where a class is (radians).
func (a Arc) Angle(class int32) float64 { return math.Pi / 2 * float64(class) / float64(a.Classes-1) }

// Nearest returns the class whose vector has the largest cosine to (x, y), neither
// of which is negative; the first one for NaN.
func (a Arc) Nearest(x, y float32) int32 {
	at := math.Round(math.Atan2(float64(y), float64(x)) / (math.Pi / 2) * float64(a.Classes-1))
	if !(at >= 0) {
		return 0
	}
	return int32(at)
}

// Cosine returns the cosine between (x, y) and the vector of a class; 0 for a
// vector of no length.
func (a Arc) Cosine(x, y float32, class int32) float64 {
	s, c := math.Sincos(a.Angle(class))
	return (c*float64(x) + s*float64(y)) / max(math.Hypot(float64(x), float64(y)), normalizeMin)
}

// Score is a LabelScore of outputs [2]: the cosine between their softplus and the
// vector of label. It is right if no other class is nearer.
func (a Arc) Score(outputs, scratch []float32, label int32) (score float64, right bool) {
	u, slope := outputs[:2], scratch[:2]
	softplusSlope(u, slope, outputs[:2])
	score, right = a.Cosine(u[0], u[1], label), a.Nearest(u[0], u[1]) == label
	length := math.Hypot(float64(u[0]), float64(u[1]))
	inv := 1 / max(length, normalizeMin)
	along := 0.0 // the norm of a tiny row is constant
	if length > normalizeMin {
		along = score * inv
	}
	s, c := math.Sincos(a.Angle(label))
	for i, v := range [2]float64{c, s} {
		outputs[i] = float32(inv * (v - along*float64(u[i])) * float64(slope[i]))
	}
	return score, right
}
