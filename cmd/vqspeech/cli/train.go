package cli

import (
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"vqspeech/internal/training"
	"vqspeech/recipes"
)

type trainOptions struct {
	data, run    string
	set          []string
	resume, json bool
}

func (a *app) trainCmd() *cobra.Command {
	var o trainOptions
	cmd := &cobra.Command{
		Use:   "train RECIPE.yaml --data DIR --run DIR",
		Short: "Train a model of speech or images, a vocoder or a prior",
		Long: `Train trains the model of a recipe on a corpus that prepare made. The folder of
--run gets config.json (what the run was given), metrics.jsonl, the same as
TensorBoard events, checkpoints, and at the end model.safetensors, which every other
verb takes as --model. One training at a time works in a folder.

A recipe has the sections data, features, model, quantizer and train; --set
section.key=value overrides any key, and can be given several times. The same
recipe and seed make the same model, whatever the number of threads.

A recipe with a section vocoder instead of features, model and quantizer trains
the vocoder of the model in use (--model), on a corpus prepared with --audio; it
ends with vocoder.safetensors, which decode and convert take as --vocoder.

A recipe with the key model.kind and a section decoder instead of features trains
a model of images, for train.epochs passes over the split data.train; the one with
the lowest loss on data.valid is the result, and is measured once on data.test.
reconstructions.png in the folder of --run shows images of data.valid above what the
best model so far makes of them.

A recipe with the sections data, prior and train trains the prior of a model of
images (--model) on the codes that this model gives to the same images; it ends
with prior.safetensors, which sample draws new images from. With prior.classes=N
it is conditioned on the class labels of the corpus.

A recipe with the sections data, unit_prior and train trains the prior over the units
of the speech model in use (--model); it ends with prior.safetensors, which sample
draws new units from and eval codebook takes as --prior.

An interrupted run (Ctrl-C) saves its state, a killed one has its last checkpoint;
--resume goes on from there and ends in the same bytes as a run without a pause.

With --json the report is one object on standard output:
  {"run", "model", "steps", "seconds", "valid": {"mse_db2", "perplexity",
   "used_codes", "posterior_variance", "posterior_entropy" (nats per latent; both
   of the gaussian kinds)}, "utterances": {"train", "holdout", "valid"}}
or {"run", "vocoder", "steps", "seconds", "valid_bits_per_sample", "utterances":
   {"train", "valid"}}
or {"run", "model", "steps", "seconds", "valid": {"loss", "mse_x1000",
   "pixel_error", "miou", "perplexity", "batch_perplexity", "used_codes",
   "posterior_entropy" (nats per latent), "posterior_variance", "decoder_variance",
   "posterior_kappa", "decoder_kappa"}, "test": {the same}, "images": {"train",
   "valid", "test"}}, with what suits the images and the model,
or {"run", "prior", "steps", "seconds", "valid": {"nats_per_code",
   "bits_per_code"}, "test": {the same}, "images": {"train", "valid", "test"}},
or {"run", "prior", "steps", "seconds", "valid": {"nats_per_unit", "bits_per_unit"}
   (of the finished prior, the ends of utterances included), "utterances": {"train",
   "holdout", "valid"}}.
Where it is not said otherwise, valid is of the last evaluation: a finished run that is
resumed has none.`,
		Example: `  vqspeech prepare librispeech ~/LibriSpeech data/libri
  vqspeech train recipes/librispeech/default.yaml --data data/libri --run runs/default
  vqspeech train my.yaml --data data/libri --run runs/short --set train.max_steps=2000
  vqspeech train recipes/mnist/gaussian-1.yaml --data data/mnist --run runs/mnist
  vqspeech train recipes/mnist/pixelcnn.yaml --data data/mnist --run runs/mnist-prior \
    --model runs/mnist/model.safetensors`,
		Args: cobra.ExactArgs(1),
		RunE: a.verb(func(cmd *cobra.Command, args []string) error { return a.train(cmd, args[0], o) }),
	}
	f := cmd.Flags()
	f.StringVar(&o.data, "data", "", "folder that prepare made")
	f.StringVar(&o.run, "run", "", "folder for checkpoints, metrics and the model")
	f.StringArrayVar(&o.set, "set", nil, "override a key of the recipe, as section.key=value")
	f.BoolVar(&o.resume, "resume", false, "go on with the run in --run, if there is one")
	f.BoolVar(&o.json, "json", false, "report as JSON on standard output")
	_ = cmd.MarkFlagRequired("data")
	_ = cmd.MarkFlagRequired("run")
	_ = cmd.MarkFlagDirname("data")
	_ = cmd.MarkFlagDirname("run")
	return cmd
}

// trainingGC is the garbage collector's percentage while training. A corpus and
// the tensors of a graph stay, and a step allocates next to nothing: with the
// usual 100 the heap would only grow to twice of what is in use.
const trainingGC = 20

// train goes by the sections of the recipe.
func (a *app) train(cmd *cobra.Command, path string, o trainOptions) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(trainingGC)
	}
	if err := anotherFolder(o.run, true, true); err != nil {
		return err
	}
	if !o.resume { // before what is to be trained on is read and encoded
		if err := training.CheckNew(o.run); err != nil {
			return pathFirst(err)
		}
	}
	text, err := recipes.ReadFile(path)
	if err != nil {
		return err
	}
	r := recipeFile{path, text}
	kind := recipes.KindOf(text)
	switch kind {
	case recipes.KindVocoder:
		return a.trainVocoder(cmd, r, o)
	case recipes.KindPrior:
		return a.trainPrior(cmd, r, o)
	case recipes.KindUnitPrior:
		return a.trainUnitPrior(cmd, r, o)
	}
	if err := a.noModel("the recipe trains a new model, from nothing; a vocoder or a prior is trained for one"); err != nil {
		return err
	}
	if kind == recipes.KindImage {
		return a.trainImage(cmd, r, o)
	}
	return a.trainSpeech(cmd, r, o)
}

// recipeFile is a recipe that has been read; a pipe can be read only once.
type recipeFile struct {
	path string
	text []byte
}
