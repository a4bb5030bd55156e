package graph_test

import (
	"math"
	"math/rand/v2"
	"testing"

	G "gorgonia.org/gorgonia"

	"vqspeech/internal/graph"
	"vqspeech/internal/graph/graphtest"
)

// TestGaussianKLByMonteCarlo holds the divergence against the mean of
// ln q(z) - ln p(z) over samples that Reparameterize draws.
func TestGaussianKLByMonteCarlo(t *testing.T) {
	const samples, d = 100000, 3
	mean, logVar, noise := make([]float32, samples*d), make([]float32, samples*d), make([]float32, samples*d)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range mean {
		mean[i], logVar[i], noise[i] = []float32{0.5, -1, 2}[i%d], []float32{-1, 0.3, 0}[i%d], float32(rng.NormFloat64())
	}
	g := G.NewGraph()
	m, l := graphtest.Input(g, "mean", mean, samples, d), graphtest.Input(g, "log variance", logVar, samples, d)
	kl, z := graph.GaussianKL(m, l), graph.Reparameterize(m, l, graphtest.Input(g, "noise", noise, samples, d))
	machine := G.NewTapeMachine(g)
	defer machine.Close()
	if err := machine.RunAll(); err != nil {
		t.Fatal(err)
	}
	drawn := 0.0
	for i, x := range graphtest.Floats(z) {
		x, m, l := float64(x), float64(mean[i]), float64(logVar[i])
		drawn += 0.5 * (x*x - (x-m)*(x-m)/math.Exp(l) - l) / samples
	}
	if got := float64(graphtest.Floats(kl)[0]); math.Abs(got-drawn) > 0.02*drawn {
		t.Errorf("the divergence is %g, samples give %g", got, drawn)
	}
}
