package train

import (
	"fmt"
	"math"
	"math/rand/v2"

	"vqspeech/audio/mulaw"
	"vqspeech/vocoder/lpc"
	"vqspeech/vocoder/wavenet"
)

// Utterance is what a crop is taken from.
type Utterance struct {
	ID      string
	Latents []float32 // [n, d]; with Prediction features and pitch
	Samples []float32 // waveform in [-1, 1], at least n*U samples
	Speaker int
}

// frames returns n.
func (u Utterance) frames(cfg wavenet.Config) int { return len(u.Latents) / cfg.Dim }

// cropper fills the inputs of a Net with crops.
type cropper struct {
	cfg     wavenet.Config
	frames  *wavenet.Frames // with Prediction
	filters []lpc.Filter
	periods []int
}

func newCropper(cfg wavenet.Config) (*cropper, error) {
	c := &cropper{cfg: cfg}
	var err error
	if cfg.Prediction {
		c.frames, err = wavenet.NewFrames(cfg)
	}
	return c, err
}

// set makes l latents of u from latent first on, and the samples they stand for,
// item i of the batch. noise is the spread (codes) of the error in what the
// network is told of the past, jitter the probability that a latent is replaced
// by a neighbour; rng may be nil without both. It panics if the crop is not all
// there.
func (c *cropper) set(n *Net, i int, u Utterance, first int, noise, jitter float64, rng *rand.Rand) {
	l, d := len(n.In.Jitter)/len(n.In.Speaker), c.cfg.Dim
	t := l * c.cfg.Upsampling
	start := first * c.cfg.Upsampling
	if first < 0 || (first+l)*d > len(u.Latents) || start+t > len(u.Samples) {
		panic(fmt.Sprintf("wavenet: crop of %d latents from %d on: the utterance has %d latents and %d samples", l, first, len(u.Latents)/d, len(u.Samples)))
	}
	copy(n.In.Latents[i*l*d:(i+1)*l*d], u.Latents[first*d:])
	shift(n.In.Jitter[i*l:(i+1)*l], jitter, rng)
	n.In.Speaker[i] = int32(u.Speaker)
	if c.cfg.Prediction {
		c.predicted(n, i*t, u, first, l, noise, rng)
		return
	}
	previous := int32(wavenet.Start)
	if start > 0 {
		previous = int32(mulaw.Encode(u.Samples[start-1]))
	}
	for j, x := range u.Samples[start : start+t] {
		code := int32(mulaw.Encode(x))
		n.In.Previous[i*t+j], n.In.Codes[i*t+j] = disturb(previous, noise, rng), code
		previous = code
	}
}

// predicted codes the residual of l frames in a closed loop: noise moves the
// codes that the past is made of, and the code asked for is the one that leads
// back to the recording (LPCNet's training with noise).
func (c *cropper) predicted(n *Net, at int, u Utterance, first, l int, noise float64, rng *rand.Rand) {
	m, hop, emphasis := c.cfg.Dim, c.cfg.Upsampling, c.cfg.Features.PreEmphasis
	c.filters, c.periods = c.filters[:0], c.periods[:0]
	for frame := first; frame < first+l; frame++ {
		next := min(frame+1, len(u.Latents)/m-1)
		c.filters, c.periods = c.frames.Append(c.filters, c.periods, u.Latents[frame*m:(frame+1)*m], u.Latents[next*m:(next+1)*m])
	}
	emphasised := func(j int) float32 {
		if j == 0 {
			return u.Samples[0]
		}
		return u.Samples[j] - float32(emphasis)*u.Samples[j-1]
	}
	var coder lpc.Coder
	start := first * hop
	for j := max(start-lpc.Order, 0); j < start; j++ {
		coder.Force(emphasised(j), mulaw.Encode(0))
	}
	for j := range l * hop {
		part := j * lpc.PerFrame / hop
		f := &c.filters[part]
		in, prediction := coder.Next(f, c.periods[part])
		code := lpc.Code(f, emphasised(start+j), prediction)
		n.In.Previous[at+j], n.In.Signal[at+j], n.In.Prediction[at+j] = int32(in.Excitation), int32(in.Signal), int32(in.Prediction)
		n.In.Period[at+j] = int32(in.Period)
		n.In.Codes[at+j] = int32(code)
		coder.Put(f, prediction, uint8(disturb(int32(code), noise, rng)))
	}
}

// shift draws the offset of every latent of a crop, to either side alike.
func shift(offsets []int32, probability float64, rng *rand.Rand) {
	clear(offsets)
	if probability == 0 {
		return
	}
	for i := range offsets {
		switch r := rng.Float64(); {
		case r < probability/2:
			offsets[i] = -1
		case r < probability:
			offsets[i] = 1
		}
	}
}

// disturb moves a code by normal noise of the given spread.
func disturb(code int32, spread float64, rng *rand.Rand) int32 {
	if spread == 0 {
		return code
	}
	return min(max(code+int32(math.RoundToEven(spread*rng.NormFloat64())), 0), wavenet.Levels-1)
}
