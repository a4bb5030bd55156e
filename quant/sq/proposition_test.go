package sq_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	G "gorgonia.org/gorgonia"

	"vqspeech/internal/graph/graphtest"
	"vqspeech/quant"
	"vqspeech/quant/sq"
)

// enumerable is an SQ-VAE I so small that every sum over its codes is exact:
// images, their latents (the encoder is what it is), and what codes decode to.
// One variance v of the quantiser is free.
type enumerable struct {
	book    quant.Codebook
	latents []float32   // [N, D]
	errors  [][]float64 // [N][K], squared distance of image i and decoded code k
}

// posterior returns the probabilities [N][K] of the codes, and the quantiser's
// part of the objective: its regulariser and minus its entropy, of which the sum
// over the codes is minus the log of what normalises them.
func (e *enumerable) posterior(v float64) (p [][]float64, latentLoss float64) {
	k := e.book.Size
	logits := make([]float32, len(e.errors)*k)
	e.book.Logits(logits, e.latents, []float32{float32(1 / v)})
	for i := range e.errors {
		a := logits[i*k : (i+1)*k]
		top, sum := float64(slices.Max(a)), 0.0
		row := make([]float64, k)
		for j, x := range a {
			row[j] = math.Exp(float64(x) - top)
			sum += row[j]
		}
		for j := range row {
			row[j] /= sum
		}
		latentLoss -= top + math.Log(sum)
		p = append(p, row)
	}
	return p, latentLoss
}

// objective is the divergence of Takida et al. 2022, Proposition 1, between the
// encoder's and the model's distribution of latents and codes given the images,
// as a function of v, up to what does not depend on v: the negative evidence
// bound with the decoder's variance. As in training, latents stand for their
// mean, with which their normalisers cancel.
func (e *enumerable) objective(v, decoderVariance float64) float64 {
	p, loss := e.posterior(v)
	for i, row := range p {
		least := slices.Min(e.errors[i]) // the same for every v, and so large that it would drown the rest
		for k, q := range row {
			loss += q * (e.errors[i][k] - least) / (2 * decoderVariance)
		}
	}
	return loss
}

// widest and narrowest bound the variances that are tried.
const (
	narrowest = 1e-5
	widest    = 1e6
)

// best returns the v with the least objective: by a scan, and a golden section
// between the neighbours of what the scan finds.
func (e *enumerable) best(decoderVariance float64) float64 {
	const steps = 3000
	at := func(i int) float64 {
		return math.Exp(math.Log(narrowest) + float64(i)/steps*math.Log(widest/narrowest))
	}
	least, value := 0, math.Inf(1)
	for i := range steps + 1 {
		if x := e.objective(at(i), decoderVariance); x < value {
			least, value = i, x
		}
	}
	golden := (math.Sqrt(5) - 1) / 2
	lo, hi := at(max(least-1, 0)), at(min(least+1, steps))
	for range 40 {
		a, b := hi-golden*(hi-lo), lo+golden*(hi-lo)
		if e.objective(a, decoderVariance) < e.objective(b, decoderVariance) {
			hi = b
		} else {
			lo = a
		}
	}
	return (lo + hi) / 2
}

// TestVarianceOfTwoCodes holds the minimiser against its closed form. With one
// image and two codes, the nearer at the squared distance r, the other at r + δ,
// and Δ between their squared errors, the derivative by 1/v is 0 where the other
// code has the probability ε of
//
//	c ε² + (δ/2 - c) ε + r/2 = 0,  c = Δδ/4σ²,
//
// and ε = 1/(1 + exp(δ/2v)).
func TestVarianceOfTwoCodes(t *testing.T) {
	e := enumerable{book: quant.Codebook{Size: 2, Dim: 1, Vectors: []float32{0, 1}}, latents: []float32{0.25}, errors: [][]float64{{0.25, 2}}}
	const r, delta, gap = 0.0625, 0.5, 1.75
	for _, decoderVariance := range []float64{0.1, 1e-2, 1e-3, 1e-5, 1e-8} {
		c := gap * delta / (4 * decoderVariance)
		b := c - delta/2
		epsilon := r / (b + math.Sqrt(b*b-2*c*r)) // the smaller root
		want := delta / (2 * math.Log((1-epsilon)/epsilon))
		if got := e.best(decoderVariance); math.Abs(got-want) > 2e-3*want {
			t.Errorf("σ² = %g: the best variance is %g, want %g", decoderVariance, got, want)
		}
	}
}

