package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"vqspeech/model/image"
	"vqspeech/model/image/prior"
	"vqspeech/model/image/prior/train"
	"vqspeech/recipes"
	"vqspeech/recipes/images"
)

// trainPriorReport is the JSON object of train for a prior.
type trainPriorReport struct {
	Run     string            `json:"run"`
	Prior   string            `json:"prior"`
	Steps   int               `json:"steps"`
	Seconds float64           `json:"seconds"`
	Valid   *prior.Evaluation `json:"valid,omitempty"` // of the last epoch
	Test    *prior.Evaluation `json:"test,omitempty"`
	Images  map[string]int    `json:"images"`
}

// imageModel loads the model of images that --model names.
func (a *app) imageModel() (*image.Model, error) {
	if a.modelPath == "" {
		return nil, usagef("--model: name the model of images, the model.safetensors of its training")
	}
	m, err := image.Load(a.modelPath)
	return m, pathFirst(err)
}

// trainPrior trains the prior of a model of images.
func (a *app) trainPrior(cmd *cobra.Command, path string, o trainOptions) error {
	recipe, err := recipes.LoadPrior(path, o.set...)
	if err != nil {
		return err
	}
	m, err := a.imageModel()
	if err != nil {
		return err
	}
	c, err := images.Open(o.data)
	if err != nil {
		return hintError{pathFirst(err), "vqspeech prepare makes such a folder"}
	}
	opts, err := recipe.Options(c, m)
	if err != nil {
		return err
	}
	opts.Dir, opts.Resume = o.run, o.resume
	r := trainPriorReport{
		Run: o.run, Prior: filepath.Join(o.run, train.PriorFile),
		Images: map[string]int{"train": opts.Training.N, "valid": opts.Valid.N, "test": opts.Test.N},
	}
	begun := time.Now()
	var bar *meter
	opts.Progress = func(p train.Progress) {
		if bar == nil {
			bar = newMeter(a.stderr, "train", p.MaxSteps)
		}
		r.Steps = p.Step
		bar.what = fmt.Sprintf("train %.3f nats a code", p.Batch.Nats)
		bar.set(p.Step, p.MaxSteps)
		if p.Valid != nil {
			r.Valid = p.Valid
			bar.note("step %d: valid %s", p.Step, priorScores(*p.Valid))
		}
	}
	a.savesOnInterrupt.Store(true)
	r.Test, err = train.Run(cmd.Context(), opts)
	if bar != nil {
		bar.finish()
	}
	if errors.Is(err, context.Canceled) {
		return interrupted(o.run, r.Steps, err)
	}
	if err != nil {
		return pathFirst(err)
	}
	r.Seconds = time.Since(begun).Seconds()
	if o.json {
		return writeJSON(cmd.OutOrStdout(), r)
	}
	if r.Test != nil {
		fmt.Fprintf(a.stderr, "%s: test %s\n", r.Prior, priorScores(*r.Test))
	}
	fmt.Fprintf(a.stderr, "%s: %d steps in %s\n", r.Prior, r.Steps, time.Since(begun).Round(time.Second))
	return nil
}

// priorScores puts an evaluation into words.
func priorScores(e prior.Evaluation) string {
	return fmt.Sprintf("%.4f nats a code, %.4f bits/dim", e.Nats, e.Bits)
}
