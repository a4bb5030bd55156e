package cli

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"vqspeech/recipes"
	"vqspeech/vocoder/wavenet/train"
)

// trainVocoder trains the vocoder of the model in use.
func (a *app) trainVocoder(cmd *cobra.Command, file recipeFile, o trainOptions) error {
	recipe, err := recipes.ParseVocoder(file.path, file.text, o.set...)
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
	opts, err := recipe.Options(c, m, func(recordings int) { bar.set(recordings, total) })
	bar.finish()
	if err != nil {
		return err
	}
	opts.Dir, opts.Resume = o.run, o.resume
	r := &trainReport{
		Run: o.run, Vocoder: filepath.Join(o.run, train.VoiceFile), Steps: recipe.Train.MaxSteps,
		Utterances: map[string]int{"train": len(opts.Training), "valid": len(opts.Valid)},
	}
	return a.runTraining(cmd, o, r, func(ctx context.Context, t *trainingRun) error {
		opts.Progress = func(p train.Progress) {
			t.step(p.Step, "%.3f bits a sample", p.Bits)
			if p.Valid != nil {
				r.ValidBits = p.Valid
				t.valid(fmt.Sprintf("%.4f bits a sample", *p.Valid))
			}
		}
		_, err := train.Run(ctx, opts)
		return err
	})
}
