package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"vqspeech/model/image/classifier"
	"vqspeech/model/image/metric"
	"vqspeech/recipes/images"
)

// frechetReport is the JSON object of eval frechet.
type frechetReport struct {
	Metric    string            `json:"metric"`
	Features  string            `json:"features"`
	Training  *classifierPart   `json:"training"`
	Reference string            `json:"reference"`
	Images    int               `json:"images"`
	Distances []frechetDistance `json:"distances"`
	Failures  []failReport      `json:"failures"`
}

// classifierPart says what a classifier of images learned from, and how well.
type classifierPart struct {
	Corpus    string  `json:"corpus"`
	SplitHash string  `json:"split_hash"`
	Images    int     `json:"images"`
	Classes   int     `json:"classes"`
	Accuracy  float64 `json:"accuracy"`
}

// frechetDistance is that of one set of images from the reference.
type frechetDistance struct {
	File     string  `json:"file"`
	Images   int     `json:"images"`
	Distance float64 `json:"distance"`
	Biased   bool    `json:"biased"`
}

// Splits that a classifier learns from and is measured on.
const (
	classifierTrain = "train"
	classifierTest  = "test"
)

func (a *app) evalFrechetCmd() *cobra.Command {
	var data string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "frechet --data DIR REF.npy OUT.npy...",
		Short: "Fréchet distance of images by a classifier trained here (not FID)",
		Long: `Frechet trains a small classifier on the images and the class labels of a prepared
corpus (its split train) and prints the Fréchet distance of the normal distributions
of its features between REF and each OUT: .npy files of images [N, H, W] or [N, H, W,
C] of the corpus's size, integers from 0 to 255 or floats from 0 to 1.

It is not FID, and no such figure compares with one: the features are ` + fmt.Sprint(classifier.Dim) + ` of a
network (` + classifier.Convention + `) that has seen nothing but this corpus. It tells which of several
sets is nearer to the reference where Inception is not at hand; FID itself is eval
fid. Figures compare only where the split hash is the same, for as many images. The
network starts from the same numbers every time, so one machine gives one figure;
a processor of another kind may give a slightly different one.

Corpora with labels are mnist, fashion-mnist and cifar10. Training takes about 16 s
of processor time, and nothing is kept of it: give all files at once. The share of the split test
that the classifier tells right is printed beside: where it is low, the distance
says little.

An OUT that cannot be read is reported, counted and makes the exit status 1. With
no more images than features a covariance is singular and a warning says so.

With --json it is {"metric": "frechet", "features", "training": {"corpus",
"split_hash", "images", "classes", "accuracy"}, "reference", "images", "distances":
[{"file", "images", "distance", "biased"}, ...], "failures": [{"file", "error"},
...]}, where biased says that a set has no more images than there are features;
training is null where no OUT could be read.`,
		Example: `  vqspeech reconstruct runs/mnist --data data/mnist -o out.npy
  vqspeech eval frechet --data data/mnist data/mnist/test.npy out.npy`,
		Args: func(_ *cobra.Command, args []string) error {
			if data == "" {
				return usagef("--data is missing, want a folder that prepare made")
			}
			if len(args) < 2 {
				return usagef("want reference images and at least one file to compare with them")
			}
			if i := slices.Index(args, "-"); i >= 0 && slices.Contains(args[i+1:], "-") {
				return usagef("standard input can be read only once")
			}
			return nil
		},
		RunE: a.verb(func(cmd *cobra.Command, args []string) error {
			return a.evalFrechet(cmd, data, args[0], args[1:], asJSON)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&data, "data", "", "folder that prepare made of a corpus with labels")
	f.BoolVar(&asJSON, "json", false, "print one JSON object")
	_ = cmd.MarkFlagDirname("data")
	return cmd
}

func (a *app) evalFrechet(cmd *cobra.Command, data, ref string, outs []string, asJSON bool) error {
	c, err := images.Open(data)
	if err != nil {
		return hintError{pathFirst(err), "vqspeech prepare makes such a folder"}
	}
	reference, err := openImagesOf(c, ref)
	if err != nil {
		return err
	}
	defer reference.close()
	r := frechetReport{Metric: "frechet", Features: classifier.Convention, Reference: ref, Images: reference.size[0], Distances: []frechetDistance{}, Failures: []failReport{}}
	failed := failures{w: a.stderr}
	fail := func(file string, err error) {
		failed.add(err)
		r.Failures = append(r.Failures, failReport{File: file, Error: err.Error()})
	}
	var files []*imageFile
	for _, out := range outs { // before minutes of training
		f, err := openImagesOf(c, out)
		if err != nil {
			fail(out, err)
			continue
		}
		defer f.close()
		files = append(files, f)
	}
	if len(files) == 0 {
		return failed.nothing(cmd.OutOrStdout(), asJSON, r, len(outs))
	}
	r.Training = &classifierPart{}
	classify, err := a.trainClassifier(cmd, c, r.Training)
	if err != nil {
		return err
	}
	defer classify.Close()
	want, err := imageMoments(cmd.Context(), classify, reference)
	if err != nil {
		return err
	}
	for _, f := range files {
		d := frechetDistance{File: f.path, Images: f.size[0]}
		got, err := imageMoments(cmd.Context(), classify, f)
		if err == nil {
			d.Distance, err = metric.Frechet(want, got)
			err = named(f.path, err)
		}
		if errors.Is(err, context.Canceled) {
			return err
		}
		if err != nil {
			fail(f.path, err)
			continue
		}
		if d.Biased = min(r.Images, d.Images) <= classifier.Dim; d.Biased {
			printWarning(a.stderr, "%s: %d and %d images for %d features: a covariance is singular and the distance biased, want more images",
				display(f.path), r.Images, d.Images, classifier.Dim)
		}
		r.Distances = append(r.Distances, d)
	}
	if asJSON {
		err = writeJSON(cmd.OutOrStdout(), r)
	} else if len(r.Distances) > 0 {
		err = table(cmd.OutOrStdout(), r.rows()...)
	}
	if err != nil {
		return err
	}
	return failed.result(len(outs))
}

func (r *frechetReport) rows() (rows []string) {
	for _, d := range r.Distances {
		rows = append(rows, "Fréchet distance (classifier features, not FID)", fmt.Sprintf("%.4f, %s of %d images", d.Distance, display(d.File), d.Images))
	}
	t := r.Training
	return append(rows,
		"from", fmt.Sprintf("%s of %d images", display(r.Reference), r.Images),
		"features", fmt.Sprintf("%d of %s", classifier.Dim, r.Features),
		"trained on", fmt.Sprintf("%d images of %s, %d classes; %.1f %% of split %s told right", t.Images, t.Corpus, t.Classes, 100*t.Accuracy, classifierTest),
		"split hash", t.SplitHash)
}

// openImagesOf opens a file of images of the size that a corpus has.
func openImagesOf(c *images.Corpus, path string) (*imageFile, error) {
	f, err := openImages(path, 0)
	if err != nil {
		return nil, err
	}
	i := c.Info
	switch want := []int{i.Height, i.Width, i.Channels}; {
	case !slices.Equal(f.size[1:], want):
		err = fmt.Errorf("an array of shape %s, want [N, %d, %d, %d] as the corpus in %s", shapeText(f.Shape), i.Height, i.Width, i.Channels, c.Dir)
	case f.size[0] < 2:
		err = fmt.Errorf("an array of shape %s, want at least 2 images", shapeText(f.Shape))
	}
	if err != nil {
		f.close()
		return nil, named(path, err)
	}
	return f, nil
}

// trainClassifier trains a classifier on the labels of a corpus and says in part
// what it is worth.
func (a *app) trainClassifier(cmd *cobra.Command, c *images.Corpus, part *classifierPart) (*classifier.Classifier, error) {
	labels, err := c.Labels(classifierTrain)
	if err != nil {
		return nil, unlabelled(err)
	}
	testLabels, err := c.Labels(classifierTest)
	if err != nil {
		return nil, unlabelled(err)
	}
	set, err := c.Read(classifierTrain)
	if err != nil {
		return nil, pathFirst(err)
	}
	test, err := c.Read(classifierTest)
	if err != nil {
		return nil, pathFirst(err)
	}
	if test.N == 0 {
		return nil, fmt.Errorf("%s: the split %s has no images", c.Dir, classifierTest)
	}
	bar := newMeter(a.stderr, "train classifier", 1)
	classify, err := classifier.Train(cmd.Context(), set, labels, func(step, steps int) { bar.set(step, steps) })
	bar.finish()
	if err != nil {
		return nil, named(c.Dir, err)
	}
	*part = classifierPart{Corpus: c.Info.Corpus, SplitHash: c.Info.SplitHash(), Images: set.N, Classes: classify.Classes()}
	if part.Accuracy, err = classify.Accuracy(test, testLabels); err != nil {
		classify.Close()
		return nil, named(c.Dir, err)
	}
	return classify, nil
}

// unlabelled adds how to get labels to what is wrong with them.
func unlabelled(err error) error {
	return hintError{pathFirst(err), "vqspeech prepare writes the labels of mnist, fashion-mnist and cifar10; other corpora have none, and eval fid needs none"}
}

// imageMoments reads all images of a file.
func imageMoments(ctx context.Context, c *classifier.Classifier, f *imageFile) (*metric.Moments, error) {
	m, err := metric.NewMoments(classifier.Dim)
	if err != nil {
		return nil, err
	}
	const atOnce = 64
	var pixels []float32
	for i := range f.size[0] {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := f.next(i); err != nil {
			return nil, err
		}
		for _, v := range f.scaled() {
			pixels = append(pixels, float32(v))
		}
		if (i+1)%atOnce != 0 && i+1 < f.size[0] {
			continue
		}
		features, err := c.Features(pixels)
		if err == nil {
			err = m.Add(features)
		}
		if err != nil {
			return nil, named(f.path, err)
		}
		pixels = pixels[:0]
	}
	return m, nil
}
