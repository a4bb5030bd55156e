package cli

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"vqspeech/internal/bootstrap"
	"vqspeech/quant/metric/abx"
)

type abxOptions struct {
	features, units, items, mode, distance string
	style, maxGroup, maxX                  int
	frameStep                              float64
	seed                                   uint64
	channelsFirst, json                    bool
}

// defaultFrameStep is the step of features (s).
const defaultFrameStep = 0.01

// The bounds of the 2021 evaluation.
const (
	defaultMaxGroup = 10
	defaultMaxX     = 5
)

// abxReport is the JSON object of eval abx.
type abxReport struct {
	Metric    string               `json:"metric"`
	Style     int                  `json:"style"`
	Distance  string               `json:"distance"`
	FrameStep *float64             `json:"frame_step_s"` // null: files are whole items
	MaxGroup  int                  `json:"max_group"`
	MaxX      int                  `json:"max_x"`
	Seed      uint64               `json:"seed"`
	Items     int                  `json:"items"`
	Files     int                  `json:"files"`
	Skipped   int                  `json:"skipped"`
	Failed    int                  `json:"failed"`
	Scores    map[string]score     `json:"scores"`
	Modes     map[string]modeScore `json:"modes"`
	Failures  []failReport         `json:"failures"`
}

// modeScore is what a mode was measured on.
type modeScore struct {
	Items    int         `json:"items"`
	Cells    int         `json:"cells"`
	Triplets int64       `json:"triplets"`
	Pairs    []pairScore `json:"pairs"`
}

// pairScore is the error of a pair of phones.
type pairScore struct {
	A        string  `json:"a"`
	B        string  `json:"b"`
	Error    float64 `json:"error_percent"`
	Cells    int     `json:"cells"`
	Triplets int64   `json:"triplets"`
}

func (a *app) evalABXCmd() *cobra.Command {
	var o abxOptions
	cmd := &cobra.Command{
		Use:   "abx --features DIR|--units DIR --items FILE",
		Short: "ABX error rate: whether phones are told apart",
		Long: `Abx prints the ABX error rate (%) of features or units: how often an item X of a
phone is nearer to an item B of another phone than to an item A of its own, in the
same context. Chance is 50 %. Within: one speaker said all three; across: another
said X.` + framesHelp + itemsHelp + `

--style 2019 (ZeroSpeech 2019 and 2020) takes files whole, whatever the times say,
and every triplet; means are over contexts, then pairs of speakers, then pairs of
phones. --style 2021 (libri-light) cuts items out, samples large groups (--max-group
items, --max-x speakers X; 0 is all) and averages over contexts and speakers X
together, then speakers, then pairs of phones.

--distance is cosine, euclidean or kl between frames (of units: their code vectors,
through the model; not kl) or hamming (0 or 1) or edit between symbols (of features:
equal frames are one symbol), after alignment (dynamic time warping).

Each figure has its 95 % bootstrap interval over pairs of phones, both orders
together (1000 resamples, always the same). Items that are too short to have a
frame are skipped and counted. An item that is not in its file, one that comes
twice, and a file that is missing, broken or empty, has numbers that are not finite
or frames unlike the others' is reported, counted and makes the exit status 1; it
never enters a score. So does a corpus of one symbol.

With --json it is {"metric": "abx", "style", "distance", "frame_step_s" (or null),
"max_group", "max_x", "seed", "items", "files", "skipped", "failed" (items), "scores",
"modes", "failures": [{"file", "error"}, ...]}, where scores has {"value", "low",
"high"}, each a number or null, under "within_percent" and "across_percent", and
modes has {"items", "cells", "triplets", "pairs": [{"a", "b", "error_percent",
"cells", "triplets"}, ...]} under "within" and "across".`,
		Example: `  vqspeech eval abx --units units/ --items dev-clean.item --distance edit
  vqspeech eval abx --features mels/ --channels-first --items dev-clean.item --frame-step 0.01`,
		Args: func(cmd *cobra.Command, args []string) error {
			if err := cobra.NoArgs(cmd, args); err != nil {
				return err
			}
			return o.check(cmd)
		},
		RunE: a.verb(func(cmd *cobra.Command, _ []string) error { return a.evalABX(cmd, o) }),
	}
	f := cmd.Flags()
	f.StringVar(&o.features, "features", "", "folder of features")
	f.StringVar(&o.units, "units", "", "folder of units")
	f.StringVar(&o.items, "items", "", "item file")
	f.IntVar(&o.style, "style", int(abx.Style2021), "evaluation to follow, 2019 or 2021")
	f.StringVar(&o.mode, "mode", "both", "within, across or both")
	f.StringVar(&o.distance, "distance", string(abx.Cosine), "cosine, euclidean, kl, hamming or edit")
	f.Float64Var(&o.frameStep, "frame-step", defaultFrameStep, "time between frames of features (s); units know theirs")
	f.IntVar(&o.maxGroup, "max-group", defaultMaxGroup, "items of a phone, context and speaker; all in style 2019")
	f.IntVar(&o.maxX, "max-x", defaultMaxX, "speakers X of a phone, context and speaker; all in style 2019")
	f.Uint64Var(&o.seed, "seed", 0, "of the sampling")
	f.BoolVar(&o.channelsFirst, "channels-first", false, ".npy files are [D, frames]")
	f.BoolVar(&o.json, "json", false, "print one JSON object")
	_ = cmd.MarkFlagDirname("features")
	_ = cmd.MarkFlagDirname("units")
	return cmd
}

