package quant

import "vqspeech/internal/simd"

// Bounds of a temperature.
const (
	MinTemperature = 1e-3
	MaxTemperature = 1e3
)

// SampleLogits returns the smallest code whose cumulative probability under
// softmax(logits/temperature), summed in float64, exceeds u in [0, 1). weights is
// memory for them.
//
//	weights, logits [K] float32
func SampleLogits(weights, logits []float32, temperature, u float64) int {
	target := u * simd.SoftmaxRow(weights, logits, float32(temperature))
	sum, last := 0.0, 0
	for code, w := range weights {
		if w == 0 {
			continue
		}
		if sum += float64(w); sum > target {
			return code
		}
		last = code
	}
	return last
}
