package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"vqspeech/audio"
	"vqspeech/features/metric"
	"vqspeech/internal/bootstrap"
	"vqspeech/internal/simd"
)

// pairsHelp is the part of the help that the measures of recordings share.
const pairsHelp = `

REF and OUT are two recordings (WAV or FLAC) or two folders. In folders, and the
folders below them, recordings (.wav, .flac) are paired by their names without
the suffix. Both of a pair must have the same sample rate.

Every figure comes with its 95 % bootstrap interval over the pairs (1000
resamples, always the same). A pair that cannot be measured (a partner is missing
or there are two, a file is broken or empty, a reference is silent, rates differ)
is reported, counted and makes the exit status 1; it never enters a score.`

// lengthHelp is the rule of all measures that compare moment with moment.
const lengthHelp = ` The
same goes for a pair whose lengths differ by more than 0.1 s, or a tenth of the
longer; within that the shorter counts, and the report says for how many pairs.`

// pairsJSONHelp describes pairsReport; the scores follow.
const pairsJSONHelp = `

With --json it is {"metric", "convention", "pairs", "failed", "seconds" (of the
references), "scores", "shortened", "longest_difference_s", "files": [{"file" (OUT),
a number or null for every score}, ...], "failures": [{"file", "error"}, ...]},
where scores has {"value", "low", "high"}, each a number or null, under`

// A pairMeasure measures pairs of recordings; a T is what a pair adds.
type pairMeasure[T any] struct {
	metric     string // as on the command line
	convention string
	measure    func(reference, estimate []float32, rate int) (T, error)
	pool       func(pairs []T) []float64 // the figures of several pairs, as in figures
	figures    []pairFigure
	anyLength  bool // of the estimates: they are not cut
}

// A pairFigure is how a number is called in JSON and in tables.
type pairFigure struct {
	key, label string
	format     string // of the number, without its unit
	unit       string
	scale      float64 // of the number in tables; 0 is 1
}

// pairsReport is the JSON object of the measures of recordings.
type pairsReport struct {
	Metric            string           `json:"metric"`
	Convention        string           `json:"convention"`
	Pairs             int              `json:"pairs"`
	Failed            int              `json:"failed"`
	Seconds           float64          `json:"seconds"`
	Scores            map[string]score `json:"scores"`
	Shortened         int              `json:"shortened"`
	LongestDifference float64          `json:"longest_difference_s"`
	Files             []map[string]any `json:"files"` // "file" and the key of every figure
	Failures          []failReport     `json:"failures"`
}

// score is a figure with its interval; nil where there is none.
type score struct {
	Value *float64 `json:"value"`
	Low   *float64 `json:"low"`
	High  *float64 `json:"high"`
}

