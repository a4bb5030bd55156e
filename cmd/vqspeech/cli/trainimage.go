package cli

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"vqspeech/model/image"
	imagetrain "vqspeech/model/image/train"
	"vqspeech/model/train"
	"vqspeech/recipes"
)

// trainImage trains a model of images.
func (a *app) trainImage(cmd *cobra.Command, file recipeFile, o trainOptions) error {
	recipe, err := recipes.ParseImage(file.path, file.text, o.set...)
	if err != nil {
		return err
	}
	c, err := openImageCorpus(o.data)
	if err != nil {
		return err
	}
	opts, err := recipe.Options(c)
	if err != nil {
		return err
	}
	opts.Dir, opts.Resume = o.run, o.resume
	r := &trainReport{
		Run: o.run, Model: filepath.Join(o.run, train.ModelFile), Steps: opts.MaxSteps(),
		Images: map[string]int{"train": opts.Training.N, "valid": opts.Valid.N, "test": opts.Test.N},
	}
	return a.runTraining(cmd, o, r, func(ctx context.Context, t *trainingRun) error {
		opts.Progress = func(p imagetrain.Progress) {
			t.step(p.Step, "loss %.4g", p.Losses.Total)
			if p.Valid != nil {
				r.Valid = p.Valid
				t.valid(imageScores(*p.Valid))
			}
		}
		test, err := imagetrain.Run(ctx, opts)
		if test != nil {
			r.Test, t.result = test, "test "+imageScores(*test)
		}
		return err
	})
}

// imageScores puts an evaluation into words.
func imageScores(e image.Evaluation) string {
	s := fmt.Sprintf("loss %.5g", e.Loss)
	if e.MSE > 0 {
		s += fmt.Sprintf(", mse × 10³ %.3f", e.MSE)
	}
	if e.PixelError > 0 {
		s += fmt.Sprintf(", pixel error %.2f %%, miou %.1f %%", e.PixelError, e.MeanIoU)
	}
	if e.UsedCodes > 0 {
		s += fmt.Sprintf(", perplexity %.1f, %d codes used", e.Perplexity, e.UsedCodes)
	}
	return s
}
