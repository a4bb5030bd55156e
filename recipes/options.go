package recipes

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"vqspeech/model/checkpoint"
	"vqspeech/model/train"
	"vqspeech/recipes/corpus"
)

// Keys of the metadata of a finished model, which config.json of its run has too.
const (
	CorpusKey    = "vqspeech.corpus"
	SplitHashKey = "vqspeech.split_hash" // see corpus.SplitHash
	RecipeKey    = checkpoint.RecipeKey  // the whole recipe as YAML
)

// metadata returns that of what a recipe makes of a corpus.
func metadata(corpus, splitHash string, recipe []byte) map[string]string {
	return map[string]string{CorpusKey: corpus, SplitHashKey: splitHash, RecipeKey: string(recipe)}
}

// dataName tells the images or utterances of a run, and what part each has, from
// those of another: the corpus, its split hash, and the section data of the recipe
// on one line.
func dataName(corpus, splitHash string, section any) (string, error) {
	var node yaml.Node
	if err := node.Encode(section); err != nil {
		return "", err
	}
	node.Style = yaml.FlowStyle
	text, err := yaml.Marshal(&node)
	return fmt.Sprintf("%s, split hash %s, %s", corpus, splitHash, strings.Join(strings.Fields(string(text)), " ")), err
}

// Options returns the training run of r on a prepared corpus, without a folder
// and without callbacks. It reads the log-mel of all utterances into memory.
func (r Recipe) Options(c *corpus.Corpus) (train.Options, error) {
	var none train.Options
	if err := c.CheckFeatures(r.Features); err != nil {
		return none, err
	}
	training, err := c.Select(r.Data.Train...)
	if err != nil {
		return none, fmt.Errorf("data.train: %w", err)
	}
	valid, err := c.Select(r.Data.Valid...)
	if err != nil {
		return none, fmt.Errorf("data.valid: %w", err)
	}
	keep, err := c.Speakers(r.Data.SpeakerSplits()...)
	if err != nil {
		return none, fmt.Errorf("data.target_speakers_from: %w", err)
	}
	speakers, err := c.Speakers(r.Data.Train...)
	if err != nil {
		return none, err
	}
	text, err := r.YAML()
	if err != nil {
		return none, err
	}
	section := r.Data
	section.TargetSpeakersFrom = nil // speakers that are dropped after the last step
	data, err := dataName(c.Info.Corpus, c.Info.SplitHash, section)
	if err != nil {
		return none, err
	}
	o := train.Options{
		Model: r.ModelConfig(speakers), Train: r.Train, Keep: keep,
		Data: data, Metadata: metadata(c.Info.Corpus, c.Info.SplitHash, text),
	}
	var used, held []int
	for _, i := range training {
		if r.Data.HeldOut(c.Utterances[i].ID) {
			held = append(held, i)
		} else {
			used = append(used, i)
		}
	}
	for _, set := range []struct {
		dst *[]train.Utterance
		idx []int
	}{{&o.Training, used}, {&o.Holdout, held}, {&o.Valid, valid}} {
		if *set.dst, err = Utterances(c, set.idx); err != nil {
			return none, err
		}
	}
	return o, nil
}

// Utterances returns utterances of a prepared corpus as training and
// evaluation take them.
func Utterances(c *corpus.Corpus, idx []int) ([]train.Utterance, error) {
	us := make([]train.Utterance, 0, len(idx))
	for _, i := range idx {
		mel, err := c.Mel(i)
		if err != nil {
			return nil, err
		}
		u := c.Utterances[i]
		us = append(us, train.Utterance{ID: u.ID, Speaker: u.Speaker, DB: mel, Peak: u.Peak})
	}
	return us, nil
}
