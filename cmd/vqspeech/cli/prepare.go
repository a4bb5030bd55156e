package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"vqspeech/features"
	"vqspeech/recipes/corpus"
	"vqspeech/recipes/librispeech"
	"vqspeech/recipes/vctk"
	"vqspeech/recipes/zerospeech"
)

// corpora are the readers that prepare knows, by name.
var corpora = []struct {
	name string
	list func(src, mic string) (corpus.Source, error)
	mics bool // takes --mic
}{
	{librispeech.Name, func(src, _ string) (corpus.Source, error) { return librispeech.List(src) }, false},
	{vctk.Name, vctk.List, true},
	{zerospeech.Name, func(src, _ string) (corpus.Source, error) { return zerospeech.List(src) }, false},
}

// prepareOptions are the flags of prepare.
type prepareOptions struct {
	config, mic     string
	keepAudio, json bool
}

// prepareReport is the JSON object of prepare.
type prepareReport struct {
	Corpus    string                  `json:"corpus"`
	Source    string                  `json:"source"`
	Output    string                  `json:"output"`
	Splits    map[string]corpus.Split `json:"splits"`
	SplitHash string                  `json:"split_hash"`
	Speakers  int                     `json:"speakers"`
	Computed  int                     `json:"computed"`
	Reused    int                     `json:"reused"`
	Notes     []string                `json:"notes"`
	Failed    []failReport            `json:"failed"`
}

