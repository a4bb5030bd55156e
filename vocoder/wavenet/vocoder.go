package wavenet

import (
	"fmt"
	"math"
	"slices"

	"vqspeech/features"
	"vqspeech/vocoder"
)

// Vocoder is a vocoder.Vocoder on a network with Prediction, which estimates the
// pitch of the features itself.
type Vocoder struct {
	g      *Generator
	stream *Stream
	pitch  *pitcher
}

var _ vocoder.Vocoder = (*Vocoder)(nil)

// NewVocoder starts an utterance on a Generator of v, with Options of v. It fails
// if v was not trained on features.
func (v Voice) NewVocoder(g *Generator, o Options) (*Vocoder, error) {
	if !v.Network.Prediction {
		return nil, fmt.Errorf("wavenet: the network is for latents of %d values, not for features", v.Network.Dim)
	}
	s, err := g.NewStream(o)
	if err != nil {
		return nil, err
	}
	return &Vocoder{g: g, stream: s, pitch: newPitcher(g.cfg, g.pitch, o.Speaker)}, nil
}

// Fits reports, as an error, why v cannot synthesise features under cfg.
func (v Voice) Fits(cfg features.Config) error {
	if v.Network.Prediction && v.Network.Features != cfg {
		return fmt.Errorf("wavenet: the vocoder is for other features than the model's")
	}
	return nil
}

// Push takes c.Mel [T, M] (c.Codes is ignored) and returns the samples of the
// frames that are settled: five more decide on a frame's pitch and filter.
//
// It fails, and takes nothing, if the length of c.Mel is not a multiple of M or
// a feature is not a finite number.
func (v *Vocoder) Push(c vocoder.Conditioning) ([]float32, error) {
	m := v.g.cfg.Features.NMels
	if len(c.Mel)%m != 0 {
		return nil, fmt.Errorf("wavenet: %d features, want a multiple of the %d of a frame", len(c.Mel), m)
	}
	for i, x := range c.Mel {
		if f := float64(x); math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, fmt.Errorf("wavenet: feature %d of frame %d is %v, want a finite number", i%m, i/m, x)
		}
	}
	return v.stream.Push(v.pitch.push(c.Mel, false))
}

// Flush ends the utterance and returns the samples of its last frames.
func (v *Vocoder) Flush() ([]float32, error) {
	first, err := v.stream.Push(v.pitch.push(nil, true))
	if err != nil {
		return nil, err
	}
	out := append(slices.Clone(first), v.stream.Flush()...)
	v.pitch = newPitcher(v.g.cfg, v.g.pitch, v.stream.options.Speaker)
	return out, nil
}
