package cli

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"vqspeech/internal/chart"
	"vqspeech/recipes/results"
)

func (a *app) plotCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plot WHAT",
		Short: "Draw runs, spectrograms and the use of codes",
		Long: `Plot draws PNG pictures: the curves of training runs (run), spectrograms of
recordings below each other (spectrogram), and how often the codes of a codebook
are used (codebook).`,
		Args: unknownCommand,
		RunE: func(*cobra.Command, []string) error {
			return usagef("nothing to plot given, want run, spectrogram or codebook")
		},
	}
	cmd.AddCommand(a.plotRunCmd(), a.plotSpectrogramCmd(), a.plotCodebookCmd())
	return cmd
}

// plotReport is the JSON object of plot.
type plotReport struct {
	Plot     string   `json:"plot"`
	Inputs   []string `json:"inputs"`
	Output   string   `json:"output"`
	Measures []string `json:"measures,omitempty"`
}

// curvesFile is where plot run draws a single run.
const curvesFile = "curves.png"

func (a *app) plotRunCmd() *cobra.Command {
	var out string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "run RUN... [-o OUT.png]",
		Short: "Curves of training runs",
		Long: `Run draws what training runs have recorded over their steps: the terms of the
loss, the error on the training and the valid set, perplexity and used codes,
temperature, variance and entropy of the posterior, and whatever else is in their
metrics.jsonl. Several runs are drawn in several colours on the same axes. The
runs can be of any kind, and need not be finished.

Without -o the picture of a single run is RUN/curves.png.

With --json it is one object on standard output:
  {"plot": "run", "inputs", "output", "measures"}.`,
		Example: `  vqspeech plot run runs/default
  vqspeech plot run runs/gaussian-1 runs/gaussian-4 -o both.png`,
		Args: cobra.MinimumNArgs(1),
		RunE: a.verb(func(cmd *cobra.Command, args []string) error {
			if out == "" {
				if len(args) > 1 {
					return usagef("%d runs and no output, want -o OUT.png", len(args))
				}
				out = filepath.Join(args[0], curvesFile)
			}
			if len(args) > maxPlotted {
				return usagef("%d runs, want at most %d in one picture", len(args), maxPlotted)
			}
			var runs []*results.Run
			for _, dir := range args {
				r, err := results.Open(dir)
				if err != nil {
					return notARun(err)
				}
				runs = append(runs, r)
			}
			var measures []string
			return a.plot(cmd, plotReport{Plot: "run", Inputs: args, Output: out}, asJSON, func(w io.Writer, r *plotReport) (err error) {
				measures, err = results.WriteCurves(w, runs)
				r.Measures = measures
				return err
			})
		}),
	}
	plotFlags(cmd, &out, &asJSON)
	return cmd
}

// maxPlotted bounds what is drawn in one picture.
const maxPlotted = 32

// notARun tells what a run folder is where there is none.
func notARun(err error) error {
	return hintError{pathFirst(err), "a run is the folder that train was given as --run"}
}

func (a *app) plotCodebookCmd() *cobra.Command {
	var out string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "codebook FILE... -o OUT.png",
		Short: "How often the codes of a codebook are used",
		Long: `Codebook draws the shares of the codes in .vqs files or recordings, the most
frequent first. All files count together and must be of one model; recordings are
encoded with the model in use.

With --json it is one object on standard output:
  {"plot": "codebook", "inputs", "output"}.`,
		Example: `  vqspeech plot codebook units/*.vqs -o codes.png`,
		Args:    cobra.MinimumNArgs(1),
		RunE: a.verb(func(cmd *cobra.Command, args []string) error {
			t := newTally(a)
			if slices.ContainsFunc(args, func(f string) bool { return !isUnits(f) }) {
				m, err := a.model()
				if err != nil {
					return err
				}
				t.model = m
			}
			for _, file := range args {
				if err := named(file, t.addFile(file)); err != nil {
					return err
				}
			}
			if t.counter.Total() == 0 {
				return errors.New("the files hold no units")
			}
			shares := t.counter.Shares()
			for i := range shares {
				shares[i] *= 100
			}
			title := fmt.Sprintf("%d of %d codes used, perplexity %.1f, %d units", t.counter.Used(), len(shares), t.counter.Perplexity(), t.counter.Total())
			return a.plot(cmd, plotReport{Plot: "codebook", Inputs: args, Output: out}, asJSON, func(w io.Writer, _ *plotReport) error {
				return chart.WriteUsage(w, title, shares)
			})
		}),
	}
	plotFlags(cmd, &out, &asJSON)
	_ = cmd.MarkFlagRequired("output")
	return cmd
}

func plotFlags(cmd *cobra.Command, out *string, asJSON *bool) {
	f := cmd.Flags()
	f.StringVarP(out, "output", "o", "", "picture to write, .png; - is standard output")
	f.BoolVar(asJSON, "json", false, "report as JSON on standard output")
	_ = cmd.MarkFlagFilename("output", "png")
}

// plot writes a picture and reports it.
func (a *app) plot(cmd *cobra.Command, r plotReport, asJSON bool, draw func(io.Writer, *plotReport) error) error {
	if r.Output != "-" && !strings.EqualFold(filepath.Ext(r.Output), ".png") {
		return usagef("output %q must end in .png", r.Output)
	}
	if asJSON && r.Output == "-" {
		return usagef("--json and the picture cannot both go to standard output")
	}
	for _, in := range r.Inputs {
		if r.Output != "-" && sameFile(in, r.Output) {
			return usagef("%s would be overwritten by its own picture", in)
		}
	}
	out, err := a.create(cmd, r.Output)
	if err != nil {
		return err
	}
	defer out.Abort()
	if err := draw(out, &r); err != nil {
		return outputNamed(r.Output, err)
	}
	if err := out.Commit(); err != nil {
		return outputNamed(r.Output, err)
	}
	if asJSON {
		return writeJSON(cmd.OutOrStdout(), r)
	}
	return nil
}
