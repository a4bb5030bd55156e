package cli

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"vqspeech/internal/bootstrap"
	"vqspeech/model"
	"vqspeech/quant/metric/phones"
)

// phonesReport is the JSON object of eval phones.
type phonesReport struct {
	Metric     string           `json:"metric"`
	FrameStep  float64          `json:"frame_step_s"`
	Items      int              `json:"items"`
	Files      int              `json:"files"`
	Skipped    int              `json:"skipped"`
	Failed     int              `json:"failed"`
	Frames     int64            `json:"frames"`
	Ambiguous  int64            `json:"ambiguous_frames"`
	Unlabelled int64            `json:"unlabelled_frames"`
	Codes      int              `json:"codes"`
	Phones     int              `json:"phones"`
	Scores     map[string]score `json:"scores"`
	Map        []mappedCode     `json:"map"`
	Failures   []failReport     `json:"failures"`
}

// mappedCode is the phone of a code.
type mappedCode struct {
	Code   int32   `json:"code"`
	Phone  string  `json:"phone"`
	Frames int64   `json:"frames"`
	Share  float64 `json:"share"`
}

func (a *app) evalPhonesCmd() *cobra.Command {
	var folder, items string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "phones --units DIR --items FILE",
		Short: "Phones from units: accuracy of a map, purities, PNMI",
		Long: `Phones gives every unit the phone that most frames of this unit have (van den Oord
et al. 2017) and prints

  accuracy        of this map, on other files than it was fitted on (%): file i in
                  the order of the names is in fold i mod 5, and has the map of the
                  other folds; a unit that does not come there has their most
                  frequent phone
  majority        the share of the most frequent phone (%), which a map is to beat
  phone purity    the accuracy of the map on the frames that it was fitted on (%),
                  as in the paper; the more units the higher, up to 100 for units
                  that never come twice
  cluster purity  the share of frames that have the most frequent unit of their
                  phone (%)
  PNMI            the mutual information of units and phones over the entropy of
                  the phones, in [0, 1] (Hsu et al. 2021)

DIR has .vqs files, in it or in folders below, all of one model.` + itemsHelp + `

A frame is a unit. It has the phone of the item that holds its centre, that of what
the encoder sees of it: (k+3/4) steps for unit k, so 15 ms for the first at 50
units/s (eval abx has (k+1/2) steps, as libri-light). One that items of different
phones hold, as those of triphones do where they overlap, is ambiguous: it is left
out and counted, and so is one in no item. Items without a frame are skipped and
counted.

Each figure has its 95 % bootstrap interval over files (1000 resamples, always the
same; maps, most frequent phone and codes, and probabilities stay those of all
files). Few frames make purities and PNMI too high: compare them on equally many.
An item that is not in its file, one that comes twice, and a file that is missing,
broken or of another model is reported, counted and makes the exit status 1; it
never enters a score. So do a corpus of one symbol, of one phone, or of one file,
which has no others.

With --json it is {"metric": "phones", "frame_step_s", "items", "files" (with frames),
"skipped", "failed" (items), "frames", "ambiguous_frames", "unlabelled_frames",
"codes", "phones" (different ones), "scores", "map": [{"code", "phone", "frames",
"share" (of them that have the phone)}, ...], "failures": [{"file", "error"}, ...]},
where scores has {"value", "low", "high"}, each a number in [0, 1] or null, under
"accuracy", "majority", "phone_purity", "cluster_purity" and "pnmi".`,
		Example: `  vqspeech eval phones --units units/ --items dev-clean.item`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) > 0:
				return cobra.NoArgs(cmd, args)
			case folder == "":
				return usagef("--units is missing, want a folder of units")
			case items == "":
				return usagef("--items is missing, want an item file")
			}
			return nil
		},
		RunE: a.verb(func(cmd *cobra.Command, _ []string) error { return a.evalPhones(cmd, folder, items, asJSON) }),
	}
	f := cmd.Flags()
	f.StringVar(&folder, "units", "", "folder of units")
	f.StringVar(&items, "items", "", "item file")
	f.BoolVar(&asJSON, "json", false, "print one JSON object")
	_ = cmd.MarkFlagDirname("units")
	return cmd
}

// phoneFigures are what phoneStatistics returns.
var phoneFigures = []pairFigure{
	{key: "accuracy", label: "accuracy", format: "%.1f", unit: "%", scale: 100},
	{key: "majority", label: "majority", format: "%.1f", unit: "%", scale: 100},
	{key: "phone_purity", label: "phone purity", format: "%.1f", unit: "%", scale: 100},
	{key: "cluster_purity", label: "cluster purity", format: "%.1f", unit: "%", scale: 100},
	{key: "pnmi", label: "PNMI", format: "%.3f"},
}

