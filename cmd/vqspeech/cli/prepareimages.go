package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"vqspeech/recipes/celeba"
	"vqspeech/recipes/celebamask"
	"vqspeech/recipes/cifar10"
	"vqspeech/recipes/images"
	"vqspeech/recipes/mnist"
)

// imageCorpora are the readers of images that prepare knows, by name.
var imageCorpora = []struct {
	name string
	list func(src string) (images.Source, error)
}{
	{mnist.Name, mnist.List},
	{mnist.FashionName, mnist.ListFashion},
	{cifar10.Name, cifar10.List},
	{celeba.Name, celeba.List},
	{celebamask.Name, celebamask.List},
}

// prepareImagesReport is the JSON object of prepare for images.
type prepareImagesReport struct {
	Corpus   string                      `json:"corpus"`
	Output   string                      `json:"output"`
	Height   int                         `json:"height"`
	Width    int                         `json:"width"`
	Channels int                         `json:"channels"`
	Classes  int                         `json:"classes"`
	Splits   map[string]images.SplitInfo `json:"splits"`
	Hash     string                      `json:"split_hash"`
	Computed int                         `json:"computed"`
	Reused   int                         `json:"reused"`
	Warnings []string                    `json:"warnings"`
	Failed   []failReport                `json:"failed"`
}

// maxNamed bounds the images that are named one a line; the count is always told.
const maxNamed = 20

// prepareImages prepares an image corpus.
func (a *app) prepareImages(cmd *cobra.Command, name, src, dst string, list func(string) (images.Source, error), asJSON bool) error {
	if err := anotherFolder(dst, true, false); err != nil {
		return err
	}
	source, err := list(src)
	if err != nil {
		return pathFirst(err)
	}
	total := 0
	for _, s := range source.Splits {
		total += s.N
	}
	begun := time.Now()
	bar := newMeter(a.stderr, "prepare "+name, total)
	for _, w := range source.Warnings {
		bar.note("warning: %s", w)
	}
	r, err := images.Prepare(cmd.Context(), source, dst, images.Options{
		Progress: func(p images.Progress) { bar.set(p.Done+p.Failed, p.Total) },
	})
	bar.finish()
	if errors.Is(err, context.Canceled) {
		return hintError{fmt.Errorf("%s: interrupted", dst), "the same command goes on from there"}
	}
	if err != nil {
		return pathFirst(err)
	}
	out := prepareImagesReport{
		Corpus: name, Output: dst, Height: r.Info.Height, Width: r.Info.Width, Channels: r.Info.Channels, Classes: r.Info.Classes,
		Splits: r.Info.Splits, Hash: r.Info.SplitHash(), Computed: r.Computed, Reused: r.Reused, Warnings: append([]string{}, source.Warnings...), Failed: []failReport{},
	}
	failed := failures{w: a.stderr}
	for i, f := range r.Failed {
		err := named(f.Path, f.Err)
		out.Failed = append(out.Failed, failReport{File: f.Path, Error: err.Error()})
		if i < maxNamed {
			failed.add(err)
		}
	}
	if left := len(r.Failed) - failed.count; left > 0 {
		printError(a.stderr, fmt.Errorf("and %d more", left))
		failed.count = len(r.Failed)
	}
	if asJSON {
		if err := writeJSON(cmd.OutOrStdout(), out); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(a.stderr, "%s: %d images of %d×%d×%d; split hash %s; %d computed, %d found finished, %s\n", dst, r.Computed+r.Reused,
			r.Info.Height, r.Info.Width, r.Info.Channels, r.Info.SplitHash(), r.Computed, r.Reused, time.Since(begun).Round(100*time.Millisecond))
	}
	return failed.result(total)
}
