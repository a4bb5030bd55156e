package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"vqspeech/model"
	"vqspeech/model/train"
	"vqspeech/recipes"
	"vqspeech/recipes/corpus"
)

func (a *app) evalCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "eval METRIC",
		Short: "Measure a model or recordings",
		Long: `Eval measures a model (mse, codebook), its units or other features (codebook,
bitrate, abx, phones), recordings against their references (mse, mcd, f0, stoi, sisdr), whose
voice they have (speaker), transcripts (wer), images (fid, frechet, pixels), or a model
of images (likelihood). A file that cannot be measured is reported, counted and makes
the exit status 1; it never enters a score.`,
		Args: unknownCommand,
		RunE: func(*cobra.Command, []string) error {
			return usagef("no metric given, want mse, codebook, bitrate, abx, phones, mcd, f0, stoi, sisdr, speaker, wer, fid, frechet, pixels or likelihood")
		},
	}
	cmd.AddCommand(a.evalMSECmd(), a.evalCodebookCmd(), a.evalMCDCmd(), a.evalF0Cmd(), a.evalSTOICmd(), a.evalSISDRCmd(),
		a.evalSpeakerCmd(), a.evalABXCmd(), a.evalPhonesCmd(), a.evalWERCmd(), a.evalBitrateCmd(),
		a.evalFIDCmd(), a.evalFrechetCmd(), a.evalPixelsCmd(), a.evalLikelihoodCmd())
	return cmd
}

// mseReport is the JSON object of eval mse.
type mseReport struct {
	Metric     string  `json:"metric"`
	Split      string  `json:"split"`
	SplitHash  string  `json:"split_hash"`
	Utterances int     `json:"utterances"`
	Seconds    float64 `json:"seconds"`
	MSE        float64 `json:"mse_db2"`
	Perplexity float64 `json:"perplexity"`
	UsedCodes  int     `json:"used_codes"`
}

func (a *app) evalMSECmd() *cobra.Command {
	var data, split string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "mse --data DIR --split NAME | mse REF OUT",
		Short: "Mean squared error of reconstructed log-mel spectra (dB²)",
		Long: `With --data, mse encodes every utterance of a split of a prepared corpus, decodes it with its
own speaker, and prints the mean squared difference of the log-mel features in
dB², pooled over all frames (sony/sqvae's evaluation). It also prints the
perplexity of the codes and how many of them occur. Utterances that are too short for
a unit do not count.

With --json it is {"metric": "mse", "split", "split_hash" (see prepare), "utterances",
"seconds", "mse_db2", "perplexity", "used_codes"}.

With REF and OUT, mse compares recordings with their references: the mean squared
difference of the log-mel features (published front end) in dB², pooled over
frames.` + pairsHelp + lengthHelp + pairsJSONHelp + ` "mse_db2".`,
		Example: `  vqspeech eval mse --data data/libri --split valid
  vqspeech eval mse refs/ decoded/`,
		Args: func(cmd *cobra.Command, args []string) error {
			if data != "" {
				return cobra.NoArgs(cmd, args)
			}
			if len(args) != 2 {
				return usagef("want either --data or a reference and an output")
			}
			if cmd.Flags().Changed("split") {
				return usagef("--split is for --data")
			}
			return nil
		},
		RunE: a.verb(func(cmd *cobra.Command, args []string) error {
			if data == "" {
				return a.evalMSEPairs(cmd, args[0], args[1], asJSON)
			}
			return a.evalMSE(cmd, data, split, asJSON)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&data, "data", "", "folder that prepare made")
	f.StringVar(&split, "split", "valid", "split to measure")
	f.BoolVar(&asJSON, "json", false, "print one JSON object")
	_ = cmd.MarkFlagDirname("data")
	return cmd
}

func (a *app) evalMSE(cmd *cobra.Command, data, split string, asJSON bool) error {
	m, c, idx, err := a.modelAndSplit(data, split)
	if err != nil {
		return err
	}
	set, err := recipes.Utterances(c, idx)
	if err != nil {
		return err
	}
	e, measured, err := train.Evaluate(m, set)
	if err != nil {
		return named(fmt.Sprintf("%s: split %s", data, split), err)
	}
	r := mseReport{
		Metric: "mse", Split: split, SplitHash: c.Info.SplitHash, Utterances: len(measured),
		MSE: e.MSE, Perplexity: e.Perplexity, UsedCodes: e.UsedCodes,
	}
	for _, i := range measured {
		u := c.Utterances[idx[i]]
		r.Seconds += float64(u.Samples) / float64(u.SampleRate)
	}
	if asJSON {
		return writeJSON(cmd.OutOrStdout(), r)
	}
	return table(cmd.OutOrStdout(),
		"mse", fmt.Sprintf("%.3f dB²", r.MSE),
		"perplexity", fmt.Sprintf("%.1f", r.Perplexity),
		"codes used", fmt.Sprintf("%d of %d", r.UsedCodes, m.Codebook.Size),
		"measured on", fmt.Sprintf("%d utterances, %.1f min, split %s", r.Utterances, r.Seconds/60, split),
		"split hash", r.SplitHash,
	)
}

// modelAndSplit loads what an evaluation on a prepared corpus needs.
func (a *app) modelAndSplit(data, split string) (*model.Model, *corpus.Corpus, []int, error) {
	m, err := a.model()
	if err != nil {
		return nil, nil, nil, err
	}
	c, err := openCorpus(data)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := c.CheckFeatures(m.Config.Features); err != nil {
		return nil, nil, nil, err
	}
	idx, err := c.Select(split)
	return m, c, idx, err
}
