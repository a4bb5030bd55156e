package figures

import (
	"fmt"
	"slices"
	"strings"

	"vqspeech/model"
	"vqspeech/model/image"
	"vqspeech/recipes"
	"vqspeech/recipes/images"
)

// Point is one run of a sweep.
type Point struct {
	Name   string // its folder
	System string // its curve
	Recipe recipes.Image
}

// Sweep is what a figure is made of.
type Sweep struct {
	Figure string
	Points []Point

	base            recipes.Image
	dims, sizes     []int // capacity
	corpus          *images.Corpus
	publishedEpochs int
}

// base returns the published recipe for the images of a corpus, with the
// overrides ("section.key=value"), and how many epochs are published.
func base(c *images.Corpus, classes int, overrides []string) (r recipes.Image, epochs int, err error) {
	net := image.NetKind("")
	switch side := c.Info.Height; {
	case side != c.Info.Width:
	case side == 28:
		net = image.Net28
	case side == 32:
		net = image.Net32
	case side == 64 && c.Info.Classes > 0:
		net = image.Net64Label
	case side == 64:
		net = image.Net64
	}
	if net == "" {
		return r, 0, fmt.Errorf("%s: images of %d×%d, want 28×28, 32×32 or 64×64", c.Dir, c.Info.Height, c.Info.Width)
	}
	r = recipes.DefaultImage(net)
	r.Model.Channels = c.Info.Channels
	if classes > 0 {
		r.Model.Channels, r.Data.Gray = classes, c.Info.Channels == 3
		r.Decoder.Kind = image.VMFDecoder
	}
	if c.Info.Corpus == "fashion-mnist" {
		r.Quantizer.CodebookSize = 256
	}
	if net == image.Net64 || net == image.Net64Label {
		r.Train.Epochs = 70
	}
	epochs = r.Train.Epochs
	text, err := r.YAML()
	if err != nil {
		return r, 0, err
	}
	r, err = recipes.ParseImage(c.Info.Corpus, text, overrides...)
	return r, epochs, err
}

// Variances are the fixed variances of SelfAnneal that are compared if no others
// are asked for; those of the paper are not known.
var Variances = []float64{0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30}

// SelfAnneal is the sweep of figure 2: SQ-VAE I with the variance exp(s), which
// has no floor, and with fixed ones.
func SelfAnneal(c *images.Corpus, variances []float64, overrides []string) (*Sweep, error) {
	if c.Info.Classes > 0 {
		return nil, fmt.Errorf("%s: the values are labels, want levels of light", c.Dir)
	}
	s, err := newSweep("selfanneal", c, 0, overrides, "quantizer.kind", "quantizer.variance")
	if err != nil {
		return nil, err
	}
	r := s.base
	r.Quantizer.Kind, r.Quantizer.Variance = model.Gaussian1, image.Exp
	s.add("trainable", "trainable", r)
	for _, v := range variances {
		r.Quantizer.Variance, r.Quantizer.InitialScale = image.Fixed, v
		s.add(fmt.Sprintf("fixed-%g", v), fmt.Sprintf("fixed at %g", v), r)
	}
	return s, s.validate()
}

// Kappa is the sweep of figure 4: latents on the sphere with a von Mises-Fisher
// and with a categorical decoder. Levels of light stand for 256 classes.
func Kappa(c *images.Corpus, overrides []string) (*Sweep, error) {
	classes := c.Info.Classes
	if classes == 0 {
		classes = 256
	}
	if err := refuse(overrides, "quantizer.kind", "decoder.kind"); err != nil {
		return nil, err
	}
	overrides = slices.Concat([]string{"quantizer.kind=vmf", "quantizer.initial_scale=0.05"}, overrides)
	s, err := newSweep("kappa", c, classes, overrides)
	if err != nil {
		return nil, err
	}
	r := s.base
	r.Quantizer.Kind, r.Decoder.Kind = image.VMF, image.VMFDecoder
	s.add("vmf", "vMF decoder", r)
	r.Decoder.Kind = image.CategoricalDecoder
	s.add("nc", "categorical decoder (NC)", r)
	return s, s.validate()
}

