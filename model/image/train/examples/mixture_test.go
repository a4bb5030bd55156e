package examples

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	G "gorgonia.org/gorgonia"

	"vqspeech/internal/graph"
	"vqspeech/internal/graph/graphtest"
	"vqspeech/internal/synthetic"
	"vqspeech/internal/training"
	"vqspeech/quant/metric"
	"vqspeech/quant/sq"
	"vqspeech/quant/vq"
)

// mixture is an autoencoder of points with linear encoder and decoder and 16
// codes of two dimensions.
type mixture struct {
	kind      string  // "vq", "vq-ema" or "gaussian-1"
	variance  float64 // gaussian-1: of the start
	fixed     bool    // gaussian-1: it stays
	threshold int     // codes with fewer uses between two looks at them move
	fraction  float64 // instead: the least used code splits the most used one
	collapsed bool    // all codes but one start far from every point
}

// mixtureResult is what is left after training.
type mixtureResult struct {
	mse        float64 // per value, of the most probable codes
	perplexity float64 // of the most probable codes
	cells      int     // Gaussians whose points have a code of their own
	entropy    float64 // of the posterior over the codes (nats); gaussian-1
	variance   float64 // gaussian-1
}

const (
	mixtureBatch    = 256
	mixtureSteps    = 1000
	mixtureInterval = 20 // steps between two looks for codes of few uses
)

// train returns what training from a seed comes to.
func (m mixture) train(t *testing.T, seed uint64) mixtureResult {
	t.Helper()
	const k, d = synthetic.MixtureSize, 2
	l := newLearner(t, 0.02, seed)
	in, x := l.floats("points", mixtureBatch, d)
	encoderW, encoderBias := l.weights("encoder", d, d)
	copy(graphtest.Floats(encoderW), []float32{1, 0, 0, 1})
	z := graph.Linear(x, encoderW, encoderBias)
	book := l.param("codebook", 1, k, d)
	vectors := graphtest.Floats(book)
	if m.collapsed {
		for i := d; i < len(vectors); i++ {
			vectors[i] = 50
		}
	}
	var codes, quantized, latent, entropy *G.Node
	var v, tau, uniform []float32
	var ema *vq.EMA
	if m.kind == "gaussian-1" {
		v0 := l.param("log variance", 0, 1)
		v = graphtest.Floats(v0)
		v[0] = float32(math.Log(m.variance))
		if m.fixed {
			l.params = l.params[:len(l.params)-1]
		}
		var u, ta *G.Node
		uniform, u = l.floats("uniform", mixtureBatch, k)
		tau, ta = l.floats("tau", 1)
		out := sq.GaussianImage(sq.Shared, sq.ImageInputs{Latent: z, LogVar: v0, Codebook: book, Uniform: u, Tau: ta})
		codes, quantized, latent, entropy = out.Codes, out.Quantized, graph.Sum(out.Regularizer, out.NegEntropy), out.NegEntropy
	} else {
		out := vq.Quantize(z, book, m.kind == "vq")
		codes, quantized, latent = out.Codes, out.Quantized, out.Loss(d, 0.25)
		if m.kind == "vq-ema" {
			l.params = slices.DeleteFunc(l.params, func(n *G.Node) bool { return n == book })
			ema = vq.NewEMA(vectors, k, 0.99, 1e-5, true)
		}
	}
	decoderW, decoderBias := l.weights("decoder", d, d)
	copy(graphtest.Floats(decoderW), []float32{1, 0, 0, 1})
	y := graph.Linear(quantized, decoderW, decoderBias)
	hard := graph.Linear(graph.Embedding(book, codes), decoderW, decoderBias)
	squares := graph.MSE(hard, x)
	outVar := l.param("output log variance", 0, 1)
	graphtest.Floats(outVar)[0] = float32(math.Log(0.1)) // as sony/sqvae's
	recon := graph.GaussianNLL(y, x, outVar)
	l.minimize(graph.Sum(recon, latent))

	uses, rng := make([]int, k), rand.New(rand.NewPCG(seed, 1))
	for step := range mixtureSteps {
		points, _ := synthetic.Mixture(mixtureBatch, seed<<32+uint64(step))
		copy(in, points)
		if tau != nil {
			tau[0] = float32(math.Exp(-3 * float64(step) / float64(mixtureSteps)))
			training.Uniform(uniform, rng)
		}
		l.step()
		assigned := graphtest.Ints(codes)
		if ema != nil {
			ema.Update(vectors, graphtest.Floats(z), assigned)
		}
		for _, c := range assigned {
			uses[c]++
		}
		if step%mixtureInterval == mixtureInterval-1 {
			if m.fraction > 0 {
				vq.Split(vectors, uses, m.fraction, ema, rng)
			} else {
				vq.Reset(vectors, graphtest.Floats(z), uses, m.threshold, ema, rng)
			}
			clear(uses)
		}
	}

	points, from := synthetic.Mixture(mixtureBatch, math.MaxUint64)
	copy(in, points)
	l.run()
	r := mixtureResult{mse: float64(graphtest.Floats(squares)[0])}
	assigned, counter := graphtest.Ints(codes), metric.NewCounter(k)
	for _, c := range assigned {
		counter.Add([]uint16{uint16(c)})
	}
	r.perplexity, r.cells = counter.Perplexity(), cells(assigned, from)
	if entropy != nil {
		r.entropy, r.variance = -float64(graphtest.Floats(entropy)[0]), math.Exp(float64(v[0]))
	}
	return r
}

