package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"vqspeech/recipes"
	"vqspeech/vocoder/wavenet/train"
)

// trainVocoderReport is the JSON object of train for a vocoder.
type trainVocoderReport struct {
	Run        string         `json:"run"`
	Vocoder    string         `json:"vocoder"`
	Steps      int            `json:"steps"`
	Seconds    float64        `json:"seconds"`
	ValidBits  *float64       `json:"valid_bits_per_sample,omitempty"`
	Utterances map[string]int `json:"utterances"`
}

// trainVocoder trains the vocoder of the model in use.
func (a *app) trainVocoder(cmd *cobra.Command, path string, o trainOptions) error {
	recipe, err := recipes.LoadVocoder(path, o.set...)
	if err != nil {
		return err
	}
	c, err := openCorpus(o.data)
	if err != nil {
		return err
	}
	m, err := a.model()
	if err != nil {
		return err
	}
	opts, err := recipe.Options(c, m)
	if err != nil {
		return err
	}
	opts.Dir, opts.Resume = o.run, o.resume
	begun := time.Now()
	bar := newMeter(a.stderr, "train", recipe.Train.MaxSteps)
	step := 0
	var valid *float64
	opts.Progress = func(p train.Progress) {
		step = p.Step
		bar.what = fmt.Sprintf("train %.3f bits a sample", p.Bits)
		bar.set(p.Step, p.MaxSteps)
		if p.Valid != nil {
			valid = p.Valid
			bar.note("step %d: valid %.4f bits a sample", p.Step, *p.Valid)
		}
	}
	a.savesOnInterrupt.Store(true)
	_, err = train.Run(cmd.Context(), opts)
	bar.finish()
	if errors.Is(err, context.Canceled) {
		return interrupted(o.run, step, err)
	}
	if err != nil {
		return pathFirst(err)
	}
	r := trainVocoderReport{
		Run: o.run, Vocoder: filepath.Join(o.run, train.VoiceFile), Steps: recipe.Train.MaxSteps, Seconds: time.Since(begun).Seconds(), ValidBits: valid,
		Utterances: map[string]int{"train": len(opts.Training), "valid": len(opts.Valid)},
	}
	if o.json {
		return writeJSON(cmd.OutOrStdout(), r)
	}
	fmt.Fprintf(a.stderr, "%s: %d steps in %s\n", r.Vocoder, r.Steps, time.Since(begun).Round(time.Second))
	return nil
}
