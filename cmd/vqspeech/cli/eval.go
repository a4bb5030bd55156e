package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"vqspeech/model"
	"vqspeech/model/train"
	"vqspeech/quant/metric"
	"vqspeech/quant/units"
	"vqspeech/recipes"
	"vqspeech/recipes/corpus"
)

func (a *app) evalCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "eval METRIC",
		Short: "Measure a model or recordings",
		Long: `Eval measures a model (mse, codebook), recordings against their references (mse,
mcd, f0, stoi, sisdr), or whose voice they have (speaker). A file that cannot be measured is reported, counted and
makes the exit status 1; it never enters a score.`,
		Args: unknownCommand,
		RunE: func(*cobra.Command, []string) error {
			return usagef("no metric given, want mse, codebook, mcd, f0, stoi, sisdr or speaker")
		},
	}
	cmd.AddCommand(a.evalMSECmd(), a.evalCodebookCmd(), a.evalMCDCmd(), a.evalF0Cmd(), a.evalSTOICmd(), a.evalSISDRCmd(),
		a.evalSpeakerCmd())
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
perplexity of the codes and how many of them occur.

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
	e, err := train.Evaluate(m, set)
	if err != nil {
		return err
	}
	r := mseReport{
		Metric: "mse", Split: split, SplitHash: c.Info.SplitHash, Utterances: len(idx), Seconds: c.Info.Splits[split].Seconds,
		MSE: e.MSE, Perplexity: e.Perplexity, UsedCodes: e.UsedCodes,
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

// codebookReport is the JSON object of eval codebook.
type codebookReport struct {
	Metric         string  `json:"metric"`
	Files          int     `json:"files"`
	Failed         int     `json:"failed"`
	Seconds        float64 `json:"seconds"`
	Units          int64   `json:"units"`
	CodebookSize   int     `json:"codebook_size"`
	UsedCodes      int     `json:"used_codes"`
	Usage          float64 `json:"usage"`
	Perplexity     float64 `json:"perplexity"`
	Entropy        float64 `json:"entropy_bits"`
	EntropyBitrate float64 `json:"entropy_bitrate_bps"`
	NominalBitrate float64 `json:"nominal_bitrate_bps"`
}

func (a *app) evalCodebookCmd() *cobra.Command {
	var data, split string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "codebook [IN...]",
		Short: "How evenly the codes of a codebook are used",
		Long: `Codebook counts the codes of audio files (encoded with the model) and .vqs files
together, or of a split of a prepared corpus, and prints how many are used, their
perplexity (exp of the entropy) and the bit rates: units times entropy over the
duration, and units/s times log2 of the codebook size.

With --json it is {"metric": "codebook", "files", "failed", "seconds", "units",
"codebook_size", "used_codes", "usage", "perplexity", "entropy_bits",
"entropy_bitrate_bps", "nominal_bitrate_bps"}.`,
		Example: `  vqspeech eval codebook units/*.vqs
  vqspeech eval codebook --data data/libri --split valid`,
		RunE: a.verb(func(cmd *cobra.Command, args []string) error {
			if (data == "") == (len(args) == 0) {
				return usagef("want either files or --data")
			}
			return a.evalCodebook(cmd, args, data, split, asJSON)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&data, "data", "", "folder that prepare made")
	f.StringVar(&split, "split", "valid", "split to measure")
	f.BoolVar(&asJSON, "json", false, "print one JSON object")
	_ = cmd.MarkFlagDirname("data")
	return cmd
}

func (a *app) evalCodebook(cmd *cobra.Command, files []string, data, split string, asJSON bool) error {
	t := &tally{app: a}
	if slices.ContainsFunc(files, func(f string) bool { return !isUnits(f) }) {
		m, err := a.model()
		if err != nil {
			return err
		}
		t.model = m
	}
	failed := failures{w: a.stderr}
	total := len(files)
	if data != "" {
		n, err := t.addSplit(data, split)
		if err != nil {
			return err
		}
		total = n
	}
	for _, file := range files {
		if err := cmd.Context().Err(); err != nil {
			return err
		}
		failed.add(named(file, t.addFile(file)))
	}
	if t.counter == nil || t.counter.Total() == 0 {
		if failed.count == 0 {
			return errors.New("no units to count")
		}
		return failed.result(total)
	}
	r := codebookReport{
		Metric: "codebook", Files: total - failed.count, Failed: failed.count, Seconds: t.seconds,
		Units: t.counter.Total(), CodebookSize: t.header.CodebookSize, UsedCodes: t.counter.Used(), Usage: t.counter.Usage(),
		Perplexity: t.counter.Perplexity(), Entropy: t.counter.Entropy(),
		EntropyBitrate: t.counter.EntropyBitrate(t.seconds), NominalBitrate: t.header.Bitrate(),
	}
	var err error
	if asJSON {
		err = writeJSON(cmd.OutOrStdout(), r)
	} else {
		err = table(cmd.OutOrStdout(),
			"codes used", fmt.Sprintf("%d of %d (%.1f %%)", r.UsedCodes, r.CodebookSize, 100*r.Usage),
			"perplexity", fmt.Sprintf("%.1f", r.Perplexity),
			"entropy", fmt.Sprintf("%.3f bit", r.Entropy),
			"bit rate", fmt.Sprintf("%.1f bit/s by entropy, %.1f bit/s nominal", r.EntropyBitrate, r.NominalBitrate),
			"measured on", fmt.Sprintf("%d files, %.1f min, %d units", r.Files, r.Seconds/60, r.Units),
		)
	}
	if err != nil {
		return err
	}
	return failed.result(total)
}

// tally counts the codes of one codebook, whichever way they come.
type tally struct {
	app     *app
	model   *model.Model // nil where all inputs are .vqs files
	header  units.Header // of the first input
	counter *metric.Counter
	seconds float64
}

// begin fixes the codebook with the first input; later ones must agree.
func (t *tally) begin(h units.Header) error {
	if t.counter == nil {
		t.header, t.counter = h, metric.NewCounter(h.CodebookSize)
		return nil
	}
	if h.Fingerprint != t.header.Fingerprint || h.CodebookSize != t.header.CodebookSize {
		return fmt.Errorf("made by model %x, want model %x as the inputs before", h.Fingerprint, t.header.Fingerprint)
	}
	return nil
}

// add counts a whole input, or nothing of it.
func (t *tally) add(h units.Header, codes []uint16, samples int64) error {
	if err := t.begin(h); err != nil {
		return err
	}
	t.seconds += float64(samples) / float64(h.SampleRate)
	return t.counter.Add(codes)
}

func (t *tally) addFile(file string) error {
	if isUnits(file) {
		h, codes, err := units.ReadFile(file)
		if err != nil {
			return err
		}
		return t.add(h, codes, h.Samples)
	}
	var all []uint16
	samples, err := t.model.EncodeFile(file, func(codes []uint16) error {
		all = append(all, codes...)
		return nil
	})
	if err != nil {
		return err
	}
	return t.add(unitsHeader(t.model), all, samples)
}

// addSplit counts a split and returns how many utterances it has.
func (t *tally) addSplit(data, split string) (n int, err error) {
	m, c, idx, err := t.app.modelAndSplit(data, split)
	if err != nil {
		return 0, err
	}
	for _, i := range idx {
		db, err := c.Mel(i)
		if err != nil {
			return 0, err
		}
		mel := make([]float32, len(db))
		c.Level(i, m.Config.Features).Apply(mel, db)
		if err := t.add(unitsHeader(m), m.EncodeMel(mel), c.Utterances[i].Samples); err != nil {
			return 0, err
		}
	}
	return len(idx), nil
}

// isUnits reports whether a file begins as .vqs files do.
func isUnits(file string) bool {
	if file == "-" {
		return false
	}
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, len(unitsMagic))
	_, err = io.ReadFull(f, head)
	return err == nil && bytes.Equal(head, []byte(unitsMagic))
}

// unitsMagic begins every .vqs file (quant/units/FORMAT.md).
const unitsMagic = "VQS"

// unitsHeader describes units that m makes.
func unitsHeader(m *model.Model) units.Header {
	return units.Header{
		Fingerprint: m.Fingerprint(), SampleRate: m.Config.Features.SampleRate, Hop: m.Config.HopSamples(),
		CodebookSize: m.Codebook.Size, Samples: units.Streamed,
	}
}
