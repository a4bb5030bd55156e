package cli

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"vqspeech/model/train"
	"vqspeech/recipes"
)

// trainSpeech trains a model of speech.
func (a *app) trainSpeech(cmd *cobra.Command, file recipeFile, o trainOptions) error {
	recipe, err := recipes.Parse(file.path, file.text, o.set...)
	if err != nil {
		return err
	}
	c, err := openCorpus(o.data)
	if err != nil {
		return err
	}
	opts, err := recipe.Options(c)
	if err != nil {
		return err
	}
	opts.Dir, opts.Resume = o.run, o.resume
	r := &trainReport{
		Run: o.run, Model: filepath.Join(o.run, train.ModelFile), Steps: recipe.Train.MaxSteps,
		Utterances: map[string]int{"train": len(opts.Training), "holdout": len(opts.Holdout), "valid": len(opts.Valid)},
	}
	return a.runTraining(cmd, o, r, func(ctx context.Context, t *trainingRun) error {
		opts.Progress = func(p train.Progress) {
			t.step(p.Step, "loss %.4g", p.Losses.Total)
			if p.Valid != nil {
				r.Valid = p.Valid
				t.valid(fmt.Sprintf("mse %.2f dB², perplexity %.1f, %d codes used", p.Valid.MSE, p.Valid.Perplexity, p.Valid.UsedCodes))
			}
		}
		_, err := train.Run(ctx, opts)
		return err
	})
}
