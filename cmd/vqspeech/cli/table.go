package cli

import (
	"io"

	"github.com/spf13/cobra"

	"vqspeech/recipes/results"
)

func (a *app) tableCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "table WHICH",
		Short: "Tables of finished runs beside the published figures",
		Long:  `Table sets the results of finished training runs beside those of the paper.`,
		Args:  unknownCommand,
		RunE: func(*cobra.Command, []string) error {
			return usagef("no table given, want speech or image")
		},
	}
	cmd.AddCommand(a.tableSpeechCmd(), a.tableImageCmd())
	return cmd
}

// speechReport is the JSON object of table speech.
type speechReport struct {
	Table string `json:"table"`
	results.SpeechTable
	Failed []string `json:"failed"`
}

func (a *app) tableSpeechCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "speech RUN...",
		Short: "Reconstruction error of speech models (table 3 of the SQ-VAE paper)",
		Long: `Speech prints the mean squared error (dB²) on the valid set after the last step,
as mean ± sample standard deviation over the seeds, beside the published figures
(Takida et al. 2022, table 3), in Markdown.

Only runs with the same configuration but for the seed, measured on the same
split, are averaged (what decides how often a run reports does not matter); a run
without a split hash has a row of its own. Below the table stands in what its rows
differ, as such figures cannot be compared, and which seeds count twice. Keys of
the quantiser and train.recon make the model: they are told only where SQ-VAEs, or
VQ-VAEs, differ among themselves; data, speakers and counts only within one corpus
and split hash. A run that is not finished, or cannot be read, is named and counted,
makes the exit status 1, and enters no figure.

With --json it is one object on standard output:
  {"table": "speech", "rows": [{"model", "kind", "corpus", "split_hash", "budget":
   {"steps", "batch_size", "channels", "codebook_size", "codebook_dim"}, "runs":
   [{"run", "seed", "mse_db2", "perplexity"}], "mse_db2": {"mean", "std" (null for
   one seed)}, "perplexity", "published": {"vctk", "zerospeech2019"}}], "notes":
   [text], "failed": [text]}.`,
		Example: `  vqspeech table speech runs/*`,
		Args:    cobra.MinimumNArgs(1),
		RunE: a.verb(func(cmd *cobra.Command, args []string) error {
			var runs []*results.Run
			add := func(run *results.Run) error {
				if err := run.Unfinished(); err != nil {
					return err
				}
				runs = append(runs, run)
				return nil
			}
			return a.printTable(cmd, args, asJSON, add, func(failed []string) markdown {
				return speechReport{"speech", results.Speech(runs), failed}
			})
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON instead of Markdown")
	return cmd
}

// imageReport is the JSON object of table image.
type imageReport struct {
	Table string `json:"table"`
	results.ImageTable
	Failed []string `json:"failed"`
}

func (a *app) tableImageCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "image RUN...",
		Short: "Errors and perplexity of image models (tables 2, 4 and 5 of the SQ-VAE paper)",
		Long: `Image prints what runs have measured on their test sets with the best model, as
mean ± sample standard deviation over the seeds, in Markdown: the mean squared error
(of values from 0 to 1, times 1000), for label maps pixel error and mIoU, and the
perplexity of the codes of 32 images, mean over such batches. Runs on the same images
stand in one table, beside the published figures where the paper has some (Takida et
al. 2022: table 2 is celeba, 4 celebamask, 5 mnist and celeba as 256 greys).

A run does not compute FIDs, as Inception is not part of this program. Those that
eval fid --run has recorded stand in a table of their own, test images against
reconstructions, samples, neighbours and interpolations (the paper does not define
the last two; reconstruct does). It is also there with the published figures alone.
A figure is shown only if all runs of the row have it.

Only runs with the same configuration but for the seed are averaged. Below a table
stands in what its rows differ, as such figures cannot be compared, where a run is
shorter than the paper's, and which seeds count twice. A run that is not finished, or
cannot be read, is named and counted, makes the exit status 1, and enters no figure.

With --json it is one object on standard output:
  {"table": "image", "groups": [{"corpus", "values": "levels", "labels" or "256
   greys", "split_hash", "images": {"train", "valid", "test"}, "published_table",
   "published_epochs", "rows": [{"system", "variant", "config", "epochs", "steps",
   "batch_size", "runs": [{"run", "seed", "test", "fid": {"reconstruction", ...:
   {"fid", "rows_a", "rows_b"}}}], "scores": {"mse_x1000", "pixel_error", "miou",
   "batch_perplexity", "fid_reconstruction", "fid_samples", "fid_neighbor_3",
   "fid_neighbor_5", "fid_neighbor_10", "fid_interp": {"mean", "std" (null for one
   seed)}}, "published":
   {the same}}], "notes": [text]}], "failed": [text]}, without what a table or a run has not.`,
		Example: `  vqspeech table image runs/mnist-*`,
		Args:    cobra.MinimumNArgs(1),
		RunE: a.verb(func(cmd *cobra.Command, args []string) error {
			var runs []*results.ImageRun
			add := func(run *results.Run) error {
				r, err := run.FinishedImage()
				if err != nil {
					return err
				}
				runs = append(runs, r)
				return nil
			}
			return a.printTable(cmd, args, asJSON, add, func(failed []string) markdown {
				return imageReport{"image", results.Image(runs), failed}
			})
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON instead of Markdown")
	return cmd
}

type markdown interface{ WriteMarkdown(io.Writer) error }

// printTable opens the folders of runs, gives them to add, and prints the table
// of those that it takes. The others are reported.
func (a *app) printTable(cmd *cobra.Command, dirs []string, asJSON bool, add func(*results.Run) error, report func(failed []string) markdown) error {
	failed := failures{w: a.stderr}
	texts := []string{}
	for _, dir := range dirs {
		run, err := results.Open(dir)
		if err == nil {
			err = add(run)
		}
		if err != nil {
			err = pathFirst(err)
			texts = append(texts, err.Error())
			failed.add(err)
		}
	}
	if len(texts) == len(dirs) {
		return failed.nothing(cmd.OutOrStdout(), asJSON, report(texts), len(dirs))
	}
	var err error
	if r := report(texts); asJSON {
		err = writeJSON(cmd.OutOrStdout(), r)
	} else {
		err = unwritten(r.WriteMarkdown(cmd.OutOrStdout()))
	}
	if err != nil {
		return err
	}
	return failed.result(len(dirs))
}
