package cli

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"vqspeech/model/train/prior"
	"vqspeech/model/unitprior"
	"vqspeech/recipes"
)

// trainUnitPrior trains the prior over the units of the model in use.
func (a *app) trainUnitPrior(cmd *cobra.Command, file recipeFile, o trainOptions) error {
	recipe, err := recipes.ParseUnitPrior(file.path, file.text, o.set...)
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
	total := recipe.Data.Utterances(c)
	bar := newMeter(a.stderr, "encode", total)
	opts, err := recipe.Options(c, m, func(utterances int) { bar.set(utterances, total) })
	bar.finish()
	if err != nil {
		return err
	}
	opts.Dir, opts.Resume = o.run, o.resume
	r := &trainReport{
		Run: o.run, Prior: filepath.Join(o.run, prior.File), Steps: recipe.Train.MaxSteps,
		Utterances: map[string]int{"train": len(opts.Training), "holdout": len(opts.Holdout), "valid": len(opts.Valid)},
	}
	return a.runTraining(cmd, o, r, func(ctx context.Context, t *trainingRun) error {
		rate := m.Config.CodeRate()
		opts.Progress = func(p prior.Progress) {
			t.step(p.Step, "%.3f nats a symbol", p.Nats)
			if p.Valid != nil {
				t.valid(unitPriorScores(*p.Valid, rate))
			}
		}
		valid, err := prior.Run(ctx, opts)
		if valid != nil {
			r.Valid, t.result = valid, "valid "+unitPriorScores(*valid, rate)
		}
		return err
	})
}

// unitPriorScores puts an evaluation of units at a rate (units/s) into words.
func unitPriorScores(e unitprior.Evaluation, rate float64) string {
	return fmt.Sprintf("%.4f nats a unit, %.1f bit/s", e.Nats, e.Bits*rate)
}
