package train

import (
	"math"
	"slices"
	"testing"
)

// TestAdamRefusesWhatIsNotFinite leaves parameters and moments as they were.
func TestAdamRefusesWhatIsNotFinite(t *testing.T) {
	a := &Adam{LearningRate: 1, ClipNorm: 1}
	p := [][]float32{{1, 2}}
	if err := a.update(p, [][]float32{{1, 1}}); err != nil {
		t.Fatal(err)
	}
	values, m, v := slices.Clone(p[0]), slices.Clone(a.M[0]), slices.Clone(a.V[0])
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if err := a.update(p, [][]float32{{0, float32(bad)}}); err == nil {
			t.Errorf("no error for a gradient of %v", bad)
		}
	}
	if !slices.Equal(p[0], values) || !slices.Equal(a.M[0], m) || !slices.Equal(a.V[0], v) || a.Steps != 1 {
		t.Errorf("parameters %v, moments %v and %v, %d steps, want %v, %v, %v, 1", p[0], a.M[0], a.V[0], a.Steps, values, m, v)
	}
}
