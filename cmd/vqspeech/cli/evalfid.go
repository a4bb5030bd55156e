package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"vqspeech/model/image/metric"
	imagetrain "vqspeech/model/image/train"
	"vqspeech/recipes/results"
)

// inceptionDim is the dimension of the features of FID.
const inceptionDim = 2048

// fidReport is the JSON object of eval fid.
type fidReport struct {
	Metric string  `json:"metric"`
	FID    float64 `json:"fid"`
	RowsA  int     `json:"rows_a"`
	RowsB  int     `json:"rows_b"`
	Dims   int     `json:"dims"`
	Biased bool    `json:"biased"`
}

func (a *app) evalFIDCmd() *cobra.Command {
	var files [2]string
	var run, of string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "fid --features-a A.npy --features-b B.npy",
		Short: "Fréchet inception distance of two sets of image features",
		Long: `Fid prints the Fréchet distance of the normal distributions with the means and the
unbiased covariances of two sets of features, .npy files [N, D] of one row per
image (N at least 2, D at most 4096). The rows are read once; memory does not grow
with their number.

It is FID (Heusel et al. 2017) if, and only if, the features are those of the
Inception-v3 of pytorch-fid before its last layer ("pool3", D = 2048). Its weights
are not part of this program. Where Python is, after pip install pytorch-fid,

  import glob, numpy
  from pytorch_fid.fid_score import get_activations
  from pytorch_fid.inception import InceptionV3
  if __name__ == "__main__":
      net = InceptionV3([InceptionV3.BLOCK_INDEX_BY_DIM[2048]])
      files = sorted(glob.glob("images/*.png"))
      numpy.save("a.npy", get_activations(files, net, dims=2048))

makes them of a folder of images, which PIL.Image.fromarray(x.squeeze()).save(name)
makes of the images x of an array. (Without Python there is eval frechet, which is
not FID.) rFID has test images on one side and their reconstructions (vqspeech
reconstruct) on the other. FID falls with the number of images, so compare only
figures of as many; with no more rows than dimensions the covariance is singular
and a warning says so. Nothing is added to singular covariances (pytorch-fid adds
1e-6 to their diagonals where its matrix root fails; the one taken here cannot).

With --run and --of the figure is also recorded in RUN/fid.json, where table image
finds it. RUN is the folder of the run whose model made the images of B, --of says
which: ` + strings.Join(results.FIDKinds, ", ") + ` (see
reconstruct and sample). That B was made so is not checked. It must be an FID (D =
2048), and holds until the run's model changes.

With --json it is {"metric": "fid", "fid", "rows_a", "rows_b", "dims", "biased"},
where biased says that a set has no more rows than dimensions.`,
		Example: `  vqspeech eval fid --features-a test.npy --features-b reconstructed.npy
  vqspeech eval fid --features-a test.npy --features-b n5.npy --run runs/celeba --of neighbor-5`,
		Args: cobra.NoArgs,
		RunE: a.verb(func(cmd *cobra.Command, _ []string) error {
			if of != "" && !slices.Contains(results.FIDKinds, of) {
				return usagef("--of: must be one of %s (got %q)", strings.Join(results.FIDKinds, ", "), of)
			}
			return a.evalFID(cmd, files, run, of, asJSON)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&files[0], "features-a", "", "features of one set of images (.npy [N, D])")
	f.StringVar(&files[1], "features-b", "", "features of the other")
	f.StringVar(&run, "run", "", "record the figure in this run folder")
	f.StringVar(&of, "of", "", "as the FID of these images of its model")
	f.BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.MarkFlagsRequiredTogether("run", "of")
	_ = cmd.MarkFlagDirname("run")
	for _, name := range []string{"features-a", "features-b"} {
		_ = cmd.MarkFlagRequired(name)
		_ = cmd.MarkFlagFilename(name, "npy")
	}
	return cmd
}

func (a *app) evalFID(cmd *cobra.Command, files [2]string, run, of string, asJSON bool) error {
	if files[0] == "-" && files[1] == "-" {
		return usagef("standard input can be read only once")
	}
	if run != "" {
		if _, err := imagetrain.ReadRunConfig(run); err != nil {
			return pathFirst(err)
		}
	}
	var m [2]*metric.Moments
	dims := 0
	for i, file := range files {
		f, err := openNumbers(file)
		if err != nil {
			return err
		}
		m[i], err = readMoments(cmd.Context(), f, dims)
		f.close()
		if err != nil {
			return named(file, err)
		}
		dims = m[i].Dim()
	}
	if run != "" && dims != inceptionDim {
		return fmt.Errorf("%s and %s: features of %d dimensions, want %d: the distance is no FID and is not recorded", display(files[0]), display(files[1]), dims, inceptionDim)
	}
	distance, err := metric.Frechet(m[0], m[1])
	if err != nil {
		return fmt.Errorf("%s and %s: %w", display(files[0]), display(files[1]), err)
	}
	r := fidReport{Metric: "fid", FID: distance, RowsA: m[0].Rows(), RowsB: m[1].Rows(), Dims: dims}
	r.Biased = min(r.RowsA, r.RowsB) <= dims
	if r.Biased {
		printWarning(a.stderr, "%d and %d rows of %d dimensions: a covariance is singular and the distance biased, want more rows than dimensions",
			r.RowsA, r.RowsB, dims)
	}
	if dims != inceptionDim {
		printWarning(a.stderr, "features of %d dimensions: the distance is no FID, which is of %d", dims, inceptionDim)
	}
	if run != "" {
		if err := results.RecordFID(run, of, results.FID{FID: r.FID, RowsA: r.RowsA, RowsB: r.RowsB}); err != nil {
			return pathFirst(err)
		}
	}
	if asJSON {
		return writeJSON(cmd.OutOrStdout(), r)
	}
	return table(cmd.OutOrStdout(),
		"fid", fmt.Sprintf("%.4f", r.FID),
		"measured on", fmt.Sprintf("%d and %d rows of %d dimensions", r.RowsA, r.RowsB, r.Dims))
}

// readMoments reads features [N, D]. D must be dims if that is not 0.
func readMoments(ctx context.Context, f *numbersFile, dims int) (*metric.Moments, error) {
	want := "D"
	if dims > 0 {
		want = fmt.Sprint(dims)
	}
	if len(f.Shape) != 2 || f.Shape[0] < 2 || f.Shape[1] < 1 || dims > 0 && f.Shape[1] != dims {
		return nil, fmt.Errorf("an array of shape %s, want [N, %s], N at least 2", shapeText(f.Shape), want)
	}
	m, err := metric.NewMoments(f.Shape[1])
	if err != nil {
		return nil, err
	}
	row := make([]float64, f.Shape[1])
	for range f.Shape[0] {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := f.Read(row); err != nil {
			return nil, err
		}
		if err := m.Add(row); err != nil {
			return nil, err
		}
	}
	return m, nil
}
