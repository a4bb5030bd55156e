package quant

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
