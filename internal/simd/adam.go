package simd

import "math"

// AdamStep holds the factors of one step of Adam (Kingma and Ba 2015, algorithm
// 1). They are rounded to float32 once, each from float64, as PyTorch does:
// 1-Beta2 taken from a float32 would be wrong by 1e-5.
type AdamStep struct {
	Clip      float64 // factor of the gradient, 1 without clipping
	StepSize  float64 // learning rate / (1 - Beta1^t) for the step t = 1, 2, …
	Beta1     float64
	Beta2     float64
	SqrtBias2 float64 // √(1 - Beta2^t)
	Eps       float64
}

// Apply makes the step, in the form and order of torch.optim.Adam, on the
// parameters p with the gradient g and the moments m and v. It panics if one
// of these is shorter than p.
//
//	g' = Clip·g
//	m  = Beta1·m + (1-Beta1)·g'
//	v  = Beta2·v + (1-Beta2)·g'²
//	p -= StepSize·m / (√v/SqrtBias2 + Eps)
func (s AdamStep) Apply(p, g, m, v []float32) {
	g, m, v = g[:len(p)], m[:len(p)], v[:len(p)]
	k := adamFactors{
		clip: float32(s.Clip), beta1: float32(s.Beta1), rest1: float32(1 - s.Beta1),
		beta2: float32(s.Beta2), rest2: float32(1 - s.Beta2),
		sqrtBias2: float32(s.SqrtBias2), eps: float32(s.Eps), step: float32(s.StepSize),
	}
	for i := vecAdamHead(p, g, m, v, &k); i < len(p); i++ {
		x := g[i] * k.clip
		m[i] = float32(m[i]*k.beta1) + float32(k.rest1*x)
		v[i] = float32(v[i]*k.beta2) + float32(float32(k.rest2*x)*x)
		d := float32(math.Sqrt(float64(v[i])))/k.sqrtBias2 + k.eps
		p[i] -= float32(k.step*m[i]) / d
	}
}

// adamFactors are the factors in the order the assembly reads them.
type adamFactors struct {
	clip, beta1, rest1, beta2, rest2, sqrtBias2, eps, step float32
}
