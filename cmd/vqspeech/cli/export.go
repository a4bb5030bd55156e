package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"vqspeech/recipes/corpus"
	"vqspeech/recipes/zerospeech"
)

func (a *app) exportCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export FORM",
		Short: "Write units in the form of a challenge",
		Args:  unknownCommand,
		RunE: func(*cobra.Command, []string) error {
			return usagef("no form given, want zerospeech")
		},
	}
	cmd.AddCommand(a.exportZeroSpeechCmd())
	return cmd
}

// exportOptions are the flags of export zerospeech.
type exportOptions struct {
	src, list, out     string
	parallel, external bool
	json               bool
}

// exportReport is the JSON object of export zerospeech.
type exportReport struct {
	Language string       `json:"language"`
	Output   string       `json:"output"`
	Items    int          `json:"items"`
	Files    int          `json:"files"`
	Units    int64        `json:"units"`
	Dim      int          `json:"codebook_dim"`
	Empty    []failReport `json:"empty"`
	Failed   []failReport `json:"failed"`
}

func (a *app) exportZeroSpeechCmd() *cobra.Command {
	var o exportOptions
	cmd := &cobra.Command{
		Use:   "zerospeech --src 2019/LANGUAGE -o DIR",
		Short: "Code vectors of the ZeroSpeech 2019 test items",
		Long: `Zerospeech encodes the test items of the ZeroSpeech 2019 challenge and writes what its
ABX and bitrate evaluations read:

  DIR/2019/metadata.yaml               unless there is one
  DIR/2019/LANGUAGE/test/NAME.txt      a line for each unit: its code vector

--src is the folder of one language, 2019/english or 2019/surprise. The items are
those of --list, a JSON list [[in_path, start_s, duration_s, out_path], ...] with
paths relative to 2019; without it those of test.json in --src; without that all
of test, whole. A second language goes into the same DIR.

Items that cannot be read, and items too short for a unit (under 30 ms), are named
and counted; the submission lacks them and the exit status is 1. Look through
metadata.yaml before you submit.

With --json the report is one object on standard output:
  {"language", "output", "items", "files", "units", "codebook_dim",
   "empty": [{"file", "error"}, ...], "failed": [{"file", "error"}, ...]}.`,
		Example: `  vqspeech export zerospeech --model runs/en/model.safetensors --src 2019/english -o submission
  vqspeech export zerospeech --model runs/su/model.safetensors --src 2019/surprise --list test.json -o submission`,
		Args: cobra.NoArgs,
		RunE: a.verb(func(cmd *cobra.Command, _ []string) error { return a.exportZeroSpeech(cmd, o) }),
	}
	f := cmd.Flags()
	f.StringVar(&o.src, "src", "", "folder of one language, 2019/english or 2019/surprise")
	f.StringVar(&o.list, "list", "", "JSON list of the items (default: test.json in --src, else all of test)")
	f.StringVarP(&o.out, "output", "o", "", "folder of the submission")
	f.BoolVar(&o.parallel, "parallel-train", false, "metadata: the model was trained on train/parallel")
	f.BoolVar(&o.external, "external-data", false, "metadata: the model was trained on other data (always so for the embedded model)")
	f.BoolVar(&o.json, "json", false, "report as JSON on standard output")
	_ = cmd.MarkFlagRequired("src")
	_ = cmd.MarkFlagRequired("output")
	_ = cmd.MarkFlagDirname("src")
	_ = cmd.MarkFlagDirname("output")
	return cmd
}

func (a *app) exportZeroSpeech(cmd *cobra.Command, o exportOptions) error {
	m, err := a.model()
	if err != nil {
		return err
	}
	test, err := zerospeech.ReadTest(o.src, o.list)
	if err != nil {
		return pathFirst(err)
	}
	cfg := m.Config
	meta := zerospeech.Metadata{
		ABXDistance: "dtw_cosine",
		Description: fmt.Sprintf("vqspeech model %x: convolutional encoder and %s quantiser on log-mel features, trained to reconstruct them",
			m.Fingerprint(), cfg.Quantizer.Kind),
		HyperParameters: fmt.Sprintf("%d codes of %d dimensions, %g units a second, %d channels",
			cfg.Quantizer.CodebookSize, cfg.Quantizer.CodebookDim, cfg.CodeRate(), cfg.Net.Channels),
		ParallelTrain: o.parallel, ExternalData: o.external || a.modelPath == "",
	}
	bar := newMeter(a.stderr, "export", len(test.Entries))
	r, err := zerospeech.Export(cmd.Context(), m, test, o.out, meta, func(done int) { bar.set(done, len(test.Entries)) })
	bar.finish()
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: interrupted, the submission is incomplete", o.out)
	}
	if err != nil {
		return pathFirst(err)
	}
	failed := failures{w: a.stderr}
	out := exportReport{
		Language: test.Language, Output: filepath.Join(o.out, "2019", test.Language, "test"), Items: len(test.Entries),
		Files: r.Files, Units: r.Units, Dim: m.Codebook.Dim,
		Empty: failed.list(r.Empty), Failed: failed.list(r.Failed),
	}
	if o.json {
		err = writeJSON(cmd.OutOrStdout(), out)
	} else {
		_, err = fmt.Fprintf(a.stderr, "%s: %d of %d items, %d units of %d dimensions; %d too short for a unit\n",
			out.Output, out.Files, out.Items, out.Units, out.Dim, len(out.Empty))
	}
	if err != nil {
		return err
	}
	return failed.result(len(test.Entries))
}

// list reports failures of a corpus and returns them for JSON.
func (f *failures) list(fs []corpus.Failure) []failReport {
	out := []failReport{}
	for _, x := range fs {
		err := named(x.Path, x.Err)
		f.add(err)
		out = append(out, failReport{File: x.Path, Error: err.Error()})
	}
	return out
}
