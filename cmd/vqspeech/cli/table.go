package cli

import (
	"fmt"

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
			return usagef("no table given, want speech")
		},
	}
	cmd.AddCommand(a.tableSpeechCmd())
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

Runs of one model are averaged only if they have the same corpus, split hash,
steps, batch size, width and codebook; below the table stands in what its rows
differ, as such figures cannot be compared, and which seeds count twice. A run
that is not finished, or cannot be read, is named and counted, makes the exit
status 1, and enters no figure.

With --json it is one object on standard output:
  {"table": "speech", "rows": [{"model", "kind", "corpus", "split_hash", "budget":
   {"steps", "batch_size", "channels", "codebook_size", "codebook_dim"}, "runs":
   [{"run", "seed", "mse_db2", "perplexity"}], "mse_db2": {"mean", "std"},
   "perplexity", "published": {"vctk", "zerospeech2019"}}], "notes": [text],
   "failed": [text]}.`,
		Example: `  vqspeech table speech runs/*`,
		Args:    cobra.MinimumNArgs(1),
		RunE: a.verb(func(cmd *cobra.Command, args []string) error {
			failed := failures{w: a.stderr}
			r := speechReport{Table: "speech", Failed: []string{}}
			var runs []*results.Run
			for _, dir := range args {
				run, err := results.Open(dir)
				if err == nil {
					err = run.Unfinished()
				}
				if err != nil {
					err = pathFirst(err)
					r.Failed = append(r.Failed, err.Error())
					failed.add(err)
					continue
				}
				runs = append(runs, run)
			}
			if len(runs) == 0 && len(args) > 0 {
				if len(args) == 1 {
					return errReported
				}
				return failed.result(len(args))
			}
			r.SpeechTable = results.Speech(runs)
			var err error
			if asJSON {
				err = writeJSON(cmd.OutOrStdout(), r)
			} else {
				err = r.WriteMarkdown(cmd.OutOrStdout())
			}
			if err != nil {
				return fmt.Errorf("(stdout): %w", err)
			}
			return failed.result(len(args))
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON instead of Markdown")
	return cmd
}
