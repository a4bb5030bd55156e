// Package recipes reads training recipes: YAML files with the sections data,
// features, model, quantizer and train for speech; data, model, quantizer, decoder
// and train for images; data, vocoder and train for vocoders; data, prior or
// unit_prior, and train for priors. A recipe holds only what differs from
// the defaults, which are the published values (sony/sqvae, speech):
//
//	data: {train: [train-clean-100], valid: [dev-clean]}
//	quantizer: {kind: gaussian-3}
//	train: {max_steps: 20000}
//
// Unknown keys, duplicate keys and values of the wrong type are errors that
// name the file and the line. Any key can be overridden by "section.key=value".
//
// Each corpus has a folder: the reader of its layout, recipes, and a README; the
// table of all systems and their state is in README.md.
// What the readers find is prepared once by package recipes/corpus.
package recipes

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"vqspeech/features"
	"vqspeech/model"
	"vqspeech/model/train"
	"vqspeech/recipes/corpus"
)

// Recipe is everything that decides a training run, besides the corpus.
type Recipe struct {
	Data      DataConfig            `yaml:"data"`
	Features  features.Config       `yaml:"features"`
	Model     model.NetConfig       `yaml:"model"`
	Quantizer model.QuantizerConfig `yaml:"quantizer"`
	Train     train.Config          `yaml:"train"`
}

// DataConfig says which splits of the prepared corpus play which part.
type DataConfig struct {
	Train []string `yaml:"train"` // splits that are trained on
	Valid []string `yaml:"valid"` // splits that are only measured

	// Holdout is the fraction of the training utterances that is not trained
	// on and on which the best checkpoint is chosen; 0 holds nothing out.
	Holdout float64 `yaml:"holdout"`

	// TargetSpeakersFrom are the splits whose speakers stay in the finished
	// model; empty means those of Train.
	TargetSpeakersFrom []string `yaml:"target_speakers_from"`
}

// Default returns the published recipe on the splits train and valid.
func Default() Recipe {
	m := model.DefaultConfig()
	return Recipe{
		Data:      DataConfig{Train: []string{"train"}, Valid: []string{"valid"}},
		Features:  m.Features,
		Model:     m.Net,
		Quantizer: m.Quantizer,
		Train:     train.DefaultConfig(),
	}
}

// ModelConfig returns the configuration of the model that r trains, with the
// given speakers in row order.
func (r Recipe) ModelConfig(speakers []string) model.Config {
	return model.Config{
		Features:  r.Features,
		Net:       r.Model,
		Quantizer: r.Quantizer,
		Speakers:  speakers,
	}
}

// YAML returns the whole recipe, defaults included; Parse reads it back.
func (r Recipe) YAML() ([]byte, error) { return yaml.Marshal(r) }

// Validate reports every field that is out of range, one error each.
func (r Recipe) Validate() error {
	errs := []error{r.Data.Validate(), r.ModelConfig(nil).Validate(), r.Train.Validate()}
	if r.Train.RandomGainDB != 0 && r.Features.FrontEnd == features.Reference {
		errs = append(errs, fmt.Errorf("train.random_gain_db: must be 0 with features.front_end reference, which removes the level (got %v)", r.Train.RandomGainDB))
	}
	return errors.Join(errs...)
}

// Validate reports every field that is out of range, one error each.
func (d DataConfig) Validate() error {
	var errs []error
	if len(d.Train) == 0 {
		errs = append(errs, errors.New("data.train: must name at least one split"))
	}
	for _, l := range []struct {
		key    string
		splits []string
	}{{"train", d.Train}, {"valid", d.Valid}, {"target_speakers_from", d.TargetSpeakersFrom}} {
		seen := map[string]bool{}
		for _, s := range l.splits {
			if s == "" || seen[s] {
				errs = append(errs, fmt.Errorf("data.%s: must be distinct split names (got %q)", l.key, l.splits))
				break
			}
			seen[s] = true
		}
	}
	for _, s := range d.Valid {
		if slices.Contains(d.Train, s) {
			errs = append(errs, fmt.Errorf("data.valid: split %q is also in data.train", s))
		}
	}
	if !(d.Holdout >= 0 && d.Holdout < 1) {
		errs = append(errs, fmt.Errorf("data.holdout: must be in [0, 1) (got %v)", d.Holdout))
	}
	return errors.Join(errs...)
}

// Utterances is the number of utterances of a prepared corpus that have a part.
func (d DataConfig) Utterances(c *corpus.Corpus) int {
	n := 0
	for _, split := range slices.Concat(d.Train, d.Valid) {
		n += c.Info.Splits[split].Utterances
	}
	return n
}

// SpeakerSplits returns the splits whose speakers stay in the finished model.
func (d DataConfig) SpeakerSplits() []string {
	if len(d.TargetSpeakersFrom) > 0 {
		return d.TargetSpeakersFrom
	}
	return d.Train
}

// HeldOut reports whether the training utterance with this id belongs to the
// held-out fraction. It depends on the id only, so that an utterance keeps its
// part whatever else is in the corpus.
func (d DataConfig) HeldOut(id string) bool {
	sum := sha256.Sum256([]byte(id))
	u := float64(binary.BigEndian.Uint64(sum[:8])>>11) / (1 << 53) // uniform in [0, 1)
	return u < d.Holdout
}
