package wavenet

import (
	"fmt"
	"slices"

	"vqspeech/features"
	"vqspeech/vocoder"
)

// Vocoder is a vocoder.Vocoder on a network whose latents are features.
type Vocoder struct{ stream *Stream }

var _ vocoder.Vocoder = Vocoder{}

// NewVocoder starts an utterance in the voice of a speaker of v; o.Speaker is
// not looked at. It fails if v was not trained on features or does not know the
// speaker.
func (v Voice) NewVocoder(g *Generator, speaker string, o Options) (Vocoder, error) {
	if !v.Network.Prediction {
		return Vocoder{}, fmt.Errorf("wavenet: the network is for latents of %d values, not for features", v.Network.Dim)
	}
	if o.Speaker = slices.Index(v.Speakers, speaker); o.Speaker < 0 {
		return Vocoder{}, fmt.Errorf("wavenet: the vocoder does not know speaker %q", speaker)
	}
	s, err := g.NewStream(o)
	return Vocoder{s}, err
}

// Fits reports, as an error, why v cannot synthesise features under cfg.
func (v Voice) Fits(cfg features.Config) error {
	if v.Network.Prediction && v.Network.Features != cfg {
		return fmt.Errorf("wavenet: the vocoder is for other features than the model's")
	}
	return nil
}

// Push takes c.Mel [T, M] (c.Codes is ignored) and returns the samples of the
// frames whose successor has come.
func (v Vocoder) Push(c vocoder.Conditioning) ([]float32, error) { return v.stream.Push(c.Mel) }

// Flush ends the utterance and returns the samples of its last frames.
func (v Vocoder) Flush() ([]float32, error) { return v.stream.Flush(), nil }
