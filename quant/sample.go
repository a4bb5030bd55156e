package quant

import "vqspeech/internal/simd"

// Sample draws a code from the probabilities p [K] with u, uniform in [0, 1):
// the smallest k with p_0 + … + p_k > u, summed in float64, or the last code
// if rounding leaves the sum at or below u. A code of probability 0 is drawn
// only in that last case.
func Sample(p []float32, u float32) uint16 {
	var sum float64
	for k, v := range p {
		if sum += float64(v); sum > float64(u) {
			return uint16(k)
		}
	}
	return uint16(len(p) - 1)
}

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
