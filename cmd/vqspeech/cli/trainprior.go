package cli

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"vqspeech/model/image"
	"vqspeech/model/image/prior"
	"vqspeech/model/image/prior/train"
	"vqspeech/recipes"
)

// imageModel loads the model of images that --model names.
func (a *app) imageModel() (*image.Model, error) {
	if a.modelPath == "" {
		return nil, usagef("--model: name the model of images, the model.safetensors of its training")
	}
	m, err := image.Load(a.modelPath)
	return m, pathFirst(err)
}

// trainPrior trains the prior of a model of images.
func (a *app) trainPrior(cmd *cobra.Command, file recipeFile, o trainOptions) error {
	recipe, err := recipes.ParsePrior(file.path, file.text, o.set...)
	if err != nil {
		return err
	}
	m, err := a.imageModel()
	if err != nil {
		return err
	}
	c, err := openImageCorpus(o.data)
	if err != nil {
		return err
	}
	total := recipe.Data.Images(c)
	bar := newMeter(a.stderr, "encode", total)
	opts, err := recipe.Options(c, m, func(images int) { bar.set(images, total) })
	bar.finish()
	if err != nil {
		return err
	}
	opts.Dir, opts.Resume = o.run, o.resume
	r := &trainReport{
		Run: o.run, Prior: filepath.Join(o.run, train.PriorFile), Steps: opts.MaxSteps(),
		Images: map[string]int{"train": opts.Training.N, "valid": opts.Valid.N, "test": opts.Test.N},
	}
	return a.runTraining(cmd, o, r, func(ctx context.Context, t *trainingRun) error {
		opts.Progress = func(p train.Progress) {
			t.step(p.Step, "%.3f nats a code", p.Batch.Nats)
			if p.Valid != nil {
				r.Valid = p.Valid
				t.valid(priorScores(*p.Valid))
			}
		}
		test, err := train.Run(ctx, opts)
		if test != nil {
			r.Test, t.result = test, "test "+priorScores(*test)
		}
		return err
	})
}

// priorScores puts an evaluation into words.
func priorScores(e prior.Evaluation) string {
	return fmt.Sprintf("%.4f nats a code, %.4f bits a code", e.Nats, e.Bits)
}
