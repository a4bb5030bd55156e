package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"vqspeech/audio"
	"vqspeech/internal/bootstrap"
	"vqspeech/internal/simd"
	"vqspeech/model"
	"vqspeech/model/unitprior"
	"vqspeech/quant/metric"
	"vqspeech/quant/units"
)

// codebookReport is the JSON object of eval codebook.
type codebookReport struct {
	Metric string `json:"metric"`
	Files  int    `json:"files"`
	Failed int    `json:"failed"`
	*codebookFigures
	Failures []failReport `json:"failures"`
}

// codebookFigures is what the files tell that could be read.
type codebookFigures struct {
	Seconds        float64          `json:"seconds"`
	Units          int64            `json:"units"`
	CodebookSize   int              `json:"codebook_size"`
	UsedCodes      int              `json:"used_codes"`
	DeadCodes      int              `json:"dead_codes"`
	Usage          float64          `json:"usage"`
	Perplexity     float64          `json:"perplexity"`
	Entropy        float64          `json:"entropy_bits"`
	EntropyBitrate float64          `json:"entropy_bitrate_bps"`
	NominalBitrate float64          `json:"nominal_bitrate_bps"`
	Intervals      map[string]score `json:"intervals"`
	NGrams         []ngramReport    `json:"ngrams"`
	Speakers       []speakerUsage   `json:"speakers"`
	Divergence     *float64         `json:"speaker_divergence_bits"`
	Variance       *varianceReport  `json:"posterior_variance"`
	Prior          *priorReport     `json:"prior,omitempty"`
}

// ngramReport is the entropy of n codes in a row.
type ngramReport struct {
	N           int     `json:"n"`
	Types       int     `json:"types"`
	Entropy     float64 `json:"entropy_bits"`
	Conditional float64 `json:"conditional_bits"` // of the last code, given those before
}

// speakerUsage is how one speaker uses the codes.
type speakerUsage struct {
	Speaker    string   `json:"speaker"`
	Units      int64    `json:"units"`
	UsedCodes  int      `json:"used_codes"`
	Perplexity float64  `json:"perplexity"`
	Divergence *float64 `json:"divergence_bits"` // from all others; null: there are none
}

// varianceReport is σ² of a Gaussian quantiser.
type varianceReport struct {
	Mean          float64 `json:"mean"`
	GeometricMean float64 `json:"geometric_mean"`
}

// maxOrder is the longest n-gram that is counted.
const maxOrder = 3

