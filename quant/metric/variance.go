package metric

import "math"

// Variance pools the variances σ² of the stochastic quantiser of a Gaussian model:
// how wide it takes the distribution of a latent around its code vector.
type Variance struct {
	n         int64
	sum, logs float64
}

// Add pools logarithms of variances.
func (v *Variance) Add(logVar []float32) {
	for _, l := range logVar {
		v.logs += float64(l)
		v.sum += math.Exp(float64(l))
	}
	v.n += int64(len(logVar))
}

// Mean returns the mean of σ², NaN if there are none.
func (v *Variance) Mean() float64 { return v.sum / float64(v.n) }

// GeometricMean returns exp of the mean of ln σ², NaN if there are none.
func (v *Variance) GeometricMean() float64 { return math.Exp(v.logs / float64(v.n)) }
