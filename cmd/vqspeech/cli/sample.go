package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"vqspeech/internal/safetensors"
	"vqspeech/model/image"
	"vqspeech/model/image/prior"
	"vqspeech/model/image/prior/train"
	"vqspeech/model/unitprior"
	"vqspeech/quant"
	"vqspeech/recipes/results"
)

type sampleOptions struct {
	out         string
	n, class    int
	seed        uint64
	temperature float64
	seconds     float64
	json        bool
}

// maxSamples bounds what sample holds in memory: more than FID asks for.
const maxSamples = 1 << 16

// decoded is the number of images that are decoded at a time: their latents take
// more memory than they do.
const decoded = 1024

// sampleReport is the JSON object of sample.
type sampleReport struct {
	Prior       string  `json:"prior"`
	Model       string  `json:"model"`
	Output      string  `json:"output"`
	Images      int     `json:"images"`
	Class       *int    `json:"class,omitempty"`
	Seed        uint64  `json:"seed"`
	Temperature float64 `json:"temperature"`
	Seconds     float64 `json:"seconds"`
	Rate        float64 `json:"images_per_s"`
}

func (a *app) sampleCmd() *cobra.Command {
	var o sampleOptions
	cmd := &cobra.Command{
		Use:   "sample RUN|PRIOR.safetensors [--model MODEL.safetensors] -o OUT.png|OUT.npy|OUT.vqs|DIR",
		Short: "Draw new images, or new units of speech, from a prior",
		Long: `Sample draws grids of codes from a prior that train has made, and decodes them with
the model of images (--model) that the prior was trained for. From a prior over units
it draws units of the speech model in use.

OUT.png is a picture of all images side by side, of at most 4096; OUT.npy is an array
[N, H, W, C] uint8, which eval reads. - is standard output, as .npy.

Image i depends on --seed, i and its class alone: more images begin with the same
ones. A prior that is conditioned on classes draws those of --class, without it
image i is of class i modulo their number. A --temperature below 1 draws what is
more likely, above 1 what is less so.

The speed that is reported counts drawing the codes and decoding them.

Units are drawn until the prior ends the utterance, for --seconds of speech at most,
and written to OUT.vqs, which decode speaks in any voice; with -n several are
written to a folder, as 000.vqs, 001.vqs and so on. They sound like speech, but have
no words.

With --json it is one object on standard output:
  {"prior", "model", "output", "images", "class" (if given), "seed", "temperature",
   "seconds", "images_per_s"},
or of units {"prior", "output", "utterances", "units", "speech_seconds", "seed",
   "temperature", "seconds", "x_realtime"}.`,
		Example: `  vqspeech sample runs/mnist-prior --model runs/mnist/model.safetensors -o grid.png
  vqspeech sample runs/digits-prior --model runs/mnist/model.safetensors -n 16 --class 7 -o sevens.png
  vqspeech sample runs/unit-prior -o babble.vqs && vqspeech decode babble.vqs --speaker 118`,
		Args: cobra.ExactArgs(1),
		RunE: a.verb(func(cmd *cobra.Command, args []string) error { return a.sample(cmd, args[0], o) }),
	}
	f := cmd.Flags()
	f.StringVarP(&o.out, "output", "o", "", "result, .png, .npy or .vqs, or a folder for .vqs (made if it ends in a slash); - is standard output, as .npy or .vqs")
	f.IntVarP(&o.n, "number", "n", 0, "how many (default: 64 images, one utterance)")
	f.IntVar(&o.class, "class", 0, "class of all images, for a prior that is conditioned on it")
	f.Uint64Var(&o.seed, "seed", 0, "of the draws")
	f.Float64Var(&o.temperature, "temperature", 1, "logits are divided by it")
	f.Float64Var(&o.seconds, "seconds", 20, "longest utterance of units")
	f.BoolVar(&o.json, "json", false, "report as JSON on standard output")
	_ = cmd.MarkFlagRequired("output")
	_ = cmd.MarkFlagFilename("output", "png", "npy", "vqs")
	return cmd
}

// sample goes by what the prior is of.
func (a *app) sample(cmd *cobra.Command, run string, o sampleOptions) error {
	path, err := priorOf(run)
	if err != nil {
		return pathFirst(err)
	}
	ofUnits, err := safetensors.Load(path, func(f *safetensors.File) (bool, error) {
		_, ok := f.Metadata[unitprior.ConfigKey]
		return ok, nil
	})
	if err != nil {
		return pathFirst(err)
	}
	if ofUnits {
		return a.sampleUnits(cmd, path, o)
	}
	return a.sampleImages(cmd, path, o)
}

