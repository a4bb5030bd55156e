package train

import (
	"fmt"
	"math"

	G "gorgonia.org/gorgonia"

	"vqspeech/internal/simd"
)

// Adam is Kingma & Ba's optimiser (2015) with global-norm clipping and a
// milestone schedule, as the published speech recipe configures PyTorch's. It
// implements gorgonia.Solver.
type Adam struct {
	LearningRate float64
	Milestones   []int // steps from which the rate is multiplied once more by Gamma
	Gamma        float64
	ClipNorm     float64 // gradients are scaled by min(1, ClipNorm/(norm+1e-6))

	Steps    int         // steps done
	M, V     [][]float32 // moments, in the order of the parameters
	GradNorm float64     // global norm of the last step, before clipping
}

// Adam's constants (PyTorch's defaults).
const (
	adamBeta1 = 0.9
	adamBeta2 = 0.999
	adamEps   = 1e-8
)

// Rate returns the learning rate of the step after so many.
func (a *Adam) Rate(steps int) float64 {
	rate := a.LearningRate
	for _, m := range a.Milestones {
		if steps >= m {
			rate *= a.Gamma
		}
	}
	return rate
}

// Step updates the parameters by their gradients, which must be finite: otherwise
// it is an error, and parameters and moments stay as they are.
func (a *Adam) Step(params []G.ValueGrad) error {
	values, grads := make([][]float32, len(params)), make([][]float32, len(params))
	for i, p := range params {
		g, err := p.Grad()
		if err != nil {
			return fmt.Errorf("parameter %d: %w", i, err)
		}
		values[i], grads[i] = p.Value().Data().([]float32), g.Data().([]float32)
	}
	return a.update(values, grads)
}

func (a *Adam) update(values, grads [][]float32) error {
	norm := globalNorm(grads)
	if math.IsNaN(norm) || math.IsInf(norm, 0) {
		return fmt.Errorf("the norm of the gradients is %g", norm)
	}
	if a.M == nil {
		for _, v := range values {
			a.M, a.V = append(a.M, make([]float32, len(v))), append(a.V, make([]float32, len(v)))
		}
	}
	rate := a.Rate(a.Steps)
	a.GradNorm = norm
	clip := min(1, a.ClipNorm/(a.GradNorm+1e-6))
	a.Steps++
	t := float64(a.Steps)
	step := simd.AdamStep{
		Clip: clip, StepSize: rate / (1 - math.Pow(adamBeta1, t)),
		Beta1: adamBeta1, Beta2: adamBeta2, SqrtBias2: math.Sqrt(1 - math.Pow(adamBeta2, t)), Eps: adamEps,
	}
	for i := range values {
		p, g, m, v := values[i], grads[i], a.M[i], a.V[i]
		simd.Parallel(len(p), 1<<14, func(lo, hi int) { step.Apply(p[lo:hi], g[lo:hi], m[lo:hi], v[lo:hi]) })
	}
	return nil
}

// globalNorm returns the Euclidean norm of all gradients together. Partial sums
// have fixed boundaries, so that the result does not depend on threads.
func globalNorm(grads [][]float32) float64 {
	const chunk = 1 << 14
	var total float64
	for _, g := range grads {
		parts := make([]float64, (len(g)+chunk-1)/chunk)
		simd.Parallel(len(parts), 1, func(lo, hi int) {
			for c := lo; c < hi; c++ {
				parts[c] = simd.SumSquares(g[c*chunk : min((c+1)*chunk, len(g))])
			}
		})
		for _, s := range parts {
			total += s
		}
	}
	return math.Sqrt(total)
}
