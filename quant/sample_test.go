package quant

import (
	"math"
	"testing"
)

// TestSampleLogits draws at every place of a distribution; a temperature raises
// its probabilities to 1/temperature.
func TestSampleLogits(t *testing.T) {
	logits := []float32{float32(math.Inf(-1)), float32(math.Log(1)), float32(math.Log(3)), float32(math.Log(4)), float32(math.Inf(-1))}
	for _, temperature := range []float64{1, 0.5, 2} {
		var p [5]float64
		total := 0.0
		for k := 1; k < 4; k++ {
			p[k] = math.Pow(math.Exp(float64(logits[k])), 1/temperature)
			total += p[k]
		}
		const n = 4000
		var count [5]float64
		for i := range n {
			count[SampleLogits(make([]float32, 5), logits, temperature, (float64(i)+0.5)/n)]++
		}
		for k := range p {
			if want := n * p[k] / total; math.Abs(count[k]-want) > 1.5 {
				t.Errorf("temperature %g: code %d is drawn %g times, want %g", temperature, k, count[k], want)
			}
		}
	}
	if got := SampleLogits(make([]float32, 5), logits, 1, math.Nextafter(1, 0)); got != 3 {
		t.Errorf("the end of the interval gives %d, want the last code that is possible, 3", got)
	}
}
