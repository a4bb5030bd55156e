// Package bootstrap says how much a figure depends on the items, mostly
// utterances, that it was measured on.
package bootstrap

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Resamples is the number of resamples behind an interval.
const Resamples = 1000

// Intervals returns the 95 % percentile intervals (Efron 1979) of figures of n
// items. statistic returns the figures, always as many, of a sample: n indices
// in [0, n), drawn with replacement. It must not keep the slice.
//
// The samples are the same in every call with the same n, and so is the result.
// A figure that is not finite in a sample does not count; an interval is NaN if
// there are fewer than 2 items or its figure is finite in less than half of the
// samples.
func Intervals(n int, statistic func(sample []int) []float64) (low, high []float64) {
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	sample := make([]int, n)
	for i := range sample {
		sample[i] = i
	}
	figures := make([][]float64, len(statistic(sample)))
	if n >= 2 {
		for range Resamples {
			for i := range sample {
				sample[i] = rng.IntN(n)
			}
			for k, v := range statistic(sample) {
				if !math.IsNaN(v) && !math.IsInf(v, 0) {
					figures[k] = append(figures[k], v)
				}
			}
		}
	}
	for _, x := range figures {
		slices.Sort(x)
		low, high = append(low, quantile(x, 0.025)), append(high, quantile(x, 0.975))
	}
	return low, high
}

// quantile returns the q-quantile of sorted figures, linear between two.
func quantile(x []float64, q float64) float64 {
	if len(x) < Resamples/2 {
		return math.NaN()
	}
	at := q * float64(len(x)-1)
	i := int(at)
	return x[i] + (at-float64(i))*(x[min(i+1, len(x)-1)]-x[i])
}