func (a *app) evalMCDCmd() *cobra.Command {
	var dtw, asJSON bool
	cmd := &cobra.Command{
		Use:   "mcd REF OUT",
		Short: "Mel-cepstral distortion of recordings (dB)",
		Long: `Mcd prints the mel-cepstral distortion of recordings against their references in
dB, pooled over frames, under the convention ` + metric.MCDConvention + `: 13 coefficients, without
c0, of the cosine transform of ln mel amplitude (80 bands, 16 kHz, 10 ms), all
frames. With --dtw it is pooled over the steps of the cheapest alignment, and
lengths may differ; time grows with the square of the length.` + pairsHelp + lengthHelp + pairsJSONHelp + ` "mcd_db".`,
		Example: `  vqspeech eval mcd talk.wav copy.wav
  vqspeech eval mcd refs/ decoded/ --dtw --json`,
		Args: cobra.ExactArgs(2),
		RunE: a.verb(func(cmd *cobra.Command, args []string) error {
			m := pairMeasure[metric.Mean]{
				metric: "mcd", convention: metric.MCDConvention, measure: metric.MCD, pool: poolMeans,
				figures: []pairFigure{{key: "mcd_db", label: "mcd", format: "%.3f", unit: "dB"}},
			}
			if dtw {
				m.convention, m.measure, m.anyLength = metric.MCDConvention+"-dtw", metric.AlignedMCD, true
				m.figures[0].label = "mcd, aligned"
			}
			return evalPairs(a, cmd, m, args[0], args[1], asJSON)
		}),
	}
	cmd.Flags().BoolVar(&dtw, "dtw", false, "align the frames first (dynamic time warping)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func (a *app) evalF0Cmd() *cobra.Command {
	cfg := metric.DefaultF0()
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "f0 REF OUT",
		Short: "Pitch and voicing errors of recordings",
		Long: `F0 tracks the pitch of recordings and their references every 10 ms and prints how
they differ, pooled over frames: the root mean squared error and the correlation
of frames that are voiced in both; the gross pitch error (of those, the share that
is off by more than 20 %); the voicing decision error (of all frames, the share
that is voiced in one of the two only); the F0 frame error (of all frames, the
share with either).` + pairsHelp + lengthHelp + pairsJSONHelp + `
"rmse_hz", "rmse_cents", "rmse_log", "corr_hz", "corr_log", "gpe", "vde" and "ffe".`,
		Example: `  vqspeech eval f0 talk.wav copy.wav
  vqspeech eval f0 refs/ decoded/ --fmin 100 --fmax 600`,
		Args: cobra.ExactArgs(2),
		RunE: a.verb(func(cmd *cobra.Command, args []string) error {
			if err := cfg.Validate(); err != nil {
				return usagef("--fmin, --fmax: %v", err)
			}
			return evalPairs(a, cmd, pairMeasure[metric.F0Error]{
				metric: "f0", convention: fmt.Sprintf("nccf, %v to %v Hz", cfg.FMin, cfg.FMax),
				measure: func(r, e []float32, rate int) (metric.F0Error, error) { return metric.F0Errors(r, e, rate, cfg) },
				pool: func(pairs []metric.F0Error) []float64 {
					var f metric.F0Error
					for _, p := range pairs {
						f.Merge(p)
					}
					return []float64{
						f.RMSEHz(), f.RMSECents(), f.RMSELog(), f.CorrelationHz(), f.CorrelationLog(), f.GPE(), f.VDE(), f.FFE(),
					}
				},
				figures: []pairFigure{
					{key: "rmse_hz", label: "rmse", format: "%.2f", unit: "Hz"},
					{key: "rmse_cents", label: "rmse", format: "%.1f", unit: "cents"},
					{key: "rmse_log", label: "rmse of ln", format: "%.4f"},
					{key: "corr_hz", label: "correlation", format: "%.4f"},
					{key: "corr_log", label: "correlation of ln", format: "%.4f"},
					{key: "gpe", label: "gross pitch error", format: "%.2f", unit: "%", scale: 100},
					{key: "vde", label: "voicing decision error", format: "%.2f", unit: "%", scale: 100},
					{key: "ffe", label: "f0 frame error", format: "%.2f", unit: "%", scale: 100},
				},
			}, args[0], args[1], asJSON)
		}),
	}
	f := cmd.Flags()
	f.Float64Var(&cfg.FMin, "fmin", cfg.FMin, "lowest pitch (Hz)")
	f.Float64Var(&cfg.FMax, "fmax", cfg.FMax, "highest pitch (Hz)")
	f.BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func (a *app) evalSTOICmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "stoi REF OUT",
		Short: "Short-time objective intelligibility of recordings",
		Long: `Stoi prints the short-time objective intelligibility (Taal et al. 2011) of
recordings against their references, from 0 to 1, as the mean over pairs. A
recording with less than 0.4 s of sound has none.` + pairsHelp + lengthHelp + pairsJSONHelp + ` "stoi".`,
		Example: `  vqspeech eval stoi refs/ decoded/`,
		Args:    cobra.ExactArgs(2),
		RunE: a.verb(func(cmd *cobra.Command, args []string) error {
			return evalPairs(a, cmd, pairMeasure[float64]{
				metric: "stoi", convention: "taal-2011", measure: metric.STOI, pool: poolEqually,
				figures: []pairFigure{{key: "stoi", label: "stoi", format: "%.4f"}},
			}, args[0], args[1], asJSON)
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func (a *app) evalSISDRCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "sisdr REF OUT",
		Short: "Scale-invariant signal-to-distortion ratio of recordings (dB)",
		Long: `Sisdr prints the scale-invariant signal-to-distortion ratio (Le Roux et al. 2019)
of recordings against their references in dB, as the mean over pairs. It compares
samples, so that a vocoder with phases of its own scores low however it sounds. An
OUT that is REF times a constant has no finite ratio.` + pairsHelp + lengthHelp + pairsJSONHelp + ` "si_sdr_db".`,
		Example: `  vqspeech eval sisdr talk.wav copy.wav`,
		Args:    cobra.ExactArgs(2),
		RunE: a.verb(func(cmd *cobra.Command, args []string) error {
			return evalPairs(a, cmd, pairMeasure[float64]{
				metric: "sisdr", convention: "zero-mean", measure: metric.SISDR, pool: poolEqually,
				figures: []pairFigure{{key: "si_sdr_db", label: "si-sdr", format: "%.2f", unit: "dB"}},
			}, args[0], args[1], asJSON)
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// evalMSEPairs is eval mse of two recordings or folders.
func (a *app) evalMSEPairs(cmd *cobra.Command, ref, out string, asJSON bool) error {
	return evalPairs(a, cmd, pairMeasure[metric.Mean]{
		metric: "mse", convention: "reference", measure: metric.LogMelMSE, pool: poolMeans,
		figures: []pairFigure{{key: "mse_db2", label: "mse", format: "%.3f", unit: "dB²"}},
	}, ref, out, asJSON)
}

// poolMeans lets every term weigh alike.
func poolMeans(pairs []metric.Mean) []float64 {
	var m metric.Mean
	for _, p := range pairs {
		m.Add(p)
	}
	return []float64{m.Value()}
}

// poolEqually lets every pair weigh alike.
func poolEqually(pairs []float64) []float64 {
	var m metric.Mean
	for _, p := range pairs {
		m.Add(metric.Mean{Sum: p, N: 1})
	}
	return []float64{m.Value()}
}

// evalPairs measures all pairs, prints the report and the failures.
func evalPairs[T any](a *app, cmd *cobra.Command, m pairMeasure[T], ref, out string, asJSON bool) error {
	pairs, err := findPairs(ref, out)
	if err != nil {
		return err
	}
	type result struct {
		value               T
		seconds, difference float64
		err                 error
	}
	results := make([]result, len(pairs))
	bar := newMeter(a.stderr, "eval "+m.metric, len(pairs))
	var mu sync.Mutex
	done := 0
	simd.Parallel(len(pairs), 1, func(lo, hi int) {
		for i := lo; i < hi && cmd.Context().Err() == nil; i++ {
			r, p := &results[i], pairs[i]
			var reference, estimate *audio.Clip
			if reference, estimate, r.err = p.load(); r.err == nil {
				r.seconds, r.difference = reference.Seconds(), math.Abs(reference.Seconds()-estimate.Seconds())
				r.value, r.err = m.measure(reference.Samples, estimate.Samples, reference.SampleRate)
				if r.err == nil {
					r.err = checkFinite(r.value)
				}
				r.err = named(p.out, r.err)
			}
			mu.Lock()
			done++
			bar.set(done, len(pairs))
			mu.Unlock()
		}
	})
	bar.finish()
	if err := cmd.Context().Err(); err != nil {
		return err
	}

	report := pairsReport{Metric: m.metric, Convention: m.convention, Scores: map[string]score{}, Files: []map[string]any{}, Failures: []failReport{}}
	failed := failures{w: a.stderr}
	var values []T
	for i, r := range results {
		failed.add(r.err)
		if r.err != nil {
			report.Failures = append(report.Failures, failReport{File: cmp.Or(pairs[i].out, pairs[i].ref), Error: r.err.Error()})
			continue
		}
		values = append(values, r.value)
		report.Files = append(report.Files, m.file(pairs[i].out, r.value))
		report.Seconds += r.seconds
		if !m.anyLength && r.difference > 0 {
			report.Shortened++
			report.LongestDifference = max(report.LongestDifference, r.difference)
		}
	}
	report.Pairs, report.Failed = len(values), failed.count
	rows := m.score(&report, values)
	switch {
	case asJSON:
		err = writeJSON(cmd.OutOrStdout(), report)
	case len(values) > 0:
		err = table(cmd.OutOrStdout(), rows...)
	}
	if err != nil {
		return err
	}
	return failed.result(len(pairs))
}

// checkFinite refuses a measurement that is a single number but not finite.
func checkFinite(v any) error {
	if x, ok := v.(float64); ok && (math.IsNaN(x) || math.IsInf(x, 0)) {
		return fmt.Errorf("the figure is %v, want a finite number", x)
	}
	return nil
}

// file returns the figures of one pair for JSON.
func (m pairMeasure[T]) file(out string, value T) map[string]any {
	entry := map[string]any{"file": out}
	for i, v := range m.pool([]T{value}) {
		entry[m.figures[i].key] = number(v)
	}
	return entry
}

// score puts the figures of all pairs into the report and returns the rows of
// its table.
func (m pairMeasure[T]) score(report *pairsReport, values []T) (rows []string) {
	of := m.pool(values)
	resample := make([]T, len(values))
	low, high := bootstrap.Intervals(len(values), func(sample []int) []float64 {
		for i, k := range sample {
			resample[i] = values[k]
		}
		return m.pool(resample)
	})
	for i, f := range m.figures {
		report.Scores[f.key] = score{Value: number(of[i]), Low: number(low[i]), High: number(high[i])}
		rows = append(rows, f.label, f.row(of[i], low[i], high[i]))
	}
	rows = append(rows, "convention", m.convention,
		"measured on", fmt.Sprintf("%d pairs, %.1f min", report.Pairs, report.Seconds/60))
	if report.Shortened > 0 {
		rows = append(rows, "lengths", fmt.Sprintf("%d pairs differ, by up to %.3f s; the shorter counts", report.Shortened, report.LongestDifference))
	}
	return rows
}

// row prints a figure and its interval, as far as there are any.
func (f pairFigure) row(value, low, high float64) string {
	scale := cmp.Or(f.scale, 1)
	unit := strings.TrimSuffix(" "+f.unit, " ")
	if number(value) == nil {
		return "none"
	}
	text := fmt.Sprintf(f.format+"%s", value*scale, unit)
	if number(low) != nil && number(high) != nil {
		text += fmt.Sprintf(" (95 %%: "+f.format+" to "+f.format+")", low*scale, high*scale)
	}
	return text
}

// number returns nil, JSON's null, for what is not finite.
func number(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// A recordingPair is a reference and its estimate; err says why it is none.
type recordingPair struct {
	ref, out string
	err      error
}

// load reads both recordings; the error names the file.
func (p recordingPair) load() (reference, estimate *audio.Clip, err error) {
	if p.err != nil {
		return nil, nil, p.err
	}
	if reference, err = audio.Load(p.ref); err != nil {
		return nil, nil, named(p.ref, err)
	}
	if estimate, err = audio.Load(p.out); err != nil {
		return nil, nil, named(p.out, err)
	}
	if reference.SampleRate != estimate.SampleRate {
		return nil, nil, named(p.out, fmt.Errorf("recording at %d Hz, want %d Hz as %s", estimate.SampleRate, reference.SampleRate, p.ref))
	}
	return reference, estimate, nil
}

// findPairs returns the pairs of two files or two folders, in the order of their
// names.
func findPairs(ref, out string) ([]recordingPair, error) {
	for _, p := range []string{ref, out} {
		if p == "" {
			return nil, usagef("an input is an empty name")
		}
		if _, err := os.Stat(p); p != "-" && err != nil {
			return nil, pathFirst(err)
		}
	}
	if ref == "-" && out == "-" {
		return nil, usagef("standard input can be read only once")
	}
	if isFolder(ref) != isFolder(out) {
		return nil, usagef("want two recordings or two folders, got one of each")
	}
	if !isFolder(ref) {
		return []recordingPair{{ref: ref, out: out}}, nil
	}
	refs, err := recordings(ref)
	if err != nil {
		return nil, err
	}
	outs, err := recordings(out)
	if err != nil {
		return nil, err
	}
	names := slices.Collect(maps.Keys(refs))
	for name := range outs {
		if refs[name] == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var pairs []recordingPair
	for _, name := range names {
		r, o := refs[name], outs[name]
		switch {
		case len(r) > 1:
			pairs = append(pairs, recordingPair{ref: r[1], err: fmt.Errorf("%s: has the name of %s", r[1], r[0])})
		case len(o) > 1:
			pairs = append(pairs, recordingPair{out: o[1], err: fmt.Errorf("%s: has the name of %s", o[1], o[0])})
		case len(o) == 0:
			pairs = append(pairs, recordingPair{ref: r[0], err: fmt.Errorf("%s: no recording of this name in %s", r[0], out)})
		case len(r) == 0:
			pairs = append(pairs, recordingPair{out: o[0], err: fmt.Errorf("%s: no recording of this name in %s", o[0], ref)})
		default:
			pairs = append(pairs, recordingPair{ref: r[0], out: o[0]})
		}
	}
	if len(pairs) == 0 {
		return nil, errors.New(ref + ": no recordings (.wav, .flac) in the folder")
	}
	return pairs, nil
}

// recordings returns the recordings in and below a folder by their names without
// the suffix.
func recordings(folder string) (map[string][]string, error) {
	return filesByName(folder, ".wav", ".flac")
}

// filesByName returns the files in and below a folder that have one of the
// suffixes, by their names without it. Names that begin with a dot are left out.
func filesByName(folder string, suffixes ...string) (map[string][]string, error) {
	found := map[string][]string{}
	err := fs.WalkDir(os.DirFS(folder), ".", func(at string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := entry.Name(); !entry.IsDir() && !strings.HasPrefix(name, ".") {
			if ext := path.Ext(name); slices.Contains(suffixes, strings.ToLower(ext)) {
				name = strings.TrimSuffix(name, ext)
				found[name] = append(found[name], filepath.Join(folder, filepath.FromSlash(at)))
			}
		}
		return nil
	})
	return found, named(folder, err)
}
