package cli

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/spf13/cobra"

	"vqspeech/model/image"
	"vqspeech/model/train"
	"vqspeech/recipes"
	"vqspeech/recipes/results"
)

type reconstructOptions struct {
	data, split, out string
	neighbor         int // -1: not asked for
	interp, json     bool
	seed             uint64
}

// reconstructReport is the JSON object of reconstruct.
type reconstructReport struct {
	Kind       string `json:"reconstruct"`
	Definition string `json:"definition"`
	Model      string `json:"model"`
	Corpus     string `json:"corpus"`
	Split      string `json:"split"`
	Images     int    `json:"images"`
	Output     string `json:"output"`
}

// gridImages is the number of images of a split that a picture shows.
const gridImages = 4 * image.GridColumns

func (a *app) reconstructCmd() *cobra.Command {
	var o reconstructOptions
	cmd := &cobra.Command{
		Use:   "reconstruct RUN --data DIR -o OUT",
		Short: "Images through an image model, and between its codes",
		Long: `Reconstruct encodes a split of a prepared corpus of images, quantises to the most
probable codes and decodes; of a vae, which has no codes, it decodes a draw of the
posterior that depends on the image alone. RUN is the folder of a finished training
run, or a model file.

OUT.npy gets all images of the split, in their order, as uint8 [N, H, W, C] or as
class labels; with the split's own file (DIR/SPLIT.npy) it is what eval pixels and
eval frechet compare, and a program that computes features of both files makes the
input of eval fid. OUT.png gets a picture of the first 64: a row of images, below it what
the model makes of them.

The manipulations of latents of the paper (Takida et al. 2022, table 2), which it
does not define further; the definition here is printed on standard error:
  --neighbor N  every code is replaced by one of the N nearest codes, drawn
                uniformly and independently (Euclidean distance of the code
                vectors, cosine for vmf; without the code itself)
  --interp      every image has a random other one as a partner; the latents of
                both before quantisation are averaged, quantised and decoded. In
                a picture the partners are in the third row.

With --json it is one object on standard output:
  {"reconstruct": "reconstruction", "neighbor-N" or "interp", "definition",
   "model", "corpus", "split", "images", "output"}.`,
		Example: `  vqspeech reconstruct runs/mnist --data data/mnist -o test.npy
  vqspeech eval pixels data/mnist/test.npy test.npy
  vqspeech reconstruct runs/mnist --data data/mnist --neighbor 5 -o neighbor-5.png`,
		Args: cobra.ExactArgs(1),
		RunE: a.verb(func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("neighbor") && o.neighbor < 1 {
				return usagef("--neighbor: must be at least 1 (got %d)", o.neighbor)
			}
			if err := a.noModel("the model is the argument, RUN"); err != nil {
				return err
			}
			return a.reconstruct(cmd, args[0], o)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&o.data, "data", "", "folder that prepare made")
	f.StringVar(&o.split, "split", "test", "images of this split")
	f.StringVarP(&o.out, "output", "o", "", "result, .npy or .png; - is standard output, as .npy")
	f.IntVar(&o.neighbor, "neighbor", 0, "replace every code by one of so many nearest ones")
	f.BoolVar(&o.interp, "interp", false, "what lies half way between two images")
	f.Uint64Var(&o.seed, "seed", 0, "of the draws of --neighbor and --interp")
	f.BoolVar(&o.json, "json", false, "report as JSON on standard output")
	cmd.MarkFlagsMutuallyExclusive("neighbor", "interp")
	for _, name := range []string{"data", "output"} {
		_ = cmd.MarkFlagRequired(name)
	}
	_ = cmd.MarkFlagDirname("data")
	_ = cmd.MarkFlagFilename("output", "npy", "png")
	return cmd
}

func (a *app) reconstruct(cmd *cobra.Command, run string, o reconstructOptions) error {
	if err := checkImageOutput(o.out, o.json); err != nil {
		return err
	}
	path, err := modelOf(run)
	if err != nil {
		return pathFirst(err)
	}
	m, err := image.Load(path)
	if err != nil {
		return pathFirst(err)
	}
	c, err := openImageCorpus(o.data)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(c.Arrays(), func(array string) bool { return sameFile(array, o.out) }) {
		return usagef("%s is a split of the corpus and would be overwritten, choose another with -o", o.out)
	}
	source, err := recipes.ImagesFor(m.Config, c, o.split)
	if err != nil {
		return pathFirst(err)
	}
	if source.N == 0 {
		return fmt.Errorf("%s: the split %s has no images", o.data, o.split)
	}
	shown := source
	if isPicture(o.out) {
		shown = source.Slice(0, min(gridImages, source.N))
	}
	r := reconstructReport{
		Kind: "reconstruction", Definition: "the most probable codes of every image, decoded",
		Model: path, Corpus: c.Info.Corpus, Split: o.split, Images: shown.N, Output: o.out,
	}
	if !m.Config.Codes() {
		r.Definition = "a draw of every image's posterior, decoded"
	}
	rng := rand.New(rand.NewPCG(o.seed, 0))
	var result image.Set
	var partners []image.Set // of interp: the third row of a picture
	switch {
	case o.neighbor > 0:
		r.Kind = fmt.Sprintf("neighbor-%d", o.neighbor)
		r.Definition = fmt.Sprintf("every code replaced by one of its %d nearest codes, drawn uniformly and independently, seed %d, decoded", o.neighbor, o.seed)
		result, err = m.Neighbors(shown, o.neighbor, rng)
	case o.interp:
		r.Kind = "interp"
		r.Definition = fmt.Sprintf("latents of every image and a random other one, seed %d, averaged before quantisation, quantised to the most probable codes, decoded", o.seed)
		if source.N < 2 {
			return fmt.Errorf("%s: the split %s has one image, want two to lie between", o.data, o.split)
		}
		others := source.Partners(rng).Slice(0, shown.N)
		partners = append(partners, others)
		result, err = m.Interpolate(shown, others)
	default:
		result, err = m.Reconstruct(shown)
	}
	if err != nil {
		return named(path, err)
	}
	rows := append([]image.Set{shown, result}, partners...)
	if err := a.writeImages(cmd, o.out, m.Config, result, rows...); err != nil {
		return err
	}
	if o.json {
		return writeJSON(cmd.OutOrStdout(), r)
	}
	fmt.Fprintf(a.stderr, "%s: %d images of %s: %s\n", r.Kind, r.Images, r.Split, r.Definition)
	return nil
}

// modelOf is the model of the folder of a finished run, or the file itself.
func modelOf(run string) (string, error) {
	if isFolder(run) {
		return results.Finished(run, train.ModelFile)
	}
	return run, nil
}
