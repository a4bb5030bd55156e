package recipes

import (
	"context"
	"fmt"
	"math"

	"vqspeech/internal/safetensors"
	"vqspeech/model/image"
	"vqspeech/model/image/prior"
	"vqspeech/recipes/images"
)

// Likelihood is a measurement of image.Model.Likelihood on a prepared corpus.
type Likelihood struct {
	Model *image.Model
	File  string       // of Model: its recipe says what it was trained on
	Prior *prior.Model // of the codes; nil for the uniform one
	Split string       // measured
}

// LikelihoodResult is what an image of a split takes.
type LikelihoodResult struct {
	Images       []image.ImageBits
	Dimensions   int     // values of an image: bits over it are bits per dimension
	Variance     float64 // of a gaussian decoder, 0 without
	VarianceFrom string  // the split that Variance is the most likely one for; empty: the model has its own
}

// Run measures every image of the split. Where the decoder's variance is the most
// likely one for a set, it is that of the split that the model's recipe trains
// on, which must not be the measured one. A prior that is conditioned on classes
// is told the class of every image, for ln classes nats more. progress is told
// how many images of how many are done.
func (l Likelihood) Run(ctx context.Context, c *images.Corpus, progress func(done, total int)) (LikelihoodResult, error) {
	cfg := l.Model.Config
	r := LikelihoodResult{Dimensions: cfg.PixelValues()}
	set, err := ImagesFor(cfg, c, l.Split)
	if err != nil {
		return r, err
	}
	if set.N == 0 {
		return r, fmt.Errorf("%s: the split %s has no images", c.Dir, l.Split)
	}
	var o image.LikelihoodOptions
	if cfg.Decoder.LikelyVariance() {
		if r.VarianceFrom, err = trainingSplit(l.File); err != nil {
			return r, err
		}
		if r.VarianceFrom == l.Split {
			return r, fmt.Errorf("%s: %s is the split that the decoder's variance comes from, want another to measure", l.File, l.Split)
		}
		if o.Training, err = ImagesFor(cfg, c, r.VarianceFrom); err != nil {
			return r, err
		}
	}
	if l.Prior != nil {
		if o.CodeNats, err = l.codeNats(c); err != nil {
			return r, err
		}
	}
	all := o.Training.N + set.N
	o.Progress = func(done int) { progress(done, all) }
	if r.Images, r.Variance, err = l.Model.Likelihood(ctx, set, o); err != nil {
		return r, fmt.Errorf("%s: %w", l.File, err)
	}
	return r, nil
}

// trainingSplit is the one that the recipe of a model file trains on.
func trainingSplit(path string) (string, error) {
	text, err := safetensors.Load(path, func(f *safetensors.File) (string, error) { return f.Metadata[RecipeKey], nil })
	if err != nil || text == "" {
		return DefaultImage("").Data.Train, err
	}
	r, err := ParseImage(path, []byte(text))
	return r.Data.Train, err
}

// codeNats returns what codes cost by the prior.
func (l Likelihood) codeNats(c *images.Corpus) (func(codes []uint16, first int) ([]float64, error), error) {
	p, class := l.Prior.Config, 0.0
	var classes []uint8
	if p.Net.Classes > 0 {
		var err error
		if classes, err = c.Labels(l.Split); err != nil {
			return nil, err
		}
		class = math.Log(float64(p.Net.Classes))
	}
	return func(codes []uint16, first int) ([]float64, error) {
		s := prior.Set{Codes: codes, N: len(codes) / p.Positions()}
		if classes != nil {
			s.Classes = classes[first : first+s.N]
		}
		nats, err := l.Prior.NLL(s)
		for i := range nats {
			nats[i] += class
		}
		return nats, err
	}, nil
}
