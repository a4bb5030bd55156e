package recipes

import (
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"

	"vqspeech/model/image"
	"vqspeech/model/image/prior"
	"vqspeech/model/image/prior/train"
	"vqspeech/recipes/images"
)

// Prior is a recipe with the sections data, prior and train: it trains the prior
// of an image model that exists already, on that model's codes of the images.
type Prior struct {
	Data  ImageData       `yaml:"data"`
	Prior prior.NetConfig `yaml:"prior"`
	Train train.Config    `yaml:"train"`
}

// DefaultPrior returns the recipe for small grids.
func DefaultPrior() Prior {
	return Prior{
		Data:  ImageData{Train: "train", Valid: "valid", Test: "test"},
		Prior: prior.DefaultNet(), Train: train.DefaultConfig(),
	}
}

// ParsePrior is Parse for a prior's recipe.
func ParsePrior(name string, data []byte, overrides ...string) (Prior, error) {
	return parse(name, data, overrides, DefaultPrior())
}

// YAML returns the whole recipe, defaults included; ParsePrior reads it back.
func (r Prior) YAML() ([]byte, error) { return yaml.Marshal(r) }

// Validate reports every field that is out of range, one error each.
func (r Prior) Validate() error {
	return errors.Join(r.Data.Validate(), r.Prior.Validate(), r.Train.Validate())
}

// Config returns the configuration of the prior that r trains for a model.
func (r Prior) Config(m *image.Model) prior.Config {
	grid := m.Config.Grid()
	return prior.Config{
		Net: r.Prior, CodebookSize: m.Codebook.Size, Height: grid, Width: grid, ImageModel: fmt.Sprintf("%x", m.Fingerprint()),
	}
}

// Options returns the training run of r for a model on a prepared corpus, without
// a folder and without callbacks. All images are encoded; progress is told how many
// are, of r.Data.Images.
func (r Prior) Options(c *images.Corpus, m *image.Model, progress func(images int)) (train.Options, error) {
	o := train.Options{Prior: r.Config(m), Train: r.Train}
	text, err := r.YAML()
	if err != nil {
		return o, err
	}
	hash := c.SplitHash(r.Data.Train, r.Data.Valid, r.Data.Test)
	o.Metadata = metadata(c.Info.Corpus, hash, text)
	if o.Data, err = dataName(c.Info.Corpus, hash, r.Data); err != nil {
		return o, err
	}
	done := 0
	for _, part := range []struct {
		dst        *prior.Set
		key, split string
	}{{&o.Training, "data.train", r.Data.Train}, {&o.Valid, "data.valid", r.Data.Valid}, {&o.Test, "data.test", r.Data.Test}} {
		if part.split == "" {
			continue
		}
		if *part.dst, err = r.set(c, m, part.split, func(images int) { progress(done + images) }); err != nil {
			return o, fmt.Errorf("%s: %w", part.key, err)
		}
		done += part.dst.N
	}
	return o, nil
}

// set returns the codes that m gives to the images of a split, and their classes
// if the prior is conditioned on them.
func (r Prior) set(c *images.Corpus, m *image.Model, split string, progress func(images int)) (prior.Set, error) {
	source := Image{Data: r.Data, Model: m.Config.Net, Quantizer: m.Config.Quantizer, Decoder: m.Config.Decoder}
	set, err := source.Set(c, split)
	if err != nil {
		return prior.Set{}, err
	}
	s := prior.Set{N: set.N}
	if r.Prior.Classes > 0 {
		if s.Classes, err = c.Labels(split); err != nil {
			return prior.Set{}, err
		}
	}
	const block = 256 // images between two calls of progress
	for from := 0; from < set.N; from += block {
		to := min(from+block, set.N)
		codes, err := m.Encode(set.Slice(from, to))
		if err != nil {
			return prior.Set{}, err
		}
		s.Codes = append(s.Codes, codes...)
		progress(to)
	}
	if err := s.Check(r.Config(m)); err != nil {
		return prior.Set{}, fmt.Errorf("%s: %s: %w", c.Dir, split, err)
	}
	return s, nil
}