func (a *app) evalCodebookCmd() *cobra.Command {
	var o codebookOptions
	cmd := &cobra.Command{
		Use:   "codebook [IN...]",
		Short: "How evenly the codes of a codebook are used",
		Long: `Codebook counts the codes of audio files (encoded with the model) and .vqs files
together, in folders too, or of a split of a prepared corpus, and prints how many are
used, their perplexity (exp of the entropy), the bit rates (units times entropy over
the duration, and units/s times log2 of the codebook size), and the entropy of a code
given the one or two before it, which is too low where there are few units. Perplexity
and the rate by entropy come with their 95 % bootstrap intervals over files (1000
resamples, always the same; resamples have fewer codes, which makes them low).

With --prior it prints what the units cost under a prior that train has made of others
(unit_prior): bits a unit given all those before, the ends of files included, and the
bit rate of an entropy coder that has that prior, with intervals over files.

Of files that know their speaker, and of a corpus, it prints how differently speakers
use the codes: the Jensen-Shannon divergence (bits, 0 alike to 1) of two speakers,
averaged over all two. Of a Gaussian model with a corpus it prints the variance of
its quantiser.

A file that cannot be read is reported, counted and makes the exit status 1; it never
enters a figure. So do units that are all the same.

With --json it is {"metric": "codebook", "files", "failed", "seconds", "units",
"codebook_size", "used_codes", "dead_codes", "usage", "perplexity", "entropy_bits",
"entropy_bitrate_bps", "nominal_bitrate_bps", "intervals": {"perplexity",
"entropy_bitrate_bps": {"value", "low", "high"}}, "ngrams": [{"n", "types",
"entropy_bits", "conditional_bits"}, ...], "speakers": [{"speaker", "units",
"used_codes", "perplexity", "divergence_bits" (from all others)}, ...],
"speaker_divergence_bits", "posterior_variance": {"mean", "geometric_mean"} or null,
"prior": {"bits_per_unit", "bitrate_bps"}, each {"value", "low", "high"}, with --prior,
"failures": [{"file", "error"}, ...]}. Where no file could be read it has no figures.`,
		Example: `  vqspeech eval codebook units/
  vqspeech eval codebook --data data/libri --split valid`,
		RunE: a.verb(func(cmd *cobra.Command, args []string) error {
			if (o.data == "") == (len(args) == 0) {
				return usagef("want either files or --data")
			}
			if o.data == "" && cmd.Flags().Changed("split") {
				return usagef("--split is for --data")
			}
			return a.evalCodebook(cmd, args, o)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&o.data, "data", "", "folder that prepare made")
	f.StringVar(&o.split, "split", "valid", "split to measure")
	f.StringVar(&o.prior, "prior", "", "run folder or file of the prior over the units")
	f.BoolVar(&o.json, "json", false, "print one JSON object")
	_ = cmd.MarkFlagDirname("data")
	return cmd
}

type codebookOptions struct {
	data, split, prior string
	json               bool
}

func (a *app) evalCodebook(cmd *cobra.Command, inputs []string, o codebookOptions) error {
	t := newTally(a)
	if o.prior != "" {
		path, err := priorOf(o.prior)
		if err != nil {
			return pathFirst(err)
		}
		p, err := unitprior.Load(path)
		if err != nil {
			return pathFirst(err)
		}
		t.prior = &priorTally{model: p, path: path}
	}
	files, err := codeFiles(inputs)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(files, func(f string) bool { return !isUnits(f) }) {
		m, err := a.model()
		if err != nil {
			return err
		}
		t.model = m
	}
	failed := failures{w: a.stderr}
	r := codebookReport{Metric: "codebook", Failures: []failReport{}}
	total := len(files)
	if o.data != "" {
		n, err := t.addSplit(o.data, o.split)
		if err != nil {
			return err
		}
		total = n
	}
	for _, file := range files {
		if err := cmd.Context().Err(); err != nil {
			return err
		}
		if err := named(file, t.addFile(file)); err != nil {
			failed.add(err)
			r.Failures = append(r.Failures, failReport{File: file, Error: err.Error()})
		}
	}
	if t.counter == nil || t.counter.Total() == 0 {
		if failed.count == 0 { // of a split: utterances that are too short are no failures
			return fmt.Errorf("%s: split %s: no utterance is long enough for a unit", o.data, o.split)
		}
		r.Failed = failed.count
		return failed.nothing(cmd.OutOrStdout(), o.json, r, total)
	}
	r.Files, r.Failed, r.codebookFigures = t.files.Len(), failed.count, &codebookFigures{}
	rows := t.report(&r)
	if o.json {
		err = writeJSON(cmd.OutOrStdout(), r)
	} else {
		err = table(cmd.OutOrStdout(), rows...)
	}
	if err != nil {
		return err
	}
	if r.UsedCodes == 1 {
		printError(a.stderr, errOneSymbol)
		return errReported
	}
	return failed.result(total)
}

// codeFiles replaces folders by the files of units or sound in and below them.
func codeFiles(inputs []string) (files []string, err error) {
	for _, in := range inputs {
		if !isFolder(in) {
			files = append(files, in)
			continue
		}
		found, err := filesByName(in, ".vqs", ".wav", ".flac")
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, errors.New(in + ": no units or recordings (.vqs, .wav, .flac) in the folder")
		}
		files = append(files, slices.Sorted(slices.Values(slices.Concat(slices.Collect(maps.Values(found))...)))...)
	}
	return files, nil
}

// tally counts the codes of one codebook, whichever way they come.
type tally struct {
	app      *app
	model    *model.Model // nil where all inputs are .vqs files
	header   units.Header // of the first input
	counter  *metric.Counter
	files    metric.Corpus
	ngrams   []*metric.NGrams
	speakers map[string]*metric.Counter
	variance metric.Variance
	gaussian bool
	seconds  float64
	prior    *priorTally // nil without --prior
}

func newTally(a *app) *tally { return &tally{app: a, speakers: map[string]*metric.Counter{}} }

// agrees fails for an input of another codebook than those before.
func (t *tally) agrees(h units.Header) error {
	if t.counter != nil && (h.Fingerprint != t.header.Fingerprint || h.CodebookSize != t.header.CodebookSize) {
		return fmt.Errorf("made by model %x, want model %x as the inputs before", h.Fingerprint, t.header.Fingerprint)
	}
	return nil
}

// begin fixes the codebook with the first input that counts.
func (t *tally) begin(h units.Header) {
	if t.counter != nil {
		return
	}
	t.header, t.counter = h, metric.NewCounter(h.CodebookSize)
	for n := range maxOrder {
		t.ngrams = append(t.ngrams, metric.NewNGrams(n+1))
	}
}

// add counts a whole input, or nothing of it. The speaker may be unknown: "".
func (t *tally) add(h units.Header, codes []uint16, samples int64, speaker string) error {
	if len(codes) == 0 {
		return errors.New("no units, the recording is too short")
	}
	if err := t.agrees(h); err != nil {
		return err
	}
	seconds := float64(samples) / float64(h.SampleRate)
	if t.prior != nil {
		if err := t.prior.add(h, codes, seconds); err != nil {
			return err
		}
	}
	t.begin(h)
	if err := t.counter.Add(codes); err != nil {
		return err
	}
	t.seconds += seconds
	symbols := make([]int32, len(codes))
	for i, k := range codes {
		symbols[i] = int32(k)
	}
	t.files.Add(symbols, seconds)
	for _, g := range t.ngrams {
		g.Add(codes)
	}
	if speaker == "" {
		return nil
	}
	if t.speakers[speaker] == nil {
		t.speakers[speaker] = metric.NewCounter(h.CodebookSize)
	}
	return t.speakers[speaker].Add(codes)
}

// addFile counts a file of units or sound, told apart by content.
func (t *tally) addFile(file string) error {
	f := os.Stdin
	if file != "-" {
		var err error
		if f, err = os.Open(file); err != nil {
			return err
		}
		defer f.Close()
	}
	r := bufio.NewReader(f)
	if head, _ := r.Peek(len(unitsMagic)); string(head) == unitsMagic {
		h, codes, err := units.Decode(r)
		if err != nil {
			return err
		}
		return t.add(h, codes, h.Samples, h.Speaker)
	}
	var all []uint16
	collect := func(codes []uint16) error {
		all = append(all, codes...)
		return nil
	}
	encode := func() (int64, error) { return t.model.EncodeFile(file, collect) }
	if file == "-" || !isRegular(file) { // what has been read of it does not come again
		encode = func() (int64, error) {
			s, err := audio.NewStream(r)
			if err != nil {
				return 0, err
			}
			return t.model.EncodeStream(s, collect)
		}
	}
	samples, err := encode()
	if err != nil {
		return err
	}
	return t.add(unitsHeader(t.model), all, samples, "")
}

// addSplit counts a split and returns how many utterances it has.
func (t *tally) addSplit(data, split string) (n int, err error) {
	m, c, idx, err := t.app.modelAndSplit(data, split)
	if err != nil {
		return 0, err
	}
	t.gaussian = m.Config.Quantizer.Kind.Gaussian()
	for _, i := range idx {
		db, err := c.Mel(i)
		if err != nil {
			return 0, err
		}
		mel := make([]float32, len(db))
		c.Level(i, m.Config.Features).Apply(mel, db)
		latents, logVar := m.Latents(mel)
		if t.gaussian {
			t.variance.Add(logVar)
		}
		u := c.Utterances[i]
		if len(latents) == 0 {
			continue // too short, as in training
		}
		if err := t.add(unitsHeader(m), m.Assign(latents, logVar), u.Samples, u.Speaker); err != nil {
			return 0, named(u.ID, err)
		}
	}
	return len(idx), nil
}

// report fills in the figures and returns the rows of their table.
func (t *tally) report(r *codebookReport) (rows []string) {
	c := t.counter
	r.Seconds, r.Units, r.CodebookSize = t.seconds, c.Total(), t.header.CodebookSize
	r.UsedCodes, r.DeadCodes, r.Usage = c.Used(), r.CodebookSize-c.Used(), c.Usage()
	r.Perplexity, r.Entropy = c.Perplexity(), c.Entropy()
	r.EntropyBitrate, r.NominalBitrate = c.EntropyBitrate(t.seconds), t.header.Bitrate()

	low, high := bootstrap.Intervals(t.files.Len(), func(sample []int) []float64 {
		rate := t.files.Rate(sample)
		return []float64{rate.Perplexity, rate.Bitrate}
	})
	r.Intervals = map[string]score{}
	figures := []pairFigure{
		{key: "perplexity", label: "perplexity", format: "%.1f"},
		{key: "entropy_bitrate_bps", label: "bit rate by entropy", format: "%.1f", unit: "bit/s"},
	}
	var lines []string
	for i, value := range []float64{r.Perplexity, r.EntropyBitrate} {
		f := figures[i]
		r.Intervals[f.key] = score{Value: number(value), Low: number(low[i]), High: number(high[i])}
		lines = append(lines, f.row(value, low[i], high[i]))
	}
	before := 0.0
	conditional := ""
	for i, g := range t.ngrams {
		n := ngramReport{N: i + 1, Types: g.Types(), Entropy: g.Entropy()}
		n.Conditional = n.Entropy - before
		before = n.Entropy
		r.NGrams = append(r.NGrams, n)
		if i > 0 {
			conditional += fmt.Sprintf(", %.3f after %d", n.Conditional, i)
		}
	}
	rows = []string{
		"codes used", fmt.Sprintf("%d of %d (%.1f %%), %d dead", r.UsedCodes, r.CodebookSize, 100*r.Usage, r.DeadCodes),
		"perplexity", lines[0],
		"entropy", fmt.Sprintf("%.3f bit%s", r.Entropy, conditional),
		"bit rate", fmt.Sprintf("%s by entropy, %.1f bit/s nominal", lines[1], r.NominalBitrate),
	}
	if t.prior != nil {
		var row string
		r.Prior, row = t.prior.report()
		rows = append(rows, "prior", row)
	}
	t.compareSpeakers(r)
	if r.Divergence != nil {
		rows = append(rows, "speakers", fmt.Sprintf("%d, divergence %.3f bit", len(r.Speakers), *r.Divergence))
	}
	if t.gaussian {
		r.Variance = &varianceReport{t.variance.Mean(), t.variance.GeometricMean()}
		rows = append(rows, "variance", fmt.Sprintf("%.4g, geometric mean %.4g", r.Variance.Mean, r.Variance.GeometricMean))
	}
	return append(rows, "measured on", fmt.Sprintf("%d files, %.1f min, %d units", r.Files, r.Seconds/60, r.Units))
}

// compareSpeakers fills in how speakers use the codes.
func (t *tally) compareSpeakers(r *codebookReport) {
	names := slices.Sorted(maps.Keys(t.speakers))
	r.Speakers = make([]speakerUsage, len(names))
	between := make([]float64, len(names)) // sums over the speakers behind
	simd.Parallel(len(names), 1, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			own, others := t.speakers[names[i]], metric.NewCounter(t.header.CodebookSize)
			for k, name := range names {
				if k != i {
					others.Merge(t.speakers[name])
				}
				if k > i {
					between[i] += metric.Divergence(own, t.speakers[name])
				}
			}
			r.Speakers[i] = speakerUsage{names[i], own.Total(), own.Used(), own.Perplexity(), number(metric.Divergence(own, others))}
		}
	})
	sum := 0.0
	for _, b := range between {
		sum += b
	}
	pairs := float64(len(names)*(len(names)-1)) / 2
	if pairs == 0 {
		sum = math.NaN()
	}
	r.Divergence = number(sum / pairs)
}

// isUnits reports whether a file begins as .vqs files do. Of a pipe, whose
// beginning could not be read again, it does not know.
func isUnits(file string) bool {
	if !isRegular(file) {
		return false
	}
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, len(unitsMagic))
	_, err = io.ReadFull(f, head)
	return err == nil && string(head) == unitsMagic
}

func isRegular(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode().IsRegular()
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
