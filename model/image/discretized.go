package image

import "math"

// logMass returns the log probability (nats) of a level of light, 0..255, under a
// normal distribution of values in [0, 1]: the mass of the bin of width 1/255
// around level/255. The first and the last bin have the tails too, so that the
// 256 levels have mass 1 together. It is accurate far out in the tails, where the
// mass itself is 0 in float64.
func logMass(level uint8, mean, deviation float64) float64 {
	low := ((float64(level)-0.5)/255 - mean) / deviation
	high := ((float64(level)+0.5)/255 - mean) / deviation
	switch {
	case level == 0:
		return logUpperTail(-high)
	case level == 255:
		return logUpperTail(low)
	case low < 0 && high > 0:
		return math.Log((math.Erf(high/math.Sqrt2) - math.Erf(low/math.Sqrt2)) / 2)
	case low < 0: // the mirror image
		low, high = -high, -low
	}
	a, b := logUpperTail(low), logUpperTail(high)
	return a + math.Log(-math.Expm1(b-a))
}

// Where logUpperTail leaves the complementary error function, and the terms of
// the continued fraction that are enough from there on.
const (
	farTail   = 5
	tailTerms = 60
)

// logUpperTail returns the log probability that a standard normal variable
// exceeds t. Far out it is the density times Laplace's continued fraction of
// Mills' ratio, 1/(t + 1/(t + 2/(t + 3/(t + …)))).
func logUpperTail(t float64) float64 {
	if t < farTail {
		return math.Log(math.Erfc(t/math.Sqrt2) / 2)
	}
	r := t
	for k := tailTerms; k > 0; k-- {
		r = t + float64(k)/r
	}
	return -t*t/2 - math.Log(2*math.Pi)/2 - math.Log(r)
}
