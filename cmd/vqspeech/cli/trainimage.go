package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"vqspeech/model/image"
	imagetrain "vqspeech/model/image/train"
	"vqspeech/model/train"
	"vqspeech/recipes"
	"vqspeech/recipes/images"
)

// trainImageReport is the JSON object of train for images.
type trainImageReport struct {
	Run     string            `json:"run"`
	Model   string            `json:"model"`
	Steps   int               `json:"steps"`
	Seconds float64           `json:"seconds"`
	Valid   *image.Evaluation `json:"valid,omitempty"` // of the last epoch
	Test    *image.Evaluation `json:"test,omitempty"`
	Images  map[string]int    `json:"images"`
}

// trainImage trains a model of images.
func (a *app) trainImage(cmd *cobra.Command, path string, o trainOptions) error {
	recipe, err := recipes.LoadImage(path, o.set...)
	if err != nil {
		return err
	}
	c, err := images.Open(o.data)
	if err != nil {
		return hintError{pathFirst(err), "vqspeech prepare makes such a folder"}
	}
	opts, err := recipe.Options(c)
	if err != nil {
		return err
	}
	opts.Dir, opts.Resume = o.run, o.resume
	r := trainImageReport{
		Run: o.run, Model: filepath.Join(o.run, train.ModelFile),
		Images: map[string]int{"train": opts.Training.N, "valid": opts.Valid.N, "test": opts.Test.N},
	}
	begun := time.Now()
	var bar *meter
	opts.Progress = func(p imagetrain.Progress) {
		if bar == nil {
			bar = newMeter(a.stderr, "train", p.MaxSteps)
		}
		r.Steps = p.Step
		bar.what = fmt.Sprintf("train loss %.4g", p.Losses.Total)
		bar.set(p.Step, p.MaxSteps)
		if p.Valid != nil {
			r.Valid = p.Valid
			bar.note("step %d: valid %s", p.Step, imageScores(*p.Valid))
		}
	}
	a.savesOnInterrupt.Store(true)
	r.Test, err = imagetrain.Run(cmd.Context(), opts)
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
		fmt.Fprintf(a.stderr, "%s: test %s\n", r.Model, imageScores(*r.Test))
	}
	fmt.Fprintf(a.stderr, "%s: %d steps in %s\n", r.Model, r.Steps, time.Since(begun).Round(time.Second))
	return nil
}

// imageScores puts an evaluation into words.
func imageScores(e image.Evaluation) string {
	s := fmt.Sprintf("loss %.5g", e.Loss)
	if e.MSE > 0 {
		s += fmt.Sprintf(", mse %.3fe-3", e.MSE)
	}
	if e.PixelError > 0 {
		s += fmt.Sprintf(", pixel error %.2f %%, miou %.1f %%", e.PixelError, e.MeanIoU)
	}
	if e.UsedCodes > 0 {
		s += fmt.Sprintf(", perplexity %.1f, %d codes used", e.Perplexity, e.UsedCodes)
	}
	return s
}