// Sizes and Dims are the codebooks of Capacity if no others are asked for; those
// of the paper are not known.
var (
	Sizes = []int{16, 32, 64, 128, 256, 512, 1024}
	Dims  = []int{4, 8, 16, 32, 64, 128}
)

// Capacity is the sweep of figure 5: sizes at the recipe's dimension, dims at its
// size, both for SQ-VAE I and VQ-VAE EMA. The posterior variance begins in
// proportion to the dimension.
func Capacity(c *images.Corpus, sizes, dims []int, overrides []string) (*Sweep, error) {
	if c.Info.Classes > 0 {
		return nil, fmt.Errorf("%s: the values are labels, want levels of light", c.Dir)
	}
	swept := []string{"quantizer.kind"}
	if len(dims) == 0 { // the size would be that of no point
		swept = append(swept, "quantizer.codebook_size")
	}
	if len(sizes) == 0 {
		swept = append(swept, "quantizer.codebook_dim")
	}
	s, err := newSweep("capacity", c, 0, overrides, swept...)
	if err != nil {
		return nil, err
	}
	s.sizes, s.dims = sizes, dims
	add := func(size, dim int) {
		for _, system := range []struct {
			name, label string
			kind        model.QuantizerKind
		}{{"sq", sqI, model.Gaussian1}, {"ema", ema, model.VQEMA}} {
			r := s.base
			q := &r.Quantizer
			q.Kind, q.CodebookSize, q.CodebookDim = system.kind, size, dim
			q.InitialScale *= float64(dim) / float64(s.base.Quantizer.CodebookDim)
			s.add(fmt.Sprintf("%s-k%d-d%d", system.name, size, dim), system.label, r)
		}
	}
	for _, size := range sizes {
		add(size, s.base.Quantizer.CodebookDim)
	}
	for _, dim := range dims {
		add(s.base.Quantizer.CodebookSize, dim)
	}
	return s, s.validate()
}

const (
	sqI = "SQ-VAE I"
	ema = "VQ-VAE EMA"
)

// refuse fails for overrides of keys that the points of a sweep set.
func refuse(overrides []string, keys ...string) error {
	for _, o := range overrides {
		if key, _, _ := strings.Cut(o, "="); slices.Contains(keys, key) {
			return fmt.Errorf("--set %s: the figure sets it itself", key)
		}
	}
	return nil
}

// newSweep returns a sweep without points; those set the keys.
func newSweep(figure string, c *images.Corpus, classes int, overrides []string, keys ...string) (*Sweep, error) {
	if err := refuse(overrides, keys...); err != nil {
		return nil, err
	}
	s := &Sweep{Figure: figure, corpus: c}
	var err error
	s.base, s.publishedEpochs, err = base(c, classes, overrides)
	if err == nil && s.base.Data.Test == "" {
		err = fmt.Errorf("data.test: want a split, a figure shows what was measured on it")
	}
	if err == nil && s.base.Data.Valid == "" {
		err = fmt.Errorf("data.valid: want a split, a figure shows what was measured on it")
	}
	return s, err
}

// add adds a point that is not there yet.
func (s *Sweep) add(name, system string, r recipes.Image) {
	if !slices.ContainsFunc(s.Points, func(p Point) bool { return p.Name == name }) {
		s.Points = append(s.Points, Point{name, system, r})
	}
}

// maxPoints bounds a sweep; a figure of more cannot be read.
const maxPoints = 64

func (s *Sweep) validate() error {
	if len(s.Points) > maxPoints {
		return fmt.Errorf("%d runs, want at most %d", len(s.Points), maxPoints)
	}
	for _, p := range s.Points {
		if err := p.Recipe.Validate(); err != nil {
			return fmt.Errorf("%s: %s", p.Name, strings.ReplaceAll(err.Error(), "\n", "; "))
		}
	}
	return nil
}
