package train

import (
	"math"
	"math/rand/v2"

	"vqspeech/model"
	"vqspeech/vocoder/wavenet"
)

// initialise fills w with the values that training begins with.
func initialise(cfg wavenet.Config, w model.Weights, rng *rand.Rand) {
	for _, p := range cfg.Params() {
		w[p.Name] = p.Init(rng)
	}
	if !cfg.Prediction {
		return
	}
	for _, name := range []string{"input", "signal", "prediction", "period"} {
		orderCodes(w[name+".weight"], cfg.Residual, rng)
	}
	smoothLogits(w["head2.weight"], w["head2.bias"], cfg.Post, rng)
}

// Residual codes are numbers on a line, which tables drawn code by code have to
// find out first. So codes begin as points on a curve, and the likelihoods of
// neighbouring codes as much alike: in a short training this is worth hundreds
// of steps.
const (
	codeScale  = 32 // codes of a unit of the curve
	codeLength = 20 // codes over which a likelihood changes
	codeSpread = 45 // of the codes before anything is learned
)

// orderCodes sets a table [256, R] to v·a + |v|·b plus a little noise, v the
// signed height of the code.
func orderCodes(table []float32, r int, rng *rand.Rand) {
	a, b := normal(r, 0.5, rng), normal(r, 0.5, rng)
	for c := range wavenet.Levels {
		v := (float64(c) - (wavenet.Levels-1)/2.0) / codeScale
		for j := range r {
			table[c*r+j] = float32(v*a[j] + (math.Abs(v)-1)*b[j] + 0.05*rng.NormFloat64())
		}
	}
}

// smoothLogits sets the last layer [post, 256] to waves over the codes, and its
// bias to a normal distribution.
func smoothLogits(weight, bias []float32, post int, rng *rand.Rand) {
	for j := range post {
		frequency, phase := rng.NormFloat64()/codeLength, 2*math.Pi*rng.Float64()
		for c := range wavenet.Levels {
			weight[j*wavenet.Levels+c] = float32(math.Cos(frequency*(float64(c)-(wavenet.Levels-1)/2.0)+phase) / math.Sqrt(2*float64(post)))
		}
	}
	for c := range bias {
		v := (float64(c) - (wavenet.Levels-1)/2.0) / codeSpread
		bias[c] = float32(-v * v / 2)
	}
}

func normal(n int, scale float64, rng *rand.Rand) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = scale * rng.NormFloat64()
	}
	return x
}
