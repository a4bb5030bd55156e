package wavenet

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Options are the choices of one utterance.
type Options struct {
	Speaker     int     // row of the speaker table
	Seed        uint64  // of the draws; equal seeds give equal samples
	Temperature float64 // the distribution is softmax(logits/Temperature); 0 takes the most likely code
	TopP        float64 // draw only from the likeliest codes that together have this probability; 1: from all

	// Voiced is the temperature of voiced samples, with Prediction: noise in
	// them is heard as hoarseness (LPCNet sharpens them too).
	Voiced float64
}

// DefaultOptions draws from the distribution as it is.
func DefaultOptions() Options { return Options{Temperature: 1, TopP: 1, Voiced: 1} }

func (o Options) validate(cfg Config) error {
	switch {
	case o.Speaker < 0 || o.Speaker >= cfg.Speakers:
		return fmt.Errorf("wavenet: speaker %d, want one of %d", o.Speaker, cfg.Speakers)
	case o.Temperature != 0 && !(o.Temperature >= 0.01 && o.Temperature <= 100):
		return fmt.Errorf("wavenet: temperature %g, want 0 or 0.01 to 100", o.Temperature)
	case !(o.Voiced >= 0 && o.Voiced <= 100):
		return fmt.Errorf("wavenet: temperature %g of voiced samples, want 0 to 100", o.Voiced)
	case !(o.TopP > 0 && o.TopP <= 1):
		return fmt.Errorf("wavenet: top-p %g, want more than 0, at most 1", o.TopP)
	}
	return nil
}

// Stream generates one utterance after the other. It must not be used by two
// goroutines at a time.
type Stream struct {
	g       *Generator
	options Options
	cond    conditioner
	random  interface{ Float64() float64 } // uniform in [0, 1)

	contexts []float32 // [n, M*2D], of the next samples
	context  int       // row that is current
	repeats  int       // samples that have used it

	rings    []float32 // last inputs of every layer, layer after layer
	position []int     // in each layer's ring: where its next input goes
	code     int       // the last drawn
	residual *residual // with Prediction
	out      []float32
}

// NewStream starts an utterance.
func (g *Generator) NewStream(o Options) (s *Stream, err error) {
	if err := o.validate(g.cfg); err != nil {
		return nil, err
	}
	frames := 0
	for _, l := range g.layers {
		frames += (g.cfg.Kernel - 1) * l.dilation
	}
	if g.cfg.GRU > 0 {
		s = &Stream{g: g, options: o, rings: make([]float32, g.cfg.GRU)}
	} else {
		s = &Stream{g: g, options: o, rings: make([]float32, frames*g.cfg.Residual), position: make([]int, len(g.layers))}
	}
	s.cond.speaker = g.speakerContext(o.Speaker)
	if g.cfg.Prediction {
		if s.residual, err = newResidual(g.cfg); err != nil {
			return nil, err
		}
	}
	s.reset()
	return s, nil
}

// reset makes s as new.
func (s *Stream) reset() {
	s.cond = conditioner{
		stages: append([]stage(nil), s.g.stages...), speaker: s.cond.speaker,
		vectors: s.cond.vectors[:0], between: s.cond.between,
	}
	s.random = rand.New(rand.NewPCG(s.options.Seed, pcgStream))
	s.contexts, s.context, s.repeats = s.contexts[:0], 0, 0
	clear(s.rings)
	clear(s.position)
	s.code = Start
	if s.residual != nil {
		s.residual.reset()
	}
}

// push takes latents of the utterance.
func (s *Stream) push(latents []float32) {
	s.cond.push(latents)
	if s.residual != nil {
		s.residual.push(latents)
	}
}

// end says that there are no more.
func (s *Stream) end() { s.cond.ended = true }

// pcgStream is the second seed of the generator of draws: the letters WaveNet.
const pcgStream = 0x576176654e6574

// Push takes the next latents [n, d] of the utterance and returns the samples
// [-1, 1], with Prediction pre-emphasised and not bounded, that are settled, valid
// until the next call. A sample depends on one
// latent beyond its own, with learned upsampling on a few.
//
// It fails, and takes nothing, if the latents are not whole or not finite.
func (s *Stream) Push(latents []float32) ([]float32, error) {
	out, err := PushAll([]*Stream{s}, [][]float32{latents})
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// Flush ends the utterance and returns its last samples: in all there are U for
// every latent. The next Push starts another utterance with the same options.
func (s *Stream) Flush() []float32 { return FlushAll([]*Stream{s})[0] }

// PushAll pushes to streams of one Generator, latents[i] to streams[i], and
// returns their samples. They advance together, which is faster than one after
// the other; what each of them gives is the same.
func PushAll(streams []*Stream, latents [][]float32) ([][]float32, error) {
	if len(streams) != len(latents) {
		return nil, fmt.Errorf("wavenet: %d streams, but latents for %d", len(streams), len(latents))
	}
	for i, s := range streams {
		if s.g != streams[0].g {
			return nil, fmt.Errorf("wavenet: stream %d belongs to another generator", i)
		}
		if err := s.check(latents[i]); err != nil {
			return nil, err
		}
	}
	for i, s := range streams {
		s.push(latents[i])
	}
	return advance(streams), nil
}

// FlushAll ends the utterances of streams of one Generator and returns their
// last samples.
func FlushAll(streams []*Stream) [][]float32 {
	for _, s := range streams {
		s.end()
	}
	out := advance(streams)
	for _, s := range streams {
		s.reset()
	}
	return out
}

func (s *Stream) check(latents []float32) error {
	d := s.g.cfg.Dim
	if len(latents)%d != 0 {
		return fmt.Errorf("wavenet: %d values, want a multiple of the %d of a latent", len(latents), d)
	}
	for i, v := range latents {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("wavenet: value %d of latent %d is %v, want a finite number", i%d, i/d, v)
		}
	}
	return nil
}

// settled returns the number of samples whose contexts are there, after
// computing further ones if there are none.
func (s *Stream) settled() int {
	columns, repeat := s.g.columns(), s.g.repeat()
	if s.context*columns == len(s.contexts) {
		s.contexts, s.context = s.cond.next(s.g, s.contexts[:0]), 0
		if s.residual != nil {
			s.residual.advance(len(s.contexts) / columns)
		}
	}
	return (len(s.contexts)/columns-s.context)*repeat - s.repeats
}

// repeat is the number of samples that share a context.
func (g *Generator) repeat() int {
	if len(g.cfg.Strides) > 0 {
		return 1
	}
	return g.cfg.Upsampling
}
