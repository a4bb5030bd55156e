package examples

import (
	"math"
	"math/rand/v2"
	"testing"

	G "gorgonia.org/gorgonia"

	"vqspeech/internal/graph"
	"vqspeech/internal/graph/graphtest"
	"vqspeech/internal/simd"
	"vqspeech/internal/synthetic"
	"vqspeech/internal/training"
	"vqspeech/quant/metric"
	"vqspeech/quant/vq"
)

// Sizes of the strong decoder's model: an image is read row by row as a sequence
// of black and white pixels.
const (
	collapseBatch  = 16
	collapseSide   = synthetic.StrokesSide / 2
	collapsePixels = collapseSide * collapseSide
	collapseCodes  = 16 // K
	latents        = 3  // of an image, as in van den Oord et al. 2017, section 4.2
	latentDim      = 4
)

// collapse is a model whose decoder predicts every pixel of all those before it
// and of the latents, so that it could do without them.
type collapse struct {
	*learner
	pixels []float32 // [B, T, 1] in {-1, 1}
	before []int32   // [B, T], the pixel before: 2 at the start
	target []int32   // [B, T]
	noise  []float32 // [B, 1, 3D]; vae

	nll   *G.Node // nats per image
	kl    *G.Node // nats per image; vae
	codes []vq.Output
	q     *G.Node   // [B, 1, 3D], latents of the images
	shift []float32 // [B, 1, 3D], is added to them
}

func newCollapse(t *testing.T, vae bool) *collapse {
	const width, hidden = 32, 32
	c := &collapse{learner: newLearner(t, 5e-3, 1)}
	var x, before, target, noise *G.Node
	c.pixels, x = c.floats("pixels", collapseBatch, collapsePixels, 1)
	c.before, before = c.ints("before", collapseBatch, collapsePixels)
	c.target, target = c.ints("target", collapseBatch, collapsePixels)

	whole := simd.Conv1D{In: 1, Out: width, Kernel: collapsePixels, Stride: 1, Dilation: 1} // sees the image at once
	w, bias := c.weights("encoder", collapsePixels, width)
	features := graph.ReLU(graph.Conv1D(x, w, bias, whole)) // [B, 1, width]
	mean := c.linear("latent", features, latents*latentDim)
	loss := []*G.Node{}
	if vae {
		logVar := c.linear("log variance", features, latents*latentDim)
		c.noise, noise = c.floats("noise", collapseBatch, 1, latents*latentDim)
		c.q, c.kl = graph.Reparameterize(mean, logVar, noise), graph.GaussianKL(mean, logVar)
		loss = append(loss, c.kl)
	} else {
		book := c.param("codebook", 1, collapseCodes, latentDim)
		for i := range latents {
			out := vq.Quantize(graph.Channels(mean, i*latentDim, (i+1)*latentDim), book, true)
			c.codes, loss = append(c.codes, out), append(loss, out.Loss(latentDim, 0.25))
		}
		c.q = graph.Concat(graph.Concat(c.codes[0].Quantized, c.codes[1].Quantized), c.codes[2].Quantized)
	}

	symbols := c.param("pixel before", 1, 3, 8)
	gru := graph.GRUWeights{}
	gru.WIH, gru.BIH = c.weights("gru input", 8+latents*latentDim, 3*hidden)
	gru.WHH, gru.BHH = c.weights("gru", hidden, 3*hidden)
	logits, logitsBias := c.weights("logits", hidden, 2)
	var shift *G.Node
	c.shift, shift = c.floats("shift", collapseBatch, 1, latents*latentDim)
	in := graph.Concat(graph.Embedding(symbols, before), graph.Upsample(graph.Sum(c.q, shift), collapsePixels))
	a := graph.Linear(graph.GRU(in, nil, gru, false), logits, logitsBias)
	c.nll = graph.Scale(graph.Mean(graph.CrossEntropy(a, target)), collapsePixels)
	c.minimize(graph.Sum(append(loss, c.nll)...))
	return c
}

// fill sets the images of a step.
func (c *collapse) fill(images []uint8) {
	for i := range c.target {
		n, y, x := i/collapsePixels, i/collapseSide%collapseSide, i%collapseSide
		c.target[i] = 0
		if images[(n*synthetic.StrokesSide+2*y)*synthetic.StrokesSide+2*x] > 127 {
			c.target[i] = 1
		}
		c.pixels[i] = float32(2*c.target[i] - 1)
		c.before[i] = 2
		if i%collapsePixels > 0 {
			c.before[i] = c.target[i-1]
		}
	}
}

// train trains on strokes and returns how many nats per image the decoder loses
// when each image gets the latents of another one.
func (c *collapse) train(steps int) (lost float64) {
	rng := rand.New(rand.NewPCG(1, 2))
	for step := range steps {
		c.fill(synthetic.Strokes(collapseBatch, uint64(step)))
		training.Normal(c.noise, rng)
		c.step()
	}
	const size, batches = latents * latentDim, 8
	for i := range batches {
		c.fill(synthetic.Strokes(collapseBatch, math.MaxUint64-uint64(i)))
		training.Normal(c.noise, rng)
		clear(c.shift)
		c.run()
		own, q := float64(graphtest.Floats(c.nll)[0]), graphtest.Floats(c.q)
		for j := range c.shift {
			c.shift[j] = q[(j+size)%len(q)] - q[j]
		}
		c.run()
		lost += (float64(graphtest.Floats(c.nll)[0]) - own) / batches
	}
	return lost
}

// TestCollapse trains the same decoder behind latents of a VAE and behind codes:
// it ignores the first, which pay for every nat, and uses the second (van den Oord
// et al. 2017, section 4.2).
func TestCollapse(t *testing.T) {
	skipSlow(t)
	const steps = 300
	vae := newCollapse(t, true)
	if lost, kl := vae.train(steps), graphtest.Floats(vae.kl)[0]; !(kl < 0.5) || !(lost < 1) {
		t.Errorf("vae: KL %g nats; latents of another image cost %g nats: it has not collapsed", kl, lost)
	}
	coded := newCollapse(t, false)
	if lost := coded.train(steps); !(lost > 2) {
		t.Errorf("codes: those of another image cost %g nats: the decoder ignores them", lost)
	}
	used := metric.NewCounter(collapseCodes)
	for _, out := range coded.codes {
		for _, k := range graphtest.Ints(out.Codes) {
			used.Add([]uint16{uint16(k)})
		}
	}
	if !(used.Perplexity() > 2) {
		t.Errorf("codes: their perplexity is %g", used.Perplexity())
	}
}