// tiny returns an enumerable model of 12 images with three values, two-dimensional
// latents and four codes. The images lie around what the codes decode to, and the
// encoder undoes the decoder.
func tiny() *enumerable {
	e := &enumerable{book: quant.Codebook{Size: 4, Dim: 2, Vectors: []float32{0, 0, 1, 0.2, -0.3, 1, 1.2, 1.3}}}
	decode := func(z []float32) [3]float64 {
		x, y := float64(z[0]), float64(z[1])
		return [3]float64{x + 0.2*y, 0.9*y - 0.1*x, 0.3*x + 0.3*y}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 12 {
		z := slices.Clone(e.book.Vectors[i%4*2:][:2])
		z[0] += float32(0.3 * (rng.Float64() - 0.5))
		z[1] += float32(0.3 * (rng.Float64() - 0.5))
		e.latents = append(e.latents, z...)
		image := decode(z)
		image[2] += 0.1 // no code decodes to the image itself
		row := make([]float64, 4)
		for k := range row {
			for j, x := range decode(e.book.Vectors[2*k:]) {
				row[k] += (image[j] - x) * (image[j] - x)
			}
		}
		e.errors = append(e.errors, row)
	}
	return e
}

// pass runs the training nodes once, with noise.
func (e *enumerable) pass(t *testing.T, v float64) sq.Output {
	t.Helper()
	n, k, d := len(e.errors), e.book.Size, e.book.Dim
	rng, uniform := rand.New(rand.NewPCG(3, 4)), make([]float32, n*k)
	for i := range uniform {
		uniform[i] = 0.01 + 0.98*rng.Float32()
	}
	g := G.NewGraph()
	book := graphtest.Input(g, "codebook", e.book.Vectors, k, d)
	out := sq.Gaussian(sq.Shared, sq.Inputs{
		Encoded: graphtest.Input(g, "z", e.latents, 1, n, d), LogVar: graphtest.Input(g, "s", []float32{float32(math.Log(v))}, 1), Codebook: book,
		Uniform: graphtest.Input(g, "uniform", uniform, 1, n, k), Tau: graphtest.Input(g, "tau", []float32{1}, 1),
	})
	graphtest.Differentiate(t, G.Nodes{out.Regularizer, out.NegEntropy}, G.Nodes{nil, nil}, G.Nodes{book}).Run(t)
	return out
}

// TestProposition1 wants SQ-VAE to become VQ-VAE where the decoder's variance σ²
// vanishes (Takida et al. 2022, Proposition 1): the variance of the quantiser that
// fits it best falls with σ² towards 0, the posterior of the codes becomes certain
// of the nearest one, and a training pass, noise and all, gives what
// nearest-neighbour assignment gives. Where σ² is large, none of it holds: all
// codes are as probable. With an encoder that stays as it is the minimiser falls as
// 1/ln(1/σ²), so σ² goes far.
func TestProposition1(t *testing.T) {
	e := tiny()
	n, k := len(e.errors), e.book.Size
	nearest, vectors := make([]uint16, n), make([]float32, len(e.latents))
	e.book.Assign(nearest, e.latents, nil)
	e.book.Lookup(vectors, nearest)
	for i, row := range e.errors {
		if at := slices.Index(row, slices.Min(row)); at != int(nearest[i]) {
			t.Fatalf("image %d: code %d decodes nearest, code %d is nearest to the latent: not the case of the proposition", i, at, nearest[i])
		}
	}
	entropy := func(v float64) (mean float64) {
		h := make([]float32, n)
		e.book.PosteriorEntropy(h, e.latents, []float32{float32(1 / v)})
		for _, x := range h {
			mean += float64(x) / float64(n)
		}
		return mean
	}
	// furthest says how far a training pass is from the nearest code vectors.
	furthest := func(v float64) (d float64) {
		for i, x := range graphtest.Floats(e.pass(t, v).Quantized) {
			d = max(d, math.Abs(float64(x-vectors[i])))
		}
		return d
	}

	if v := e.best(1e6); v < widest/10 || entropy(v) < math.Log(float64(k))-1e-4 || furthest(v) < 0.5 {
		t.Errorf("σ² = 1e6: the best variance is %g, entropy %g of ln %d, values %g from the nearest code", v, entropy(v), k, furthest(v))
	}
	var v float64
	last, lastEntropy := math.Inf(1), math.Inf(1)
	for _, decoderVariance := range []float64{0.3, 0.1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8, 1e-16, 1e-32, 1e-64, 1e-128, 1e-256} {
		v = e.best(decoderVariance)
		h := entropy(v)
		t.Logf("σ² = %-6g  best σ_φ² = %-9.4g  entropy %.3g nats", decoderVariance, v, h)
		if !(v < last) || h > lastEntropy {
			t.Errorf("σ² = %g: the best variance is %g after %g, entropy %g after %g, want both to fall", decoderVariance, v, last, h, lastEntropy)
		}
		last, lastEntropy = v, h
	}
	if first := e.best(0.3); !(v < first/100) || v <= 10*narrowest {
		t.Errorf("the best variance ends at %g, want less than a hundredth of %g", v, first)
	}
	p, _ := e.posterior(v)
	for i, row := range p {
		if 1-row[nearest[i]] > 1e-12 {
			t.Errorf("image %d: the nearest code has probability %g", i, row[nearest[i]])
		}
	}
	out := e.pass(t, v)
	for i, c := range graphtest.Ints(out.Codes) {
		if c != int32(nearest[i]) {
			t.Errorf("image %d: code %d, want the nearest, %d", i, c, nearest[i])
		}
	}
	if d := furthest(v); d > 1e-6 {
		t.Errorf("a training pass gives values %g from the nearest code vectors", d)
	}
	if h := -graphtest.Floats(out.NegEntropy)[0]; h > 1e-6 {
		t.Errorf("a training pass has entropy %g", h)
	}
	commitment := 0.0 // of VQ-VAE, over 2v
	for i, z := range e.latents {
		d := float64(z - vectors[i])
		commitment += d * d / (2 * v)
	}
	if r := float64(graphtest.Floats(out.Regularizer)[0]); math.Abs(r-commitment) > 1e-4*commitment {
		t.Errorf("the regulariser is %g, want VQ-VAE's squared distance over 2v, %g", r, commitment)
	}
}
