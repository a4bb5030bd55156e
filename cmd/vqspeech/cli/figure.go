package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"vqspeech/model/image"
	"vqspeech/recipes/figures"
	"vqspeech/recipes/images"
)

type figureOptions struct {
	data, run string
	set       []string
	json      bool
}

// figureReport is the JSON object of figure.
type figureReport struct {
	Figure  string        `json:"figure"`
	Runs    []figurePoint `json:"runs"`
	CSV     string        `json:"csv"`
	Picture string        `json:"picture"`
	Seconds float64       `json:"seconds"`
}

type figurePoint struct {
	Run          string           `json:"run"`
	System       string           `json:"system"`
	CodebookSize int              `json:"codebook_size"`
	CodebookDim  int              `json:"codebook_dim"`
	Steps        int              `json:"steps"`
	Kept         bool             `json:"kept"`
	Test         image.Evaluation `json:"test"`
}

const figureLong = `

Each point is a training run in a folder of its own below --run, one after the other.
A sweep that was interrupted (Ctrl-C) or killed goes on with the same command: runs
that are finished are kept; more epochs in the same folder make them longer. At the
end --run gets a .csv of all evaluations and a .png; the caption of the picture says
how long the runs were.

The recipe is the published one for the size of the images; --set section.key=value
overrides any key but those that the figure is about, --set train.epochs=N the length
of the runs.

With --json it is one object on standard output:
  {"figure", "runs": [{"run", "system", "codebook_size", "codebook_dim", "steps",
   "kept", "test": {as of train}}], "csv", "picture", "seconds"}.`

func (a *app) figureCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "figure WHICH",
		Short: "Sweeps of training runs, drawn as figures of the paper",
		Long: `Figure trains what figures 2, 4 and 5 of the SQ-VAE paper (Takida et al. 2022) are made
of, on a prepared corpus of images, and draws them.`,
		Args: unknownCommand,
		RunE: func(*cobra.Command, []string) error {
			return usagef("no figure given, want selfanneal, kappa or capacity")
		},
	}
	cmd.AddCommand(a.figureSelfAnnealCmd(), a.figureKappaCmd(), a.figureCapacityCmd())
	return cmd
}

func (a *app) figureSelfAnnealCmd() *cobra.Command {
	var variances []float64
	cmd := a.newFigure(&cobra.Command{
		Use:   "selfanneal --data DIR --run DIR",
		Short: "A trained posterior variance against fixed ones (figure 2)",
		Long: `Selfanneal trains SQ-VAE I with a variance σ²φ = exp(s) that is trained, and with
variances that stay as they are. It draws σ²φ and the decoder's σ² relative to their
start, the mean entropy of the codes' posterior, and the squared error.` + figureLong,
		Example: `  vqspeech figure selfanneal --data data/mnist --run runs/figure2
  vqspeech figure selfanneal --data data/mnist --run runs/short --variances 0.1,1,10 --set train.epochs=10`,
	}, func(c *images.Corpus, set []string) (*figures.Sweep, error) {
		return figures.SelfAnneal(c, variances, set)
	})
	cmd.Flags().Float64SliceVar(&variances, "variances", figures.Variances, "fixed variances")
	return cmd
}

func (a *app) figureKappaCmd() *cobra.Command {
	return a.newFigure(&cobra.Command{
		Use:   "kappa --data DIR --run DIR",
		Short: "Von Mises-Fisher against categorical decoders (figure 4)",
		Long: `Kappa trains latents on the sphere with a von Mises-Fisher decoder and with a
categorical one (NC). It draws the concentration κφ of the quantiser and κ of the
decoder relative to their start (a categorical decoder has none), the mean entropy of
the codes' posterior, the error and the perplexity. Levels of light are trained as 256
classes.` + figureLong,
		Example: `  vqspeech figure kappa --data data/celebamask --run runs/figure4`,
	}, figures.Kappa)
}

