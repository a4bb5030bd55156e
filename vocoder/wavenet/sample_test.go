package wavenet_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"vqspeech/vocoder/wavenet"
)

// reference draws as the definition says, in float64, with a sort.
func reference(logits []float32, o wavenet.Options, u float64) int {
	p := make([]float64, len(logits))
	var total float64
	for i, v := range logits {
		p[i] = math.Exp(float64(v) / o.Temperature)
		total += p[i]
	}
	sorted := slices.Clone(p)
	slices.Sort(sorted)
	slices.Reverse(sorted)
	least, mass := 0.0, 0.0
	for _, v := range sorted {
		if mass >= o.TopP*total {
			break
		}
		mass += v
		least = v
	}
	kept := 0.0
	for _, v := range p {
		if v >= least {
			kept += v
		}
	}
	var sum float64
	for i, v := range p {
		if v < least {
			continue
		}
		if sum += v; sum > u*kept {
			return i
		}
	}
	panic("unreachable")
}

type uniform float64

func (u uniform) Float64() float64 { return float64(u) }

func TestDraw(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	differ := 0
	const draws = 5000
	for range draws {
		o := wavenet.Options{Temperature: 0.3 + rng.Float64(), TopP: []float64{1, 0.999, 0.9, 0.5, 1e-9}[rng.IntN(5)]}
		logits := make([]float32, wavenet.Levels)
		spread := 4 * rng.Float64()
		for i := range logits {
			logits[i] = float32(spread * rng.NormFloat64())
			if o.TopP == 0.5 {
				logits[i] = float32(math.Round(float64(logits[i]))) // ties
			}
		}
		u := rng.Float64()
		if wavenet.Draw(logits, o, uniform(u)) != reference(logits, o, u) {
			differ++ // the number fell within rounding of a boundary
		}
	}
	if differ > draws/500 {
		t.Errorf("%d of %d draws differ from their definition", differ, draws)
	}
}

func TestDrawAtTheEnds(t *testing.T) {
	logits := make([]float32, wavenet.Levels)
	for i := range logits {
		logits[i] = -300 // underflows beside the two
	}
	logits[7], logits[200] = 0, 0
	for _, c := range []struct {
		o    wavenet.Options
		u    float64
		want int
	}{
		{wavenet.DefaultOptions(), 0, 7}, {wavenet.DefaultOptions(), 0.49, 7}, {wavenet.DefaultOptions(), 0.5, 200},
		{wavenet.DefaultOptions(), math.Nextafter(1, 0), 200}, {wavenet.Options{TopP: 1}, 0.9, 7},
		{wavenet.Options{Temperature: 0.01, TopP: 0.3}, 0.9, 200},
	} {
		if got := wavenet.Draw(logits, c.o, uniform(c.u)); got != c.want {
			t.Errorf("%+v with %g: %d, want %d", c.o, c.u, got, c.want)
		}
	}
}

func BenchmarkDraw(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	logits := make([]float32, wavenet.Levels)
	for i := range logits {
		logits[i] = float32(3 * rng.NormFloat64())
	}
	for name, o := range map[string]wavenet.Options{
		"all": wavenet.DefaultOptions(), "top-p": {Temperature: 1, TopP: 0.95}, "greedy": {TopP: 1},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				wavenet.Draw(logits, o, rng)
			}
		})
	}
}