// cells counts the Gaussians that have a code which no other one has.
func cells(codes []int32, from []int) int {
	gaussians := map[int32]map[int]bool{} // of a code
	for i, c := range codes {
		if gaussians[c] == nil {
			gaussians[c] = map[int]bool{}
		}
		gaussians[c][from[i]] = true
	}
	own := map[int]bool{}
	for _, of := range gaussians {
		for g := range of {
			if len(of) == 1 {
				own[g] = true
			}
		}
	}
	return len(own)
}

// TestMixture lets every quantiser find the 16 Gaussians. Codes with less than
// half of an even share move to a random latent: without that two of them may
// share a Gaussian for good, as in k-means.
func TestMixture(t *testing.T) {
	for _, kind := range []string{"vq", "vq-ema", "gaussian-1"} {
		r := mixture{kind: kind, variance: 0.5, threshold: mixtureInterval * mixtureBatch / synthetic.MixtureSize / 2}.train(t, 1)
		if r.cells != synthetic.MixtureSize || !(r.perplexity > 15) || !(r.mse < 0.01) {
			t.Errorf("%s: %+v, want a code for each of %d Gaussians", kind, r, synthetic.MixtureSize)
		}
	}
}

// TestDeadCodes starts with all codes but one far from every latent.
func TestDeadCodes(t *testing.T) {
	for _, kind := range []string{"vq", "vq-ema"} {
		dead := mixture{kind: kind, collapsed: true}
		revived, split := dead, dead
		revived.threshold, split.fraction = 1, 0.03
		if r := dead.train(t, 1); kind == "vq" && r.perplexity != 1 {
			t.Errorf("%s: the perplexity is %g without reset, want 1: gradients do not reach codes that are not used", kind, r.perplexity)
		}
		if r := revived.train(t, 1); !(r.perplexity > 12) {
			t.Errorf("%s: the perplexity is %g with reset, want more than 12", kind, r.perplexity)
		}
		if r := split.train(t, 1); !(r.perplexity > 12) {
			t.Errorf("%s: the perplexity is %g where codes split, want more than 12", kind, r.perplexity)
		}
	}
}

// TestFixedVariance compares variances that stay with one that is trained
// (Takida et al. 2022, Figure 2): both extremes leave more error, and the entropy
// of the posterior falls further where the variance may.
func TestFixedVariance(t *testing.T) {
	mean := func(m mixture) (r mixtureResult) {
		const seeds = 3
		for seed := range uint64(seeds) {
			one := m.train(t, 1+seed)
			r.mse, r.entropy, r.variance = r.mse+one.mse/seeds, r.entropy+one.entropy/seeds, r.variance+one.variance/seeds
		}
		return r
	}
	m := mixture{kind: "gaussian-1", variance: 1}
	trained := mean(m)
	m.fixed = true
	if fixed := mean(m); !(trained.variance < 0.7) || !(trained.entropy < 0.6*fixed.entropy) {
		t.Errorf("the variance 1 is trained to %g with the entropy %g; where it stays, the entropy is %g", trained.variance, trained.entropy, fixed.entropy)
	}
	for _, m.variance = range []float64{1e-4, 10} {
		if fixed := mean(m); math.Abs(fixed.variance/m.variance-1) > 1e-5 || !(fixed.mse > 2*trained.mse) {
			t.Errorf("the variance %g stays at %g and leaves an error of %g; trained it leaves %g", m.variance, fixed.variance, fixed.mse, trained.mse)
		}
	}
}