func (a *app) sampleImages(cmd *cobra.Command, path string, o sampleOptions) error {
	if err := checkImageOutput(o.out, o.json); err != nil {
		return err
	}
	if !cmd.Flags().Changed("number") {
		o.n = 64
	}
	switch {
	case cmd.Flags().Changed("seconds"):
		return usagef("--seconds: images have no duration")
	case o.n < 1 || o.n > maxSamples:
		return usagef("-n: must be between 1 and %d (got %d)", maxSamples, o.n)
	case isPicture(o.out) && o.n > image.MaxGrid:
		return usagef("-n: a picture shows at most %d images (got %d), want OUT.npy", image.MaxGrid, o.n)
	case !(o.temperature >= quant.MinTemperature && o.temperature <= quant.MaxTemperature):
		return usagef("--temperature: must be between %g and %g (got %g)", quant.MinTemperature, quant.MaxTemperature, o.temperature)
	}
	m, err := a.imageModel()
	if err != nil {
		return err
	}
	p, err := loadPrior(path, m, "--model")
	if err != nil {
		return err
	}
	r := sampleReport{Prior: path, Model: a.modelPath, Output: o.out, Images: o.n, Seed: o.seed, Temperature: o.temperature}
	draw := prior.SampleOptions{N: o.n, Seed: o.seed, Temperature: o.temperature}
	if cmd.Flags().Changed("class") {
		r.Class = &o.class
	}
	if draw.Classes, err = classesOf(p.Config, o.n, r.Class); err != nil {
		return err
	}
	begun := time.Now()
	codes, err := p.Sample(cmd.Context(), draw)
	if err != nil {
		return err
	}
	set := m.Decode(nil)
	size := p.Config.Positions()
	for from := 0; from < o.n; from += decoded {
		if err := cmd.Context().Err(); err != nil {
			return err
		}
		part := m.Decode(codes[from*size : min(from+decoded, o.n)*size])
		set.Images, set.N = append(set.Images, part.Images...), set.N+part.N
	}
	r.Seconds = time.Since(begun).Seconds()
	r.Rate = float64(o.n) / r.Seconds
	if err := a.writeImages(cmd, o.out, m.Config, set, set); err != nil {
		return err
	}
	if o.json {
		return writeJSON(cmd.OutOrStdout(), r)
	}
	fmt.Fprintf(a.stderr, "%s: %d images in %.2f s, %.1f images/s\n", outputName(o.out), o.n, r.Seconds, r.Rate)
	return nil
}

// priorOf is the prior of the folder of a finished run, or the file itself.
func priorOf(run string) (string, error) {
	if isFolder(run) {
		return results.Finished(run, train.PriorFile)
	}
	return run, nil
}

// loadPrior loads a prior, which must be for the codes of m; argument is what
// names m on the command line.
func loadPrior(path string, m *image.Model, argument string) (*prior.Model, error) {
	p, err := prior.Load(path)
	if err != nil {
		return nil, pathFirst(err)
	}
	return p, named(path, fits(p.Config, m, argument))
}

// fits reports why a prior is not for the codes of m.
func fits(c prior.Config, m *image.Model, argument string) error {
	if fp := fmt.Sprintf("%x", m.Fingerprint()); c.ImageModel != fp {
		return hintError{
			fmt.Errorf("trained for the model of images %s, want %s", c.ImageModel, fp),
			argument + " is the file that train was given for the prior",
		}
	}
	if g := m.Config.Grid(); c.CodebookSize != m.Codebook.Size || c.Height != g || c.Width != g {
		return fmt.Errorf("%d codes on a grid of %d×%d, the model has %d on %d×%d", c.CodebookSize, c.Height, c.Width, m.Codebook.Size, g, g)
	}
	return nil
}

// classesOf returns the classes of n images: all the given one, or in turn.
func classesOf(c prior.Config, n int, class *int) ([]uint8, error) {
	switch k := c.Net.Classes; {
	case k == 0 && class != nil:
		return nil, usagef("--class: the prior is not conditioned on classes")
	case k == 0:
		return nil, nil
	case class != nil && (*class < 0 || *class >= k):
		return nil, usagef("--class: must be between 0 and %d (got %d)", k-1, *class)
	}
	classes := make([]uint8, n)
	for i := range classes {
		if class != nil {
			classes[i] = uint8(*class)
		} else {
			classes[i] = uint8(i % c.Net.Classes)
		}
	}
	return classes, nil
}
