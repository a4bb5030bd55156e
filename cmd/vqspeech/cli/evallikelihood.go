package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"vqspeech/internal/bootstrap"
	"vqspeech/model/image"
	"vqspeech/recipes"
)

// likelihoodReport is the JSON object of eval likelihood.
type likelihoodReport struct {
	Metric       string           `json:"metric"`
	Model        string           `json:"model"`
	Prior        string           `json:"prior,omitempty"`
	Corpus       string           `json:"corpus"`
	Split        string           `json:"split"`
	Images       int              `json:"images"`
	Dimensions   int              `json:"dimensions"`
	Latents      string           `json:"latents"`
	Variance     float64          `json:"decoder_variance,omitempty"`
	VarianceFrom string           `json:"decoder_variance_from,omitempty"`
	Scores       map[string]score `json:"scores"`
}

func (a *app) evalLikelihoodCmd() *cobra.Command {
	var data, split, priorRun string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "likelihood RUN --data DIR",
		Short: "Bits per dimension of images under an image model",
		Long: `Likelihood prints how many bits per dimension the images of a split take under an
image model: an upper bound on -log2 p(x) over the number of values of an image, its
mean over the images, and its two parts, what the pixels take given the latents and
what the latents take. RUN is the folder of a finished training run, or a model file.

Pixels: a gaussian decoder gives a level from 0 to 255 the probability of the bin of
width 1/255 around it; the first and the last level have the tails too, so that all
256 together have probability 1. Its variance is the learned one, or for a model
without (decoder.learn_variance: false) the most likely one for the split that the
model's recipe trains on: the mean squared error there. It is never fitted to the
images that are measured. A categorical and a vmf decoder have probabilities of
classes, of which a dimension is one label. A vmf decoder was trained on a density on
the sphere, not on these probabilities: it may be so sure of them that every wrong
pixel costs hundreds of bits.

Latents: log2 of the codebook size for each code, or with --prior what the prior that
train has made for this model says of the codes. A prior that is conditioned on
classes is told the class of every image, and the class is paid for, log2 of their
number. The codes are the most probable ones. That is a bound for any choice of codes
that leaves nothing to chance: a sum over all codes has more terms than the one. For
vae it is the exact divergence from the standard normal distribution, and the pixels
are those of one draw of the posterior for each image, always the same.

Every figure comes with its 95 % bootstrap interval over the images (1000 resamples,
always the same).

With --json it is {"metric": "likelihood", "model", "prior" (if given), "corpus",
"split", "images", "dimensions", "latents" ("uniform prior", "prior" or "normal"),
"decoder_variance" (gaussian decoder), "decoder_variance_from" (a split; absent where
it is learned), "scores"}, where scores has {"value", "low", "high"}, each a number
or null, under "bits_per_dim", "pixels_bits_per_dim" and "latents_bits_per_dim".`,
		Example: `  vqspeech eval likelihood runs/cifar10 --data data/cifar10
  vqspeech eval likelihood runs/cifar10 --data data/cifar10 --prior runs/cifar10-prior --json`,
		Args: cobra.ExactArgs(1),
		RunE: a.verb(func(cmd *cobra.Command, args []string) error {
			if err := a.noModel("the model is the argument, RUN"); err != nil {
				return err
			}
			return a.evalLikelihood(cmd, args[0], data, split, priorRun, asJSON)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&data, "data", "", "folder that prepare made")
	f.StringVar(&split, "split", "test", "images of this split")
	f.StringVar(&priorRun, "prior", "", "run folder or file of the prior of the codes")
	f.BoolVar(&asJSON, "json", false, "print one JSON object")
	_ = cmd.MarkFlagRequired("data")
	_ = cmd.MarkFlagDirname("data")
	return cmd
}

func (a *app) evalLikelihood(cmd *cobra.Command, run, data, split, priorRun string, asJSON bool) error {
	l := recipes.Likelihood{Split: split}
	var err error
	if l.File, err = modelOf(run); err != nil {
		return pathFirst(err)
	}
	if l.Model, err = image.Load(l.File); err != nil {
		return pathFirst(err)
	}
	r := likelihoodReport{Metric: "likelihood", Model: l.File, Split: split, Latents: "uniform prior", Scores: map[string]score{}}
	if !l.Model.Config.Codes() {
		r.Latents = "normal"
	}
	if priorRun != "" {
		if r.Prior, err = priorOf(priorRun); err != nil {
			return pathFirst(err)
		}
		if l.Prior, err = loadPrior(r.Prior, l.Model, "RUN"); err != nil {
			return err
		}
		r.Latents = "prior"
	}
	c, err := openImageCorpus(data)
	if err != nil {
		return err
	}
	r.Corpus = c.Info.Corpus
	bar := newMeter(a.stderr, "measure", 1)
	result, err := l.Run(cmd.Context(), c, bar.set)
	bar.finish()
	if err != nil {
		return pathFirst(err)
	}
	r.Images, r.Dimensions, r.Variance, r.VarianceFrom = len(result.Images), result.Dimensions, result.Variance, result.VarianceFrom
	rows := r.score(result.Images)
	if asJSON {
		return writeJSON(cmd.OutOrStdout(), r)
	}
	if r.Variance > 0 {
		from := "learned"
		if r.VarianceFrom != "" {
			from = "most likely for split " + r.VarianceFrom
		}
		rows = append(rows, "decoder variance", fmt.Sprintf("%.4g, %s", r.Variance, from))
	}
	return table(cmd.OutOrStdout(), append(rows,
		"measured on", fmt.Sprintf("%d images of %s of %s, %d dimensions each", r.Images, split, r.Corpus, r.Dimensions))...)
}

// score fills in the figures and returns the rows of their table.
func (r *likelihoodReport) score(images []image.ImageBits) (rows []string) {
	figures := []pairFigure{
		{key: "bits_per_dim", label: "bits per dimension", format: "%.4f"},
		{key: "pixels_bits_per_dim", label: "of them pixels", format: "%.4f"},
		{key: "latents_bits_per_dim", label: "of them latents (" + r.Latents + ")", format: "%.4f"},
	}
	statistic := func(sample []int) []float64 {
		var sum image.ImageBits
		for _, i := range sample {
			sum.Pixels += images[i].Pixels
			sum.Latents += images[i].Latents
		}
		n := float64(len(sample)) * float64(r.Dimensions)
		return []float64{sum.Total() / n, sum.Pixels / n, sum.Latents / n}
	}
	all := make([]int, len(images))
	for i := range all {
		all[i] = i
	}
	value := statistic(all)
	low, high := bootstrap.Intervals(len(images), statistic)
	for i, f := range figures {
		r.Scores[f.key] = score{Value: number(value[i]), Low: number(low[i]), High: number(high[i])}
		rows = append(rows, f.label, f.row(value[i], low[i], high[i]))
	}
	return rows
}