// check reports flags that do not go together and sets what the style implies.
func (o *abxOptions) check(cmd *cobra.Command) error {
	changed := cmd.Flags().Changed
	if o.style == int(abx.Style2019) {
		for flag, to := range map[string]*int{"max-group": &o.maxGroup, "max-x": &o.maxX} {
			if !changed(flag) {
				*to = 0
			}
		}
	}
	if o.mode != "both" && o.mode != string(abx.Within) && o.mode != string(abx.Across) {
		return usagef("--mode must be within, across or both (got %q)", o.mode)
	}
	for _, c := range o.configs() {
		if err := c.Validate(); err != nil {
			return usagef("%s", strings.TrimPrefix(err.Error(), "abx: "))
		}
	}
	switch {
	case (o.features == "") == (o.units == ""):
		return usagef("want either --features or --units")
	case o.items == "":
		return usagef("--items is missing, want an item file")
	case o.units != "" && o.distance == string(abx.KL):
		return usagef("--distance kl wants distributions, code vectors are none")
	case changed("frame-step") && (o.units != "" || o.style == int(abx.Style2019)):
		return usagef("--frame-step is for features in style 2021")
	case changed("channels-first") && o.units != "":
		return usagef("--channels-first is for features")
	case !(o.frameStep > 0 && o.frameStep <= 10):
		return usagef("--frame-step must be above 0 and at most 10 s (got %v)", o.frameStep)
	}
	return nil
}

// configs returns what to evaluate, one for each mode.
func (o *abxOptions) configs() []abx.Config {
	modes := []abx.Mode{abx.Mode(o.mode)}
	if o.mode == "both" {
		modes = []abx.Mode{abx.Within, abx.Across}
	}
	var configs []abx.Config
	for _, m := range modes {
		configs = append(configs, abx.Config{
			Style: abx.Style(o.style), Mode: m, Distance: abx.Distance(o.distance),
			MaxGroup: o.maxGroup, MaxX: o.maxX, Seed: o.seed,
		})
	}
	return configs
}

func (a *app) evalABX(cmd *cobra.Command, o abxOptions) error {
	source := &frameSource{folder: cmp.Or(o.features, o.units), units: o.units != "", channelsFirst: o.channelsFirst}
	if source.units && !abx.Distance(o.distance).Symbolic() {
		m, err := a.model()
		if err != nil {
			return err
		}
		source.vectors = m
	}
	r := abxReport{
		Metric: "abx", Style: o.style, Distance: o.distance, MaxGroup: o.maxGroup, MaxX: o.maxX, Seed: o.seed,
		Scores: map[string]score{}, Modes: map[string]modeScore{}, Failures: []failReport{},
	}
	segments, err := a.abxSegments(source, o, &r)
	if err != nil {
		return err
	}
	rows := []string{}
	var pairRows []string
	if len(segments) > 0 {
		for _, c := range o.configs() {
			if err := cmd.Context().Err(); err != nil {
				return err
			}
			result, err := abx.Evaluate(segments, c)
			if err != nil {
				err = named(source.folder, err)
				if n := len(r.Failures); n == 0 || r.Failures[n-1].Error != err.Error() { // once for both modes
					a.abxFailed(&r, source.folder, err, 0)
				}
				continue
			}
			if result.Cells == 0 {
				a.abxFailed(&r, o.items, named(o.items, fmt.Errorf("no triplets %s speakers", c.Mode)), 0)
			}
			row, worst := r.add(c.Mode, result)
			rows, pairRows = append(rows, row...), append(pairRows, worst...)
		}
	}
	step := "whole files"
	if r.FrameStep != nil {
		step = fmt.Sprintf("a frame every %.4g ms", 1000**r.FrameStep)
	}
	rows = append(rows, pairRows...)
	rows = append(rows, "convention", fmt.Sprintf("style %d, distance %s, %s", o.style, o.distance, step),
		"measured on", fmt.Sprintf("%d items, %d files, %d items skipped", r.Items, r.Files, r.Skipped))
	if o.json {
		err = writeJSON(cmd.OutOrStdout(), r)
	} else if len(r.Modes) > 0 {
		err = table(cmd.OutOrStdout(), rows...)
	}
	if err != nil {
		return err
	}
	if len(r.Failures) == 0 {
		return nil
	}
	if r.Failed > 0 {
		printError(a.stderr, fmt.Errorf("%d of %d items failed", r.Failed, r.Failed+r.Items+r.Skipped))
	}
	return errReported
}

