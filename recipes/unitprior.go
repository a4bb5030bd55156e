package recipes

import (
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"

	"vqspeech/internal/simd"
	"vqspeech/model"
	"vqspeech/model/train/prior"
	"vqspeech/model/unitprior"
	"vqspeech/recipes/corpus"
)

// UnitPrior is a recipe with the sections data, unit_prior and train: it trains
// the prior over the units of a speech model that exists already.
type UnitPrior struct {
	Data      DataConfig          `yaml:"data"`
	UnitPrior unitprior.NetConfig `yaml:"unit_prior"`
	Train     prior.Config        `yaml:"train"`
}

// DefaultUnitPrior returns the recipe for an hour of speech, of whose utterances
// it holds a twentieth out.
func DefaultUnitPrior() UnitPrior {
	return UnitPrior{
		Data:      DataConfig{Train: []string{"train"}, Valid: []string{"valid"}, Holdout: 0.05},
		UnitPrior: unitprior.DefaultNet(), Train: prior.DefaultConfig(),
	}
}

// ParseUnitPrior is Parse for the recipe of a prior over units.
func ParseUnitPrior(name string, data []byte, overrides ...string) (UnitPrior, error) {
	return parse(name, data, overrides, DefaultUnitPrior())
}

// YAML returns the whole recipe, defaults included; ParseUnitPrior reads it back.
func (r UnitPrior) YAML() ([]byte, error) { return yaml.Marshal(r) }

// Validate reports every field that is out of range, one error each.
func (r UnitPrior) Validate() error {
	errs := []error{r.Data.Validate(), r.UnitPrior.Validate(), r.Train.Validate()}
	if len(r.Data.TargetSpeakersFrom) > 0 {
		errs = append(errs, errors.New("data: target_speakers_from has no use for a prior"))
	}
	return errors.Join(errs...)
}

// Options returns the training run of r for a model on a prepared corpus, without
// a folder and without callbacks. All utterances are encoded; progress is told how
// many are, of r.Data.Utterances. Those too short for a unit have no part.
func (r UnitPrior) Options(c *corpus.Corpus, m *model.Model, progress func(utterances int)) (prior.Options, error) {
	o := prior.Options{
		Prior: unitprior.Config{Net: r.UnitPrior, CodebookSize: m.Codebook.Size, Model: fmt.Sprintf("%x", m.Fingerprint())},
		Train: r.Train,
	}
	if err := c.CheckFeatures(m.Config.Features); err != nil {
		return o, err
	}
	text, err := r.YAML()
	if err != nil {
		return o, err
	}
	o.Metadata = metadata(c.Info.Corpus, c.Info.SplitHash, text)
	if o.Data, err = dataName(c.Info.Corpus, c.Info.SplitHash, r.Data); err != nil {
		return o, err
	}
	training, err := c.Select(r.Data.Train...)
	if err != nil {
		return o, fmt.Errorf("data.train: %w", err)
	}
	valid, err := c.Select(r.Data.Valid...)
	if err != nil {
		return o, fmt.Errorf("data.valid: %w", err)
	}
	units, err := encoded(c, m, training, progress)
	if err != nil {
		return o, err
	}
	for k, i := range training {
		dst := &o.Training
		if r.Data.HeldOut(c.Utterances[i].ID) {
			dst = &o.Holdout
		}
		if len(units[k]) > 0 {
			*dst = append(*dst, units[k])
		}
	}
	units, err = encoded(c, m, valid, func(n int) { progress(len(training) + n) })
	for _, u := range units {
		if len(u) > 0 {
			o.Valid = append(o.Valid, u)
		}
	}
	return o, err
}

// encoded returns the units of utterances.
func encoded(c *corpus.Corpus, m *model.Model, idx []int, progress func(done int)) ([][]uint16, error) {
	const block = 16 // utterances between two calls of progress
	units, errs := make([][]uint16, len(idx)), make([]error, len(idx))
	for from := 0; from < len(idx); from += block {
		n := min(block, len(idx)-from)
		simd.Parallel(n, 1, func(lo, hi int) {
			for k := from + lo; k < from+hi; k++ {
				db, err := c.Mel(idx[k])
				if err != nil {
					errs[k] = err
					continue
				}
				mel := make([]float32, len(db))
				c.Level(idx[k], m.Config.Features).Apply(mel, db)
				units[k] = m.EncodeMel(mel)
			}
		})
		if err := errors.Join(errs...); err != nil {
			return nil, err
		}
		progress(from + n)
	}
	return units, nil
}
