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
	"vqspeech/model/image"
	"vqspeech/quant/vq"
)

// Sizes of the film's model.
const (
	frameSide  = synthetic.MoveSide
	frameSize  = frameSide * frameSide
	filmGrid   = 21 // rows and columns of codes, as in van den Oord et al. 2017, section 4.4
	filmCodes  = 8  // K
	filmBatch  = 4
	filmFrames = 11 // one to begin with, ten generated
)

// frameCoder is a VQ-VAE of frames.
type frameCoder struct {
	*learner
	pixels  []float32 // [B, 84, 84, 1]
	vq      vq.Output
	choice  []int32 // [B, 21, 21], codes for decoded
	decoded *G.Node // [B, 84, 84, 1]
	book    []float32
	ema     *vq.EMA
	recon   *G.Node
}

func newFrameCoder(t *testing.T) *frameCoder {
	const width, d = 8, 4
	c := &frameCoder{learner: newLearner(t, 5e-3, 1)}
	var x, book, choice *G.Node
	c.pixels, x = c.floats("pixels", filmBatch, frameSide, frameSide, 1)
	c.book, book = c.floats("codebook", filmCodes, d)
	for i := range c.book {
		c.book[i] = float32(c.rng.NormFloat64())
	}
	c.ema = vq.NewEMA(c.book, filmCodes, 0.99, 1e-5, true)
	z := graph.ReLU(c.conv("half", x, width, 4, 2, 1))
	c.vq = vq.Quantize(c.linear("latent", graph.ReLU(c.conv("quarter", z, width, 4, 2, 1)), d), book, false)
	up1, up2 := c.double("up", d, width), c.double("image", width, 1)
	decode := func(q *G.Node) *G.Node { return graph.Sigmoid(up2(graph.ReLU(up1(q)))) }
	c.recon = graph.MSE(decode(c.vq.Quantized), x)
	c.choice, choice = c.ints("choice", filmBatch, filmGrid, filmGrid)
	c.decoded = decode(graph.Embedding(book, choice))
	c.minimize(graph.Sum(graph.Scale(c.recon, 10), graph.Scale(c.vq.Commitment, 0.25)))
	return c
}

func (c *frameCoder) train(clips []synthetic.Clip, steps int) {
	rng := rand.New(rand.NewPCG(1, 2))
	for step := range steps {
		for i := range filmBatch {
			clip := clips[rng.IntN(len(clips))]
			c.fill(i, clip, rng.IntN(len(clip.X)))
		}
		c.step()
		codes, latents := graphtest.Ints(c.vq.Codes), graphtest.Floats(c.vq.Latent)
		c.ema.Update(c.book, latents, codes)
		if step < steps/2 && step%10 == 9 {
			uses := make([]int, filmCodes)
			for _, k := range codes {
				uses[k]++
			}
			vq.Reset(c.book, latents, uses, 1, c.ema, rng)
		}
	}
}

// fill sets frame i of a step.
func (c *frameCoder) fill(i int, clip synthetic.Clip, frame int) {
	image.Pixels(c.pixels[i*frameSize:(i+1)*frameSize], clip.Frames[frame*frameSize:(frame+1)*frameSize])
}

// encode returns the codes of a clip's frames.
func (c *frameCoder) encode(clip synthetic.Clip) [][]int32 {
	var codes [][]int32
	for t := 0; t < len(clip.X); t += filmBatch {
		n := min(filmBatch, len(clip.X)-t)
		for i := range n {
			c.fill(i, clip, t+i)
		}
		c.run()
		for i := range n {
			codes = append(codes, slices.Clone(graphtest.Ints(c.vq.Codes)[i*filmGrid*filmGrid:(i+1)*filmGrid*filmGrid]))
		}
	}
	return codes
}

