package cli

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"vqspeech/features/metric/wer"
	"vqspeech/internal/bootstrap"
	"vqspeech/internal/simd"
)

// werReport is the JSON object of eval wer.
type werReport struct {
	Metric        string           `json:"metric"`
	Unit          string           `json:"unit"`
	Lines         int              `json:"lines"`
	Failed        int              `json:"failed"`
	Reference     int64            `json:"reference"`
	Substitutions int64            `json:"substitutions"`
	Deletions     int64            `json:"deletions"`
	Insertions    int64            `json:"insertions"`
	Scores        map[string]score `json:"scores"`
	Utterances    []werLine        `json:"utterances"`
	Failures      []failReport     `json:"failures"`
}

// werLine is what is wrong with one line.
type werLine struct {
	ID            string `json:"id"`
	Reference     int64  `json:"reference"`
	Substitutions int64  `json:"substitutions"`
	Deletions     int64  `json:"deletions"`
	Insertions    int64  `json:"insertions"`
}

func (a *app) evalWERCmd() *cobra.Command {
	var characters, asJSON bool
	cmd := &cobra.Command{
		Use:   "wer REF HYP",
		Short: "Word or character error rate of transcripts (%)",
		Long: `Wer prints the word error rate of a transcript against its reference: the fewest
substitutions, deletions and insertions of words that turn one into the other, over
the words of the reference, pooled over lines. With --char it counts characters
(words joined by single spaces) instead.

REF and HYP are text files in UTF-8 with an utterance per line, in the same order,
or with an id and a tab in front of each, in any order. Text is compared as it
stands: case and punctuation count.

The rate comes with its 95 % bootstrap interval over lines (1000 resamples, always
the same). An id that is missing in one of the two or comes twice is reported,
counted and makes the exit status 1; it never enters the rate.

With --json it is {"metric": "wer", "unit" ("word" or "char"), "lines", "failed",
"reference" (words or characters), "substitutions", "deletions", "insertions",
"scores": {"wer_percent" or "cer_percent": {"value", "low", "high"}}, each a number or
null, "utterances": [{"id" (or the number of the line), "reference", "substitutions",
"deletions", "insertions"}, ...], "failures": [{"file", "error"}, ...]}.`,
		Example: `  vqspeech eval wer reference.txt recognised.txt
  vqspeech eval wer reference.tsv recognised.tsv --char --json`,
		Args: cobra.ExactArgs(2),
		RunE: a.verb(func(cmd *cobra.Command, args []string) error {
			return a.evalWER(cmd, args[0], args[1], characters, asJSON)
		}),
	}
	cmd.Flags().BoolVar(&characters, "char", false, "characters instead of words")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// readTranscript reads a file or standard input.
func readTranscript(file string) ([]wer.Line, error) {
	in := os.Stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, named(file, err)
		}
		defer f.Close()
		in = f
	}
	lines, err := wer.ReadTranscript(in)
	return lines, named(file, err)
}

func (a *app) evalWER(cmd *cobra.Command, ref, hyp string, characters, asJSON bool) error {
	if ref == "-" && hyp == "-" {
		return usagef("standard input can be read only once")
	}
	reference, err := readTranscript(ref)
	if err != nil {
		return err
	}
	hypothesis, err := readTranscript(hyp)
	if err != nil {
		return err
	}
	couples, bad, err := wer.Pair(reference, hypothesis)
	if err != nil {
		return named(hyp, err)
	}
	counts, errs := make([]wer.Errors, len(couples)), make([]error, len(couples))
	simd.Parallel(len(couples), 1, func(lo, hi int) {
		for i := lo; i < hi && cmd.Context().Err() == nil; i++ {
			counts[i], errs[i] = wer.Count(couples[i], characters)
		}
	})
	if err := cmd.Context().Err(); err != nil {
		return err
	}
	r := werReport{Metric: "wer", Unit: "word", Scores: map[string]score{}, Utterances: []werLine{}, Failures: []failReport{}}
	key, label := "wer_percent", "word error rate"
	if characters {
		r.Unit, key, label = "char", "cer_percent", "character error rate"
	}
	failed := failures{w: a.stderr}
	fail := func(err error) {
		failed.add(err)
		r.Failures = append(r.Failures, failReport{File: hyp, Error: err.Error()})
	}
	for _, err := range bad {
		fail(named(hyp, err))
	}
	var all wer.Errors
	var scored []wer.Errors
	for i, e := range counts {
		id := couples[i].Reference.ID
		if id == "" {
			id = fmt.Sprint(i + 1)
		}
		if errs[i] != nil {
			fail(named(hyp, fmt.Errorf("line %s: %w", id, errs[i])))
			continue
		}
		scored = append(scored, e)
		all.Add(e)
		r.Utterances = append(r.Utterances, werLine{id, e.Reference, e.Substitutions, e.Deletions, e.Insertions})
	}
	r.Lines, r.Failed = len(scored), failed.count
	r.Reference, r.Substitutions, r.Deletions, r.Insertions = all.Reference, all.Substitutions, all.Deletions, all.Insertions
	if all.Reference == 0 && failed.count == 0 {
		return errors.New(ref + ": no words in the reference")
	}
	low, high := bootstrap.Intervals(len(scored), func(sample []int) []float64 {
		var of wer.Errors
		for _, i := range sample {
			of.Add(scored[i])
		}
		return []float64{100 * of.Rate()}
	})
	rate := 100 * all.Rate()
	r.Scores[key] = score{Value: number(rate), Low: number(low[0]), High: number(high[0])}
	if asJSON {
		err = writeJSON(cmd.OutOrStdout(), r)
	} else if all.Reference > 0 {
		figure := pairFigure{format: "%.2f", unit: "%"}
		err = table(cmd.OutOrStdout(),
			label, figure.row(rate, low[0], high[0]),
			"errors", fmt.Sprintf("%d substitutions, %d deletions, %d insertions", r.Substitutions, r.Deletions, r.Insertions),
			"measured on", fmt.Sprintf("%d lines, %d %ss", r.Lines, r.Reference, r.Unit),
		)
	}
	if err != nil {
		return err
	}
	return failed.result(len(scored) + failed.count)
}