func (a *app) prepareCmd() *cobra.Command {
	var o prepareOptions
	cmd := &cobra.Command{
		Use:   "prepare CORPUS SRC DST",
		Short: "Make a corpus ready for training",
		Long: `Prepare finds the utterances of a corpus in the folder SRC and writes a manifest
and the log-mel spectrogram of each to the folder DST, which train and eval
read; of a corpus of images it writes one array for each split. It uses all
cores. It can be interrupted, even killed, and run again: what is finished is
not done again.

Files that cannot be read are named and left out, and so are speakers and items
that a list of the corpus names and the corpus lacks; the exit status is 1.

Corpora:
  librispeech   LibriSpeech, mini LibriSpeech; SRC/splits/*.txt name the splits,
                without them each subset is one
  vctk          VCTK 0.80 or 0.92 (--mic mic1 or mic2); every 20th utterance of a
                speaker is in the split test, the others are in train
  zerospeech    ZeroSpeech 2019, SRC is 2019/english or 2019/surprise; the splits
                train, test and mse are those of train.json, test.json and
                mse_evaluation.json in SRC, as far as they are there

The split hash stands for which utterance of which speaker is in which split:
figures can be compared where it is the same.

Corpora of images:
  mnist, fashion-mnist   the four *-ubyte.gz files
  cifar10                cifar-10-binary.tar.gz, or the folder that is in it
  celeba                 img_align_celeba/*.jpg and list_eval_partition.txt
  celebamask             CelebAMask-HQ: its mapping and its masks

DST serves recipes with either front end. --config FILE.yaml takes the other
settings of the spectrogram from a recipe; the default is the published one.
--audio keeps the samples too (32 KB a second), which recipes that train a
vocoder need.

With --json the report is one object on standard output:
  {"corpus", "source" (what the splits come from), "output", "splits": {name:
   {"utterances", "speakers", "seconds"}}, "split_hash", "speakers", "computed",
   "reused", "notes": [...], "failed": [{"file", "error"}, ...]}
or, of images, classes being 0 where values are levels of light,
  {"corpus", "output", "height", "width", "channels", "classes",
   "splits": {name: {"images", "failed", "sha256", "labels_sha256"}},
   "split_hash", "computed", "reused", "warnings": [...],
   "failed": [{"file", "error"}, ...]}.`,
		Example: `  vqspeech prepare librispeech ~/LibriSpeech data/libri
  vqspeech prepare vctk ~/VCTK-Corpus-0.92 data/vctk --mic mic2
  vqspeech prepare zerospeech ~/2019/english data/zs-en
  vqspeech prepare mnist ~/mnist data/mnist`,
		Args: cobra.ExactArgs(3),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return corpusNames(), cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: a.verb(func(cmd *cobra.Command, args []string) error {
			return a.prepare(cmd, args[0], args[1], args[2], o)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&o.config, "config", "", "reference, stream or a recipe file (default: the published features)")
	f.BoolVar(&o.keepAudio, "audio", false, "keep the samples too")
	f.StringVar(&o.mic, "mic", "", "microphone of VCTK 0.92: mic1 or mic2 (default mic1)")
	f.BoolVar(&o.json, "json", false, "report as JSON on standard output")
	_ = cmd.RegisterFlagCompletionFunc("mic", cobra.FixedCompletions(vctk.Mics, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func corpusNames() []string {
	var names []string
	for _, c := range corpora {
		names = append(names, c.name)
	}
	for _, c := range imageCorpora {
		names = append(names, c.name)
	}
	return names
}

func (a *app) prepare(cmd *cobra.Command, name, src, dst string, o prepareOptions) error {
	if src == "" || dst == "" {
		return usagef("SRC and DST must not be empty")
	}
	for _, c := range imageCorpora {
		if c.name != name {
			continue
		}
		if o.config != "" || o.keepAudio || o.mic != "" {
			return usagef("--config, --audio and --mic have no use for the images of %s", name)
		}
		return a.prepareImages(cmd, name, src, dst, c.list, o.json)
	}
	if err := anotherFolder(dst, false, true); err != nil {
		return err
	}
	if o.config == "" {
		o.config = string(features.Reference)
	}
	cfg, err := a.featuresConfig(o.config)
	if err != nil {
		return err
	}
	at := slices.Index(corpusNames(), name)
	if at < 0 {
		return usagef("unknown corpus %q, want %s", name, strings.Join(corpusNames(), ", "))
	}
	if o.mic != "" && (!corpora[at].mics || !slices.Contains(vctk.Mics, o.mic)) {
		return usagef("--mic %s: want --mic %s, with the corpus %s", o.mic, strings.Join(vctk.Mics, " or "), vctk.Name)
	}
	source, err := corpora[at].list(src, o.mic)
	if err != nil {
		return pathFirst(err)
	}
	begun := time.Now()
	bar := newMeter(a.stderr, "prepare "+name, len(source.Items))
	r, err := corpus.Prepare(cmd.Context(), source, dst, corpus.Options{
		Features: cfg,
		Audio:    o.keepAudio,
		Progress: func(p corpus.Progress) { bar.set(p.Done+p.Failed, p.Total) },
	})
	bar.finish()
	if errors.Is(err, context.Canceled) {
		return hintError{fmt.Errorf("%s: interrupted", dst), "the same command goes on from there"}
	}
	if err != nil {
		return pathFirst(err)
	}
	failed := failures{w: a.stderr}
	out := prepareReport{
		Corpus: name, Source: r.Info.Source, Output: dst, Splits: r.Info.Splits, SplitHash: r.Info.SplitHash, Speakers: len(r.Info.Speakers),
		Computed: r.Computed, Reused: r.Reused, Notes: append([]string{}, source.Notes...), Failed: failed.list(r.Failed),
	}
	if o.json {
		if err := writeJSON(cmd.OutOrStdout(), out); err != nil {
			return err
		}
	} else {
		var seconds float64
		for _, s := range r.Info.Splits {
			seconds += s.Seconds
		}
		for _, n := range out.Notes {
			fmt.Fprintf(a.stderr, "%s: %s\n", src, n)
		}
		fmt.Fprintf(a.stderr, "%s: %d utterances, %d speakers, %.1f min, split hash %s; %d computed, %d found finished, %s\n",
			dst, r.Computed+r.Reused, len(r.Info.Speakers), seconds/60, r.Info.SplitHash, r.Computed, r.Reused, time.Since(begun).Round(100*time.Millisecond))
	}
	return failed.result(len(source.Items) + len(source.Faults))
}