// position decodes the codes of a frame and returns the middle of its bright
// pixels.
func (c *frameCoder) position(codes []int32) (x, y float64) {
	copy(c.choice, codes)
	c.run()
	weight := 0.0
	for i, v := range graphtest.Floats(c.decoded)[:frameSize] {
		if v > 0.6 {
			x, y, weight = x+float64(i%frameSide)+0.5, y+float64(i/frameSide)+0.5, weight+1
		}
	}
	return x / weight, y / weight
}

// framePrior predicts the codes of a frame of those of the frame before and of
// the action between them.
type framePrior struct {
	*learner
	before, next []int32 // [B, 21, 21]
	action       []int32 // [B, 21, 21], the same in all places
	best         *G.Node // [B, 21, 21], the most probable codes
	nll          *G.Node // nats per code
}

func newFramePrior(t *testing.T) *framePrior {
	const width = 16
	p := &framePrior{learner: newLearner(t, 1e-2, 1)}
	var before, next, action *G.Node
	p.before, before = p.ints("before", filmBatch, filmGrid, filmGrid)
	p.next, next = p.ints("next", filmBatch, filmGrid, filmGrid)
	p.action, action = p.ints("action", filmBatch, filmGrid, filmGrid)
	x := graph.Sum(graph.Embedding(p.param("codes", 1, filmCodes, width), before), graph.Embedding(p.param("actions", 1, 4, width), action))
	x = graph.ReLU(p.conv("around", x, 2*width, 3, 1, 1))
	x = graph.ReLU(p.conv("further", x, 2*width, 3, 1, 1))
	a := p.linear("logits", x, filmCodes)
	p.best, p.nll = graph.Assign(a), graph.Mean(graph.CrossEntropy(a, next))
	p.minimize(p.nll)
	return p
}

// fill sets the context of frame i of a step.
func (p *framePrior) fill(i int, before []int32, action int32) {
	const n = filmGrid * filmGrid
	copy(p.before[i*n:], before)
	for j := range n {
		p.action[i*n+j] = action
	}
}

func (p *framePrior) train(clips []synthetic.Clip, codes [][][]int32, steps int) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range steps {
		for i := range filmBatch {
			k := rng.IntN(len(clips))
			t := rng.IntN(len(clips[k].Actions))
			p.fill(i, codes[k][t], clips[k].Actions[t])
			copy(p.next[i*filmGrid*filmGrid:], codes[k][t+1])
		}
		p.step()
	}
}

// TestVideo generates ten frames of a film by actions in the space of codes
// alone; they are decoded afterwards, and the square must be where the actions
// have led.
func TestVideo(t *testing.T) {
	skipSlow(t)
	clips := synthetic.Move(60, filmFrames, 1)
	coder := newFrameCoder(t)
	coder.train(clips, 200)
	var codes [][][]int32
	for _, c := range clips {
		codes = append(codes, coder.encode(c))
	}
	prior := newFramePrior(t)
	prior.train(clips, codes, 300)

	var predicted, stayed float64
	tests := synthetic.Move(8, filmFrames, 2)
	for _, c := range tests {
		now := coder.encode(c)[0]
		for _, a := range c.Actions {
			prior.fill(0, now, a)
			prior.run()
			now = slices.Clone(graphtest.Ints(prior.best)[:filmGrid*filmGrid])
		}
		x, y := coder.position(now)
		last := len(c.X) - 1
		wantX, wantY := float64(c.X[last])+synthetic.MoveSquare/2, float64(c.Y[last])+synthetic.MoveSquare/2
		e, s := math.Hypot(x-wantX, y-wantY), math.Hypot(float64(c.X[last]-c.X[0]), float64(c.Y[last]-c.Y[0]))
		predicted, stayed = predicted+e/float64(len(tests)), stayed+s/float64(len(tests))
	}
	t.Logf("the square is %.2f pixels off after ten frames, in which it moves by %.2f", predicted, stayed)
	// A step of the square is as wide as a code.
	if !(predicted < synthetic.MoveStep) || !(stayed > 2*synthetic.MoveStep) {
		t.Errorf("want less than a step of %d", synthetic.MoveStep)
	}
}
