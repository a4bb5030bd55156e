package simd

import "math"

// Adam updates parameters p by Adam (Kingma & Ba 2015): g is scaled by clip,
// stepSize is the learning rate over 1-beta1^t, sqrtBias2 is sqrt(1-beta2^t).
func Adam(p, g, m, v []float32, clip, stepSize, beta1, beta2, sqrtBias2, eps float32) {
	g, m, v = g[:len(p)], m[:len(p)], v[:len(p)]
	for i, x := range g {
		x *= clip
		m[i] = beta1*m[i] + (1-beta1)*x
		v[i] = beta2*v[i] + (1-beta2)*x*x
		p[i] -= stepSize * m[i] / (float32(math.Sqrt(float64(v[i])))/sqrtBias2 + eps)
	}
}
