package wavenet

import (
	"errors"
	"fmt"

	"vqspeech/model"
	"vqspeech/vocoder"
)

// UnitVocoder is a vocoder.Vocoder on a network without Prediction, conditioned
// on the code vectors of units (van den Oord et al. 2017). Unit k stands for the
// samples k*U up to (k+1)*U; the network sees a latent on either side of its own,
// which makes up for the half hop that the encoder's windows lie later.
type UnitVocoder struct {
	stream *Stream
	model  *model.Model
	last   []float32 // code vector of the last unit; nil before the first
	frames int       // mel frames of the utterance so far
	made   int       // samples so far
	out    []float32
}

var _ vocoder.Vocoder = (*UnitVocoder)(nil)

// NewUnitVocoder starts an utterance of the units of m, with Options of v. It
// fails if v was not trained on them.
func (v Voice) NewUnitVocoder(g *Generator, m *model.Model, o Options) (*UnitVocoder, error) {
	if v.Network.Prediction {
		return nil, errors.New("wavenet: the network is for features, not for units")
	}
	if err := v.Fits(m); err != nil {
		return nil, err
	}
	s, err := g.NewStream(o)
	if err != nil {
		return nil, err
	}
	return &UnitVocoder{stream: s, model: m}, nil
}

// Push takes c.Codes [L] and the number of frames of c.Mel [T, M], and returns
// the samples of the units that are settled: a unit needs the next one.
//
// It fails, and takes nothing, if a code is not in the codebook.
func (v *UnitVocoder) Push(c vocoder.Conditioning) ([]float32, error) {
	book := &v.model.Codebook
	latents := make([]float32, 0, len(c.Codes)*book.Dim)
	for i, k := range c.Codes {
		if int(k) >= book.Size {
			return nil, fmt.Errorf("wavenet: unit %d is %d, want less than %d", i, k, book.Size)
		}
		latents = append(latents, book.Vectors[int(k)*book.Dim:(int(k)+1)*book.Dim]...)
	}
	v.frames += len(c.Mel) / v.model.Config.Features.NMels
	if len(latents) > 0 {
		v.last = append(v.last[:0], latents[len(latents)-book.Dim:]...)
	}
	y, err := v.stream.Push(latents)
	v.made += len(y)
	return y, err
}

// Flush ends the utterance and returns its last samples. The last unit goes on
// to the end of the features, which have a few frames more than units stand for.
// It fails if there were frames but no unit.
func (v *UnitVocoder) Flush() ([]float32, error) {
	total := v.frames * v.model.Config.Features.HopLength
	last, made := v.last, v.made
	v.last, v.frames, v.made = nil, 0, 0
	if last == nil && total > 0 {
		v.stream.Flush()
		return nil, errors.New("wavenet: features without units: this vocoder speaks units")
	}
	v.out = v.out[:0]
	pushed := made // samples of all latents pushed: a latent is held back until the next
	for u := v.stream.g.cfg.Upsampling; last != nil && pushed < total; pushed += u {
		y, err := v.stream.Push(last)
		if err != nil {
			return nil, err
		}
		v.out = append(v.out, y...)
	}
	v.out = append(v.out, v.stream.Flush()...)
	return v.out[:min(len(v.out), max(total-made, 0))], nil
}
