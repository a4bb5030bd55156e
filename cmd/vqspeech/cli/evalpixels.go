package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"vqspeech/internal/bootstrap"
	"vqspeech/model/image/metric"
)

// Bounds of what eval pixels holds in memory.
const (
	maxImageValues = 1 << 22 // H*W*C of an image
	maxAreas       = 1 << 24 // images times classes
)

// pixelsReport is the JSON object of eval pixels.
type pixelsReport struct {
	Metric   string           `json:"metric"`
	Images   int              `json:"images"`
	Height   int              `json:"height"`
	Width    int              `json:"width"`
	Channels int              `json:"channels"`
	Classes  int              `json:"classes"`
	Scores   map[string]score `json:"scores"`
}

func (a *app) evalPixelsCmd() *cobra.Command {
	var classes int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "pixels REF.npy OUT.npy",
		Short: "Squared error of images, pixel error and mIoU of label maps",
		Long: `Pixels compares images, or maps of class labels, with their references: .npy files
[N, H, W] or [N, H, W, C], images in the same order. Integers are values from 0 to
255, floats from 0 to 1; REF and OUT may differ in that. It prints the mean squared
error on the scale 0 to 1, times 1000, over all values.

With --classes N the values are labels, integers below N (19 of CelebAMask-HQ, 256
grey levels). Then it also prints the share of pixels with the wrong label, and the
mean over the N classes of intersection over union, each class over all images. A
label in OUT that is no class is an error in its pixel and belongs to no area; a
class that occurs nowhere counts as 0. The squared error is then that of labels
over 255, which says something of grey levels only.

Every figure comes with its 95 % bootstrap interval over the images (1000
resamples, always the same).

With --json it is {"metric": "pixels", "images", "height", "width", "channels",
"classes" (0 without --classes), "scores"}, where scores has {"value", "low",
"high"}, each a number or null, under "mse_x1000" and with --classes also under
"pixel_error" and "miou" (%).`,
		Example: `  vqspeech eval pixels test.npy reconstructed.npy
  vqspeech eval pixels masks.npy predicted.npy --classes 19 --json`,
		Args: cobra.ExactArgs(2),
		RunE: a.verb(func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("classes") && (classes < 2 || classes > 256) {
				return usagef("--classes: must be between 2 and 256 (got %d)", classes)
			}
			return a.evalPixels(cmd, args[0], args[1], classes, asJSON)
		}),
	}
	f := cmd.Flags()
	f.IntVar(&classes, "classes", 0, "the values are labels of so many classes")
	f.BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func (a *app) evalPixels(cmd *cobra.Command, ref, out string, classes int, asJSON bool) error {
	if ref == "-" && out == "-" {
		return usagef("standard input can be read only once")
	}
	reference, err := openImages(ref, classes)
	if err != nil {
		return err
	}
	defer reference.close()
	estimate, err := openImages(out, classes)
	if err != nil {
		return err
	}
	defer estimate.close()
	if !slices.Equal(reference.size, estimate.size) {
		return named(out, fmt.Errorf("an array of shape %s, want %s as %s", shapeText(estimate.Shape), shapeText(reference.Shape), display(ref)))
	}
	images, err := comparePixels(cmd.Context(), reference, estimate, classes)
	if err != nil {
		return err
	}
	size := reference.size
	r := pixelsReport{
		Metric: "pixels", Images: size[0], Height: size[1], Width: size[2], Channels: size[3], Classes: classes,
		Scores: map[string]score{},
	}
	rows := r.score(images, classes)
	if asJSON {
		return writeJSON(cmd.OutOrStdout(), r)
	}
	return table(cmd.OutOrStdout(), append(rows,
		"measured on", fmt.Sprintf("%d images of %d×%d with %d channels", r.Images, r.Height, r.Width, r.Channels))...)
}

// An imageFile is an open .npy file of images.
type imageFile struct {
	*numbersFile
	size   []int // N, H, W, C
	values []float64
}