// abxFailed reports a failure that costs some items.
func (a *app) abxFailed(r *abxReport, file string, err error, items int) {
	printError(a.stderr, err)
	r.Failures = append(r.Failures, failReport{File: file, Error: err.Error()})
	r.Failed += items
}

// abxSegments reads the items and their frames.
func (a *app) abxSegments(source *frameSource, o abxOptions, r *abxReport) ([]abx.Segment, error) {
	items, files, err := readItems(o.items, source, func(file string, err error, items int) { a.abxFailed(r, file, err, items) })
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if f.err == nil {
			r.Files++
		}
	}
	var segments []abx.Segment
	for _, item := range items {
		f := files[item.File]
		if f.err != nil {
			continue
		}
		first, end := 0, f.len()
		if o.style == int(abx.Style2021) {
			step := cmp.Or(f.step, o.frameStep)
			r.FrameStep = &step
			if first, end, err = item.Frames(end, step); err != nil {
				a.abxFailed(r, f.path, fmt.Errorf("%s: line %d: %w", o.items, item.Line, err), 1)
				continue
			}
			if first == end {
				r.Skipped++
				continue
			}
		}
		s := abx.Segment{Phone: item.Phone, Context: item.Context(), Speaker: item.Speaker, Dim: f.dim}
		if f.symbols != nil {
			s.Symbols = f.symbols[first:end]
		} else {
			s.Frames = f.frames[first*f.dim : end*f.dim]
		}
		if err := s.Check(abx.Distance(o.distance)); err != nil {
			a.abxFailed(r, f.path, fmt.Errorf("%s: line %d: %s: %w", o.items, item.Line, f.path, err), 1)
			continue
		}
		segments = append(segments, s)
	}
	r.Items = len(segments)
	if len(segments) == 0 && len(r.Failures) == 0 {
		return nil, errors.New(o.items + ": all items are too short to have a frame")
	}
	return segments, nil
}

// worstPairs is how many pairs of phones the table shows.
const worstPairs = 5

// add puts the result of a mode into the report and returns the rows of its table.
func (r *abxReport) add(mode abx.Mode, result *abx.Result) (rows, worst []string) {
	m := modeScore{Items: result.Items, Cells: result.Cells, Triplets: result.Triplets, Pairs: []pairScore{}}
	for _, p := range result.Pairs {
		m.Pairs = append(m.Pairs, pairScore{p.A, p.B, 100 * p.Error, p.Cells, p.Triplets})
	}
	r.Modes[string(mode)] = m
	// Both orders of two phones share their items: they are drawn together.
	both := map[[2]string][]float64{}
	var order [][2]string
	for _, p := range result.Pairs {
		key := [2]string{min(p.A, p.B), max(p.A, p.B)}
		if both[key] == nil {
			order = append(order, key)
		}
		both[key] = append(both[key], p.Error)
	}
	low, high := bootstrap.Intervals(len(order), func(sample []int) []float64 {
		sum, n := 0.0, 0
		for _, i := range sample {
			for _, e := range both[order[i]] {
				sum += e
				n++
			}
		}
		return []float64{100 * sum / float64(n)}
	})
	s := score{Value: number(100 * result.Error), Low: number(low[0]), High: number(high[0])}
	r.Scores[string(mode)+"_percent"] = s
	figure := pairFigure{format: "%.2f", unit: "%"}
	rows = []string{string(mode) + " speakers", fmt.Sprintf("%s, %d pairs of phones, %d triplets",
		figure.row(100*result.Error, low[0], high[0]), len(result.Pairs), result.Triplets)}
	sorted := slices.SortedStableFunc(slices.Values(m.Pairs), func(p, q pairScore) int { return cmp.Compare(q.Error, p.Error) })
	var names []string
	for _, p := range sorted[:min(worstPairs, len(sorted))] {
		names = append(names, fmt.Sprintf("%s/%s %.1f %%", p.A, p.B, p.Error))
	}
	if len(names) > 0 {
		worst = []string{"worst " + string(mode), strings.Join(names, ", ")}
	}
	return rows, worst
}