func (a *app) figureCapacityCmd() *cobra.Command {
	var sizes, dims []int
	var cmd *cobra.Command
	cmd = a.newFigure(&cobra.Command{
		Use:   "capacity --data DIR --run DIR",
		Short: "Error and perplexity over the size and dimension of the codebook (figure 5)",
		Long: `Capacity trains SQ-VAE I and VQ-VAE EMA with codebooks of several sizes K, and of
several dimensions d. It draws the squared error and the perplexity of the codes on
the test set; + is K, which no perplexity can exceed. The posterior variance of SQ-VAE
begins in proportion to d. With one of --codebook-sizes and --codebook-dims only
that is swept.` + figureLong,
		Example: `  vqspeech figure capacity --data data/mnist --run runs/figure5
  vqspeech figure capacity --data data/mnist --run runs/short --codebook-sizes 16,128,1024 --set train.epochs=5`,
	}, func(c *images.Corpus, set []string) (*figures.Sweep, error) {
		k, d := sizes, dims
		switch changed := cmd.Flags().Changed; {
		case changed("codebook-sizes") && !changed("codebook-dims"):
			d = nil
		case changed("codebook-dims") && !changed("codebook-sizes"):
			k = nil
		}
		return figures.Capacity(c, k, d, set)
	})
	cmd.Flags().IntSliceVar(&sizes, "codebook-sizes", figures.Sizes, "K, at the dimension of the recipe")
	cmd.Flags().IntSliceVar(&dims, "codebook-dims", figures.Dims, "d, at the size of the recipe")
	return cmd
}

// newFigure adds what all figures have in common.
func (a *app) newFigure(cmd *cobra.Command, sweep func(c *images.Corpus, set []string) (*figures.Sweep, error)) *cobra.Command {
	var o figureOptions
	cmd.Args = cobra.NoArgs
	cmd.RunE = a.verb(func(cmd *cobra.Command, _ []string) error {
		if err := a.noModel("a figure trains its own"); err != nil {
			return err
		}
		c, err := openImageCorpus(o.data)
		if err != nil {
			return err
		}
		s, err := sweep(c, o.set)
		if err != nil {
			return err
		}
		return a.figure(cmd, s, o)
	})
	f := cmd.Flags()
	f.StringVar(&o.data, "data", "", "folder that prepare made")
	f.StringVar(&o.run, "run", "", "folder for the runs, the table and the picture")
	f.StringArrayVar(&o.set, "set", nil, "override a key of the recipe, as section.key=value")
	f.BoolVar(&o.json, "json", false, "report as JSON on standard output")
	for _, name := range []string{"data", "run"} {
		_ = cmd.MarkFlagRequired(name)
		_ = cmd.MarkFlagDirname(name)
	}
	return cmd
}

func (a *app) figure(cmd *cobra.Command, s *figures.Sweep, o figureOptions) error {
	r := figureReport{Figure: s.Figure, Runs: []figurePoint{}}
	begun := time.Now()
	var bar *meter // of the run in progress
	progress := func(p figures.Progress) {
		point := s.Points[p.Point]
		if p.Train != nil {
			if bar == nil {
				bar = newMeter(a.stderr, s.Figure, p.Train.MaxSteps)
			}
			bar.what = fmt.Sprintf("%s: run %d of %d, %s, loss %.4g", s.Figure, p.Point+1, len(s.Points), point.Name, p.Train.Losses.Total)
			bar.set(p.Train.Step, p.Train.MaxSteps)
			return
		}
		q := point.Recipe.Quantizer
		r.Runs = append(r.Runs, figurePoint{
			Run: point.Name, System: point.System, CodebookSize: q.CodebookSize, CodebookDim: point.Recipe.Config().Dim(), Kept: p.Kept, Test: *p.Test,
		})
		done := "done"
		if p.Kept {
			done = "kept"
		}
		if bar != nil {
			bar.finish()
			bar = nil
		}
		fmt.Fprintf(a.stderr, prefix+"run %d of %d, %s, %s: test %s\n", p.Point+1, len(s.Points), point.Name, done, imageScores(*p.Test))
	}
	a.savesOnInterrupt.Store(true)
	all, err := s.Run(cmd.Context(), o.run, progress)
	if bar != nil {
		bar.finish()
	}
	if errors.Is(err, context.Canceled) {
		if err := unsaved(o.run, err); err != nil {
			return err
		}
		return hintError{fmt.Errorf("%s: interrupted after %d of %d runs", o.run, len(r.Runs), len(s.Points)), "the same command goes on"}
	}
	if err != nil {
		return pathFirst(err)
	}
	for i := range all {
		r.Runs[i].Steps = all[i].Run.Config.MaxSteps()
	}
	if r.CSV, r.Picture, err = s.Write(o.run, all); err != nil {
		return err
	}
	r.Seconds = time.Since(begun).Seconds()
	if o.json {
		return writeJSON(cmd.OutOrStdout(), r)
	}
	fmt.Fprintf(a.stderr, "%s, %s: %d runs in %s\n", r.Picture, r.CSV, len(all), time.Since(begun).Round(time.Second))
	return nil
}