func openImages(path string, classes int) (*imageFile, error) {
	n, err := openNumbers(path)
	if err != nil {
		return nil, err
	}
	f := &imageFile{numbersFile: n, size: slices.Clone(n.Shape)}
	if len(f.size) == 3 {
		f.size = append(f.size, 1)
	}
	want := "[N, H, W] or [N, H, W, C]"
	switch {
	case len(f.size) != 4 || slices.Min(f.size) < 1:
		err = fmt.Errorf("an array of shape %s, want %s, none of them 0", shapeText(n.Shape), want)
	case classes > 0 && f.size[3] != 1:
		err = fmt.Errorf("an array of shape %s, want [N, H, W] of labels", shapeText(n.Shape))
	case classes > 0 && n.Float():
		err = fmt.Errorf("elements of type %s, want integers as labels", n.Type)
	case f.size[1] > maxImageValues || f.size[2] > maxImageValues/f.size[1] || f.size[3] > maxImageValues/(f.size[1]*f.size[2]):
		err = fmt.Errorf("an array of shape %s, want images of at most %d values", shapeText(n.Shape), maxImageValues)
	case f.size[0] > maxAreas/max(classes, 1):
		err = fmt.Errorf("an array of shape %s, want at most %d images", shapeText(n.Shape), maxAreas/max(classes, 1))
	}
	if err != nil {
		n.close()
		return nil, named(path, err)
	}
	f.values = make([]float64, f.size[1]*f.size[2]*f.size[3])
	return f, nil
}

// next reads image i.
func (f *imageFile) next(i int) error {
	if err := f.Read(f.values); err != nil {
		return named(f.path, err)
	}
	white := 255.0
	if f.Float() {
		white = 1
	}
	for k, v := range f.values {
		if !(v >= 0 && v <= white) {
			return named(f.path, fmt.Errorf("image %d has the value %v at %d, want 0 to %v for elements of type %s", i, v, k, white, f.Type))
		}
	}
	return nil
}

// labels returns the image as labels [H, W], in dst.
func (f *imageFile) labels(dst []uint8) []uint8 {
	for i, v := range f.values {
		dst[i] = uint8(v)
	}
	return dst
}

// scaled returns the image on the scale 0 to 1; it changes the values.
func (f *imageFile) scaled() []float64 {
	if !f.Float() {
		for i := range f.values {
			f.values[i] /= 255
		}
	}
	return f.values
}

// An imageScore is what one image adds.
type imageScore struct {
	squares metric.Mean
	areas   *metric.Segmentation // nil without classes
}

func comparePixels(ctx context.Context, reference, estimate *imageFile, classes int) ([]imageScore, error) {
	var images []imageScore
	label, predicted := make([]uint8, len(reference.values)), make([]uint8, len(reference.values))
	for i := range reference.size[0] {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for _, f := range []*imageFile{reference, estimate} {
			if err := f.next(i); err != nil {
				return nil, err
			}
		}
		var s imageScore
		if classes > 0 {
			s.areas = metric.NewSegmentation(classes)
			if err := s.areas.Add(reference.labels(label), estimate.labels(predicted)); err != nil {
				return nil, named(reference.path, fmt.Errorf("image %d: %w", i, err))
			}
		}
		s.squares = metric.SquaredError(reference.scaled(), estimate.scaled())
		images = append(images, s)
	}
	return images, nil
}

var (
	pixelFigures = []pairFigure{{key: "mse_x1000", label: "mse × 10³", format: "%.4f"}}
	areaFigures  = []pairFigure{
		{key: "pixel_error", label: "pixel error", format: "%.3f", unit: "%"},
		{key: "miou", label: "miou", format: "%.2f", unit: "%"},
	}
)

// score fills in the figures and returns the rows of their table.
func (r *pixelsReport) score(images []imageScore, classes int) (rows []string) {
	figures := pixelFigures
	if classes > 0 {
		figures = slices.Concat(areaFigures, pixelFigures)
	}
	statistic := func(sample []int) []float64 {
		var squares metric.Mean
		areas := metric.NewSegmentation(classes)
		for _, i := range sample {
			squares.Add(images[i].squares)
			if classes > 0 {
				areas.Merge(images[i].areas)
			}
		}
		mse := 1000 * squares.Value()
		if classes == 0 {
			return []float64{mse}
		}
		return []float64{areas.PixelError(), areas.MeanIoU(), mse}
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