func phoneStatistics(s phones.Scores) []float64 {
	return []float64{s.Accuracy, s.Majority, s.PhonePurity, s.ClusterPurity, s.PNMI}
}

func (a *app) evalPhones(cmd *cobra.Command, folder, items string, asJSON bool) error {
	r := phonesReport{Metric: "phones", Scores: map[string]score{}, Map: []mappedCode{}, Failures: []failReport{}}
	fail := func(file string, err error, items int) {
		printError(a.stderr, err)
		r.Failures = append(r.Failures, failReport{File: file, Error: err.Error()})
		r.Failed += items
	}
	corpus, err := r.read(folder, items, fail)
	if err != nil {
		return err
	}
	terms := corpus.Terms()
	s := phones.Sum(terms)
	values := phoneStatistics(s)
	low, high := bootstrap.Intervals(len(terms), func(sample []int) []float64 { return phoneStatistics(phones.SumOf(terms, sample)) })
	rows := []string{}
	for i, f := range phoneFigures {
		r.Scores[f.key] = score{Value: number(values[i]), Low: number(low[i]), High: number(high[i])}
		rows = append(rows, f.label, f.row(values[i], low[i], high[i]))
	}
	for _, m := range corpus.Map() {
		r.Map = append(r.Map, mappedCode(m))
	}
	r.Files, r.Frames, r.Codes, r.Phones = corpus.Len(), s.Frames, len(r.Map), corpus.Phones()
	rows = append(rows,
		"left out", fmt.Sprintf("%d frames of different phones, %d in no item, %d items without a frame", r.Ambiguous, r.Unlabelled, r.Skipped),
		"measured on", fmt.Sprintf("%d frames of %d phones and %d codes, %d items, %d files", r.Frames, r.Phones, r.Codes, r.Items, r.Files))
	switch {
	case r.Frames == 0:
		if r.Failed == 0 {
			fail(items, named(items, errors.New("no frame is in items of one phone")), 0)
		}
	case r.Codes == 1:
		fail(folder, named(folder, errOneSymbol), 0)
	case r.Phones == 1:
		fail(items, named(items, fmt.Errorf("all frames have the phone %.60q, want at least two phones", r.Map[0].Phone)), 0)
	case r.Files == 1:
		fail(folder, named(folder, errors.New("only one file has frames, want others to fit the map on")), 0)
	}
	if r.Ambiguous > r.Frames {
		printWarning(a.stderr, "%s: more frames are in items of different phones than in those of one, want items of phones, not of triphones", items)
	}
	if asJSON {
		err = writeJSON(cmd.OutOrStdout(), r)
	} else if r.Frames > 0 {
		err = table(cmd.OutOrStdout(), rows...)
	}
	if err != nil || len(r.Failures) == 0 {
		return err
	}
	if r.Failed > 0 {
		printError(a.stderr, fmt.Errorf("%d of %d items failed", r.Failed, r.Failed+r.Items+r.Skipped))
	}
	return errReported
}

// read counts the units and phones of the files that have some of both.
func (r *phonesReport) read(folder, path string, fail func(file string, err error, items int)) (*phones.Corpus, error) {
	items, files, err := readItems(path, &frameSource{folder: folder, units: true}, fail)
	if err != nil {
		return nil, err
	}
	spans := map[string][]phones.Span{}
	for _, item := range items {
		f := files[item.File]
		if f.err != nil {
			continue
		}
		r.FrameStep = f.step
		first, end, err := item.Centred(f.len(), f.step, model.UnitCentre)
		switch {
		case err != nil:
			fail(f.path, fmt.Errorf("%s: line %d: %w", path, item.Line, err), 1)
		case first == end:
			r.Skipped++
		default:
			r.Items++
			spans[item.File] = append(spans[item.File], phones.Span{First: first, End: end, Phone: item.Phone})
		}
	}
	var corpus phones.Corpus
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f := files[name]
		if f.err != nil {
			continue
		}
		labels, ambiguous := phones.Label(spans[name], f.len())
		labelled := 0
		for _, l := range labels {
			if l != "" {
				labelled++
			}
		}
		r.Ambiguous += int64(ambiguous)
		r.Unlabelled += int64(f.len() - labelled - ambiguous)
		if labelled > 0 {
			corpus.Add(f.symbols, labels)
		}
	}
	return &corpus, nil
}
