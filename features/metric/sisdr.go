package metric

import (
	"errors"
	"math"
)

// SISDR returns the scale-invariant signal-to-distortion ratio (dB) of two
// recordings (Le Roux et al. 2019), with their means removed:
//
//	a = <e, r>/|r|²,  10 log10(|a r|²/|a r - e|²)
//
// It compares samples: a delay or another phase, which nobody hears, costs all
// of it. It is +Inf for an estimate that is the reference times a constant, -Inf
// for one that has nothing of it. It fails on a recording that is constant.
func SISDR(reference, estimate []float32, rate int) (float64, error) {
	r, e, err := common(reference, estimate, rate)
	if err != nil {
		return 0, err
	}
	meanR, meanE := average(r), average(e)
	var er, rr, ee float64
	for i := range r {
		x, y := float64(r[i])-meanR, float64(e[i])-meanE
		er += float64(x * y)
		rr += float64(x * x)
		ee += float64(y * y)
	}
	if rr == 0 {
		return 0, errors.New("metric: reference is constant, it has no signal")
	}
	if ee == 0 {
		return 0, errors.New("metric: estimate is constant, it has no signal")
	}
	a := er / rr
	var signal, noise float64
	for i := range r {
		target := a * (float64(r[i]) - meanR)
		d := target - (float64(e[i]) - meanE)
		signal += float64(target * target)
		noise += float64(d * d)
	}
	return 10 * math.Log10(signal/noise), nil
}

// average returns the mean of the samples.
func average(x []float32) float64 {
	var sum float64
	for _, v := range x {
		sum += float64(v)
	}
	return sum / float64(len(x))
}
