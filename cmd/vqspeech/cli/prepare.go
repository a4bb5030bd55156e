package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"vqspeech/features"
	"vqspeech/recipes/corpus"
	"vqspeech/recipes/librispeech"
)

// corpora are the readers that prepare knows, by name.
var corpora = []struct {
	name string
	list func(src string) (corpus.Source, error)
}{
	{librispeech.Name, librispeech.List},
}

// prepareReport is the JSON object of prepare.
type prepareReport struct {
	Corpus   string                  `json:"corpus"`
	Output   string                  `json:"output"`
	Splits   map[string]corpus.Split `json:"splits"`
	Speakers int                     `json:"speakers"`
	Computed int                     `json:"computed"`
	Reused   int                     `json:"reused"`
	Failed   []failReport            `json:"failed"`
}

func (a *app) prepareCmd() *cobra.Command {
	var config string
	var keepAudio, asJSON bool
	cmd := &cobra.Command{
		Use:   "prepare CORPUS SRC DST",
		Short: "Compute the features of a corpus for training",
		Long: `Prepare finds the utterances of a corpus in the folder SRC and writes a manifest
and the log-mel spectrogram of each to the folder DST, which train and eval
read. It uses all cores. It can be interrupted, even killed, and run again: what
is finished is not done again.

Files that cannot be read are named and left out, and the exit status is 1.

Corpora:
  librispeech   LibriSpeech, mini LibriSpeech; SRC/splits/*.txt name the splits,
                without them each subset is one

DST serves recipes with either front end. --config FILE.yaml takes the other
settings of the spectrogram from a recipe; the default is the published one.
--audio keeps the samples too (32 KB a second), which recipes that train a
vocoder need.

With --json the report is one object on standard output:
  {"corpus", "output", "splits": {name: {"utterances", "speakers", "seconds"}},
   "speakers", "computed", "reused", "failed": [{"file", "error"}, ...]}.`,
		Example: `  vqspeech prepare librispeech ~/LibriSpeech data/libri`,
		Args:    cobra.ExactArgs(3),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return corpusNames(), cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: a.verb(func(cmd *cobra.Command, args []string) error {
			return a.prepare(cmd, args[0], args[1], args[2], config, keepAudio, asJSON)
		}),
	}
	cmd.Flags().StringVar(&config, "config", "", "reference, stream or a recipe file (default: the published features)")
	cmd.Flags().BoolVar(&keepAudio, "audio", false, "keep the samples too")
	cmd.Flags().BoolVar(&asJSON, "json", false, "report as JSON on standard output")
	return cmd
}

func corpusNames() []string {
	var names []string
	for _, c := range corpora {
		names = append(names, c.name)
	}
	return names
}

func (a *app) prepare(cmd *cobra.Command, name, src, dst, config string, keepAudio, asJSON bool) error {
	if config == "" {
		config = string(features.Reference)
	}
	cfg, err := a.featuresConfig(config)
	if err != nil {
		return err
	}
	var list func(string) (corpus.Source, error)
	for _, c := range corpora {
		if c.name == name {
			list = c.list
		}
	}
	if list == nil {
		return usagef("unknown corpus %q, want %s", name, strings.Join(corpusNames(), ", "))
	}
	source, err := list(src)
	if err != nil {
		return pathFirst(err)
	}
	begun := time.Now()
	bar := newMeter(a.stderr, "prepare "+name, len(source.Items))
	r, err := corpus.Prepare(cmd.Context(), source, dst, corpus.Options{
		Features: cfg,
		Audio:    keepAudio,
		Progress: func(p corpus.Progress) { bar.set(p.Done+p.Failed, p.Total) },
	})
	bar.finish()
	if errors.Is(err, context.Canceled) {
		return hintError{fmt.Errorf("%s: interrupted", dst), "the same command goes on from there"}
	}
	if err != nil {
		return pathFirst(err)
	}
	out := prepareReport{
		Corpus: name, Output: dst, Splits: r.Info.Splits, Speakers: len(r.Info.Speakers),
		Computed: r.Computed, Reused: r.Reused, Failed: []failReport{},
	}
	failed := failures{w: a.stderr}
	for _, f := range r.Failed {
		err := named(f.Path, f.Err)
		failed.add(err)
		out.Failed = append(out.Failed, failReport{File: f.Path, Error: err.Error()})
	}
	if asJSON {
		if err := writeJSON(cmd.OutOrStdout(), out); err != nil {
			return err
		}
	} else {
		var seconds float64
		for _, s := range r.Info.Splits {
			seconds += s.Seconds
		}
		fmt.Fprintf(a.stderr, "%s: %d utterances, %d speakers, %.1f min; %d computed, %d found finished, %s\n",
			dst, r.Computed+r.Reused, len(r.Info.Speakers), seconds/60, r.Computed, r.Reused, time.Since(begun).Round(100*time.Millisecond))
	}
	return failed.result(len(source.Items))
}
