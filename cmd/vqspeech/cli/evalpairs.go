package cli

import (
	"cmp"
	"fmt"
	"math"
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
