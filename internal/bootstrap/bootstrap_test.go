package bootstrap

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func meanOf(x []float64) func(sample []int) []float64 {
	return func(sample []int) []float64 {
		var sum float64
		for _, i := range sample {
			sum += x[i]
		}
		return []float64{sum / float64(len(sample)), 7}
	}
}

// The interval of a mean is that of the normal distribution, and holds the true
// mean about as often as it says.
func TestMean(t *testing.T) {
	const n, trials = 200, 100
	rng := rand.New(rand.NewPCG(1, 2))
	held := 0
	for range trials {
		x := make([]float64, n)
		for i := range x {
			x[i] = 3 + rng.NormFloat64()
		}
		low, high := Intervals(n, meanOf(x))
		if width, want := high[0]-low[0], 2*1.96/math.Sqrt(n); math.Abs(width-want) > 0.25*want {
			t.Errorf("width %v, want %v", width, want)
		}
		if low[1] != 7 || high[1] != 7 {
			t.Errorf("of a constant: %v to %v", low[1], high[1])
		}
		if low[0] <= 3 && 3 <= high[0] {
			held++
		}
	}
	if held < 88 || held > 100 {
		t.Errorf("%d of %d intervals hold the mean, want about 95", held, trials)
	}
}

func TestSame(t *testing.T) {
	x := []float64{1, 5, 2, 8, 3}
	low, high := Intervals(len(x), meanOf(x))
	low2, high2 := Intervals(len(x), meanOf(x))
	if !slices.Equal(low, low2) || !slices.Equal(high, high2) {
		t.Error("two calls differ")
	}
}

func TestNoInterval(t *testing.T) {
	nan := math.NaN()
	for _, x := range [][]float64{{}, {4}, {nan, nan, nan}, {1, math.Inf(1), 2, math.Inf(-1)}} {
		low, high := Intervals(len(x), meanOf(x))
		if !math.IsNaN(low[0]) || !math.IsNaN(high[0]) {
			t.Errorf("%v: %v to %v, want none", x, low[0], high[0])
		}
	}
	// A quarter of the samples have no figure.
	low, high := Intervals(2, func(sample []int) []float64 {
		if sample[0] == 0 && sample[1] == 0 {
			return []float64{nan}
		}
		return []float64{1}
	})
	if low[0] != 1 || high[0] != 1 {
		t.Errorf("a figure that some samples lack: %v to %v, want 1 to 1", low[0], high[0])
	}
}
