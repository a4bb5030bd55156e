package train

import (
	"vqspeech/internal/simd"
	"vqspeech/model"
)

// Average keeps an exponential moving average of the weights, which generates
// better than the weights of the last step (Polyak averaging, as public WaveNets
// do). Early on it forgets faster, so that the initial values have no part in
// it: the decay of update n is at most (1+n)/(10+n).
type Average struct {
	Decay   float64       // of the weights so far at each update, such as 0.9999
	Updates int           // so far
	Weights model.Weights // the average; nil before the first update
}

// Update takes the weights of one more step.
func (a *Average) Update(w model.Weights) {
	if a.Weights == nil {
		a.Weights = model.Weights{}
	}
	keep := float32(min(a.Decay, (1+float64(a.Updates))/(10+float64(a.Updates))))
	if a.Updates == 0 {
		keep = 0
	}
	a.Updates++
	for name, x := range w {
		avg, ok := a.Weights[name]
		if !ok {
			avg = make([]float32, len(x))
			a.Weights[name] = avg
		}
		simd.ScaleRow(avg, keep)
		simd.Axpy(1-keep, x, avg)
	}
}
