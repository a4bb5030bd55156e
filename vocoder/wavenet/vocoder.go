package wavenet

import (
	"errors"
	"fmt"
	"math"

	"vqspeech/model"
	"vqspeech/vocoder"
	"vqspeech/vocoder/envelope"
	"vqspeech/vocoder/lpc"
)

// Vocoder is a vocoder.Vocoder on a network with Prediction, which estimates the
// pitch of the features itself.
type Vocoder struct {
	g          *Generator
	stream     *Stream
	pitch      *pitcher
	shaper     envelope.Shaper
	deEmphasis lpc.DeEmphasis
	out        []float32
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
	shaper, err := envelope.New(g.cfg.Features, v.Envelope)
	if err != nil {
		return nil, err
	}
	w := &Vocoder{g: g, stream: s, shaper: shaper}
	w.begin()
	return w, nil
}

// begin starts an utterance.
func (v *Vocoder) begin() {
	v.pitch = newPitcher(v.g.cfg, v.g.pitch, v.stream.options.Speaker)
	v.deEmphasis = lpc.NewDeEmphasis(v.g.cfg.Features.PreEmphasis)
}

// Fits reports, as an error, why v cannot speak what m decodes: features of
// another configuration or, without Prediction, units of another model.
func (v Voice) Fits(m *model.Model) error {
	if v.Network.Prediction {
		if v.Network.Features != m.Config.Features {
			return errors.New("wavenet: the vocoder is for other features than the model's")
		}
		return nil
	}
	if v.Model != fmt.Sprintf("%x", m.Fingerprint()) {
		return errors.New("wavenet: the vocoder is for the units of another model")
	}
	if u := m.Config.Features.HopLength * model.Downsampling; v.Network.Dim != m.Codebook.Dim || v.Network.Upsampling != u {
		return fmt.Errorf("wavenet: the vocoder is for latents of %d values and %d samples, the model's have %d and %d",
			v.Network.Dim, v.Network.Upsampling, m.Codebook.Dim, u)
	}
	return nil
}

// Push takes c.Mel [T, M] (c.Codes is ignored) and returns the samples of the
// frames that are settled: a few more decide on a frame's pitch, filter and gains.
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
	v.shaper.Want(c.Mel)
	y, err := v.stream.Push(v.pitch.push(c.Mel, false))
	if err != nil {
		return nil, err
	}
	v.out = v.out[:0]
	v.finish(v.shaper.Push(y))
	return v.out, nil
}

// finish appends samples to out.
func (v *Vocoder) finish(y []float32) {
	for _, x := range y {
		v.out = append(v.out, v.deEmphasis.Next(x))
	}
}

// Flush ends the utterance and returns the samples of its last frames.
func (v *Vocoder) Flush() ([]float32, error) {
	y, err := v.stream.Push(v.pitch.push(nil, true))
	if err != nil {
		return nil, err
	}
	v.out = v.out[:0]
	v.finish(v.shaper.Push(y))
	v.finish(v.shaper.Push(v.stream.Flush()))
	v.finish(v.shaper.Flush())
	v.begin()
	return v.out, nil
}
