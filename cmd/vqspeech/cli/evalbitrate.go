package cli

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"vqspeech/internal/bootstrap"
	"vqspeech/quant/metric"
)

type bitrateOptions struct {
	features, units, list string
	channelsFirst, json   bool
}

// bitrateReport is the JSON object of eval bitrate.
type bitrateReport struct {
	Metric   string           `json:"metric"`
	Files    int              `json:"files"`
	Failed   int              `json:"failed"`
	Symbols  int64            `json:"n_symbols"`
	Types    int              `json:"n_types"`
	Seconds  float64          `json:"duration_s"`
	Scores   map[string]score `json:"scores"`
	Nominal  *float64         `json:"nominal_bitrate_bps"`  // null: features have none
	Measured *float64         `json:"measured_bitrate_bps"` // null likewise
	Failures []failReport     `json:"failures"`
}

func (a *app) evalBitrateCmd() *cobra.Command {
	var o bitrateOptions
	cmd := &cobra.Command{
		Use:   "bitrate --units DIR|--features DIR",
		Short: "Bit rate of units or features (bit/s)",
		Long: `Bitrate prints the bit rate as ZeroSpeech 2019 and 2020 define it: every different
frame is a symbol, and the number of symbols times their entropy is divided by the
duration. Of units it prints besides the nominal rate (units/s times log2 of the
codebook size) and that of the files as they are.` + framesHelp + `

--list names the files to count and the duration of each (s), one a line, as in the
challenge. Without it, units have their own durations and all count; features need
a list.

The entropy, its perplexity and the rate come with their 95 % bootstrap intervals
over files (1000 resamples, always the same; resamples have fewer symbols, which
makes the intervals low). A file that is missing, broken or empty, has numbers that
are not finite or frames unlike the others' is reported, counted and makes the exit
status 1; neither it nor its duration enters the rate. So does a corpus of one
symbol, which says nothing.

With --json it is {"metric": "bitrate", "files", "failed", "n_symbols", "n_types",
"duration_s", "scores", "nominal_bitrate_bps", "measured_bitrate_bps" (each a number
or null), "failures": [{"file", "error"}, ...]}, where scores has {"value", "low",
"high"}, each a number or null, under "entropy_bits", "perplexity" and
"bitrate_bps".`,
		Example: `  vqspeech eval bitrate --units units/
  vqspeech eval bitrate --features submission/2019/english/test --list english_bitrate.txt`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) > 0:
				return cobra.NoArgs(cmd, args)
			case (o.features == "") == (o.units == ""):
				return usagef("want either --features or --units")
			case o.features != "" && o.list == "":
				return usagef("--list is missing, features do not know their durations")
			case o.units != "" && o.channelsFirst:
				return usagef("--channels-first is for features")
			}
			return nil
		},
		RunE: a.verb(func(cmd *cobra.Command, _ []string) error { return a.evalBitrate(cmd, o) }),
	}
	f := cmd.Flags()
	f.StringVar(&o.features, "features", "", "folder of features")
	f.StringVar(&o.units, "units", "", "folder of units")
	f.StringVar(&o.list, "list", "", "file names and durations (s)")
	f.BoolVar(&o.channelsFirst, "channels-first", false, ".npy files are [D, frames]")
	f.BoolVar(&o.json, "json", false, "print one JSON object")
	_ = cmd.MarkFlagDirname("features")
	_ = cmd.MarkFlagDirname("units")
	return cmd
}

func (a *app) evalBitrate(cmd *cobra.Command, o bitrateOptions) error {
	source := &frameSource{folder: cmp.Or(o.features, o.units), units: o.units != "", channelsFirst: o.channelsFirst}
	names, seconds, err := listed(source, o.list)
	if err != nil {
		return err
	}
	files, err := source.load(names)
	if err != nil {
		return err
	}
	r := bitrateReport{Metric: "bitrate", Scores: map[string]score{}, Failures: []failReport{}}
	failed := failures{w: a.stderr}
	var types metric.Types
	var corpus metric.Corpus
	bits := 0.0
	for i := range files {
		f := &files[i]
		if f.err == nil && source.units {
			info, err := os.Stat(f.path)
			if f.err = err; err == nil {
				bits += 8 * float64(info.Size())
			}
		}
		if f.err != nil {
			failed.add(f.err)
			r.Failures = append(r.Failures, failReport{File: f.path, Error: f.err.Error()})
			continue
		}
		symbols, duration := f.symbols, seconds[names[i]]
		if symbols == nil {
			symbols = types.Number(f.frames, f.dim)
		}
		if duration == 0 {
			duration = float64(f.header.Samples) / float64(f.header.SampleRate)
		}
		corpus.Add(symbols, duration)
		if source.units {
			r.Nominal = number(f.header.Bitrate())
		}
	}
	if corpus.Len() == 0 {
		r.Failed = failed.count
		return failed.nothing(cmd.OutOrStdout(), o.json, r, len(files))
	}
	rate := corpus.Rate(nil)
	r.Files, r.Failed, r.Symbols, r.Types, r.Seconds = corpus.Len(), failed.count, rate.Symbols, rate.Types, rate.Seconds
	if source.units {
		r.Measured = number(bits / rate.Seconds)
	}
	figures := func(r metric.Rate) []float64 { return []float64{r.Entropy, r.Perplexity, r.Bitrate} }
	values := figures(rate)
	low, high := bootstrap.Intervals(corpus.Len(), func(sample []int) []float64 { return figures(corpus.Rate(sample)) })
	rows := []string{}
	for i, f := range []pairFigure{
		{key: "entropy_bits", label: "entropy", format: "%.3f", unit: "bit"},
		{key: "perplexity", label: "perplexity", format: "%.1f"},
		{key: "bitrate_bps", label: "bit rate by entropy", format: "%.1f", unit: "bit/s"},
	} {
		r.Scores[f.key] = score{Value: number(values[i]), Low: number(low[i]), High: number(high[i])}
		rows = append(rows, f.label, f.row(values[i], low[i], high[i]))
	}
	if source.units {
		rows = append(rows, "nominal", fmt.Sprintf("%.1f bit/s", *r.Nominal), "of the files", fmt.Sprintf("%.1f bit/s", *r.Measured))
	}
	rows = append(rows, "measured on", fmt.Sprintf("%d files, %.1f min, %d symbols of %d types", r.Files, r.Seconds/60, r.Symbols, r.Types))
	if o.json {
		err = writeJSON(cmd.OutOrStdout(), r)
	} else {
		err = table(cmd.OutOrStdout(), rows...)
	}
	if err != nil {
		return err
	}
	if r.Types == 1 {
		printError(a.stderr, named(source.folder, errOneSymbol))
		return errReported
	}
	return failed.result(len(files))
}

// errOneSymbol is a corpus that measures of symbols say nothing about.
var errOneSymbol = errors.New("all symbols are the same")

// listed returns the names to count, sorted, and the durations (s) of a list.
func listed(source *frameSource, list string) (names []string, seconds map[string]float64, err error) {
	if list == "" {
		found, err := source.find()
		return slices.Sorted(maps.Keys(found)), nil, err
	}
	file, err := os.Open(list)
	if err != nil {
		return nil, nil, named(list, err)
	}
	defer file.Close()
	entries, err := metric.ReadList(file)
	seconds = map[string]float64{}
	for _, e := range entries {
		seconds[e.Name] = e.Seconds
		names = append(names, e.Name)
	}
	slices.Sort(names)
	return names, seconds, named(list, err)
}
