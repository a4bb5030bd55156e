package image

import (
	"fmt"
	"math"
	"slices"

	"vqspeech/internal/fields"
	"vqspeech/internal/simd"
	"vqspeech/model"
)

// Config describes an image model completely. It travels inside every model
// file.
type Config struct {
	Net       NetConfig       `yaml:"model" json:"model"`
	Quantizer QuantizerConfig `yaml:"quantizer" json:"quantizer"`
	Decoder   DecoderConfig   `yaml:"decoder" json:"decoder"`
}

// NetKind names a pair of encoder and decoder (sony/sqvae vision).
type NetKind string

const (
	Net28      NetKind = "28"       // 28×28 → 7×7: MNIST, Fashion-MNIST
	Net32      NetKind = "32"       // 32×32 → 8×8: CIFAR-10
	Net64      NetKind = "64"       // 64×64 → 16×16: CelebA
	Net64Label NetKind = "64-label" // 64×64 → 8×8: label maps of CelebAMask-HQ
	Net128     NetKind = "128"      // 128×128 → 32×32: van den Oord et al. 2017's ImageNet, with the layers of 64
)

// NetKinds lists every kind.
var NetKinds = []NetKind{Net28, Net32, Net64, Net64Label, Net128}

// NetConfig fixes the networks' sizes. Their inner width is the code dimension.
type NetConfig struct {
	Kind      NetKind `yaml:"kind" json:"kind"`
	Channels  int     `yaml:"channels" json:"channels"`     // C of a pixel; the number of classes where images are labels
	ResBlocks int     `yaml:"res_blocks" json:"res_blocks"` // num_rb: of the encoder, its mean head included
}

// Kinds of bottleneck beside those of model: all of them are
// "gaussian-1" … "gaussian-4", "vmf", "vq", "vq-ema" and "vae".
const (
	Gaussian2 model.QuantizerKind = "gaussian-2" // SQ-VAE II: one variance per image
	VMF       model.QuantizerKind = "vmf"        // SQ-VAE on the unit sphere
	VAE       model.QuantizerKind = "vae"        // no codes: diagonal Gaussian latents
)

// QuantizerKinds lists every kind in the order in which they are documented.
var QuantizerKinds = []model.QuantizerKind{
	model.Gaussian1, Gaussian2, model.Gaussian3, model.Gaussian4, VMF, model.VQ, model.VQEMA, VAE,
}

// Variance says how gaussian-1 makes its variance of the scalar s.
type Variance string

const (
	Exp        Variance = "exp"          // v = exp(s), as the paper
	OnePlusExp Variance = "one_plus_exp" // v = 1 + exp(s), as sony/sqvae vision
	Fixed      Variance = "fixed"        // v = initial_scale: s is not trained
)

// QuantizerConfig fixes the bottleneck. CodebookDim is the code dimension D,
// but that of vmf is one more: codes lie on the sphere of CodebookDim
// dimensions (Dim).
type QuantizerConfig struct {
	model.QuantizerConfig `yaml:",inline"`

	Variance Variance `yaml:"variance" json:"variance"` // gaussian-1

	// InitialScale is exp(s) at the start of training: the learned part of the
	// variance (gaussian kinds) or of the concentration kappa = exp(s) + 1 (vmf).
	InitialScale float64 `yaml:"initial_scale" json:"initial_scale"`
}

// DecoderKind names what the decoder's output is to a pixel.
type DecoderKind string

const (
	GaussianDecoder    DecoderKind = "gaussian"    // means in (0, 1)
	CategoricalDecoder DecoderKind = "categorical" // logits of classes: the naive categorical model
	VMFDecoder         DecoderKind = "vmf"         // directions of von Mises-Fisher distributions
)

// DecoderConfig fixes the decoder's distribution.
type DecoderConfig struct {
	Kind DecoderKind `yaml:"kind" json:"kind"`

	// LearnVariance, gaussian only: the variance is trained, from 0.1 on.
	// Otherwise it is at its most likely value for the batch (AR-ELBO).
	LearnVariance bool `yaml:"learn_variance" json:"learn_variance"`

	// InitialSpread, vmf only: 1/kappa at the start of training.
	InitialSpread float64 `yaml:"initial_spread" json:"initial_spread"`

	// OrderedClasses, vmf only: the classes lie in order on a quarter of a circle
	// (simd.Arc). Otherwise each has an axis of its own, as far from one as from
	// another (sony/sqvae vision).
	OrderedClasses bool `yaml:"ordered_classes" json:"ordered_classes,omitempty"`
}

// DefaultConfig returns the published model of a net: gaussian-1 with the sizes
// of MNIST, CIFAR-10 or CelebA, or the vMF model of CelebAMask-HQ. Net128 has the
// sizes of CelebA.
func DefaultConfig(net NetKind) Config {
	c := Config{
		Net:       NetConfig{Kind: net, Channels: 3, ResBlocks: 2},
		Quantizer: QuantizerConfig{QuantizerConfig: model.DefaultConfig().Quantizer, Variance: OnePlusExp, InitialScale: 20},
		Decoder:   DecoderConfig{Kind: GaussianDecoder, InitialSpread: 0.01},
	}
	c.Quantizer.Kind, c.Quantizer.EMADecay = model.Gaussian1, 0.99
	switch net {
	case Net28:
		c.Net.Channels, c.Quantizer.CodebookSize, c.Quantizer.InitialScale = 1, 128, 10
	case Net64, Net128:
		c.Net.ResBlocks = 6
	case Net64Label:
		c.Net.Channels, c.Decoder.Kind = 19, VMFDecoder
		c.Quantizer.Kind, c.Quantizer.CodebookSize, c.Quantizer.InitialScale = VMF, 64, 0.05
	}
	return c
}

// Side returns the height and width of images (pixels).
func (c Config) Side() int {
	switch c.Net.Kind {
	case Net28:
		return 28
	case Net32:
		return 32
	case Net128:
		return 128
	}
	return 64
}

// Grid returns the height and width of the grid of codes.
func (c Config) Grid() int {
	if c.Net.Kind == Net64Label {
		return c.Side() / 8
	}
	return c.Side() / 4
}

// CodeBits returns what the codes of an image cost without an entropy coder:
// log2 K bits each; 0 for vae.
func (c Config) CodeBits() float64 {
	if !c.Codes() {
		return 0
	}
	return float64(c.Grid()*c.Grid()) * math.Log2(float64(c.Quantizer.CodebookSize))
}

// Labels says that images are maps of class labels.
func (c Config) Labels() bool { return c.Decoder.Kind != GaussianDecoder }

// Dim returns D, the channels of a latent.
func (c Config) Dim() int {
	if c.Quantizer.Kind == VMF {
		return c.Quantizer.CodebookDim + 1
	}
	return c.Quantizer.CodebookDim
}

// InputChannels returns the channels of the first convolution. Labels are
// one-hot vectors there, of an even number of classes.
func (c Config) InputChannels() int {
	if c.Labels() {
		return (c.Net.Channels + 1) / 2 * 2
	}
	return c.Net.Channels
}

// OutputChannels returns F: the classes of a categorical decoder, an even number
// of axes of a vmf decoder, which are two for ordered classes.
func (c Config) OutputChannels() int {
	switch {
	case c.Decoder.Kind == CategoricalDecoder:
		return c.Net.Channels
	case c.Decoder.OrderedClasses:
		return 2
	}
	return c.InputChannels()
}

// Arc are the vectors of ordered classes.
func (c Config) Arc() simd.Arc { return simd.Arc{Classes: c.Net.Channels} }

// PixelValues returns the number of values of an image that the decoder gives a
// distribution to: H*W*C, or H*W labels.
func (c Config) PixelValues() int {
	n := c.Side() * c.Side()
	if !c.Labels() {
		n *= c.Net.Channels
	}
	return n
}

// Gaussian reports whether the latents' variance is that of an SQ-VAE.
func (c Config) Gaussian() bool { return c.Quantizer.Kind.Gaussian() || c.Quantizer.Kind == Gaussian2 }

// VarianceHead says that the encoder has a second head, of log variances.
func (c Config) VarianceHead() bool {
	return c.Gaussian() && c.Quantizer.Kind != model.Gaussian1 || c.Quantizer.Kind == VAE
}

// Codes says that the model has a codebook.
func (c Config) Codes() bool { return c.Quantizer.Kind != VAE }

// Validate reports every field that is out of range, one error each.
func (c Config) Validate() error {
	check := fields.Of("")
	check.Also(c.Quantizer.Validate(QuantizerKinds))
	check.That(slices.Contains(NetKinds, c.Net.Kind), "model.kind", fmt.Sprintf("one of %v", NetKinds), c.Net.Kind)
	check.Between("model.channels", c.Net.Channels, 1, 256)
	check.Between("model.res_blocks", c.Net.ResBlocks, 1, 64)
	q := c.Quantizer
	check.That(q.CodebookDim != 1, "quantizer.codebook_dim", "at least 2", q.CodebookDim)
	check.That(slices.Contains([]Variance{Exp, OnePlusExp, Fixed}, q.Variance), "quantizer.variance",
		fmt.Sprintf("%q, %q or %q", Exp, OnePlusExp, Fixed), q.Variance)
	check.That(q.Variance != Fixed || q.Kind == model.Gaussian1, "quantizer.variance", "fixed for gaussian-1 only", q.Kind)
	check.Within("quantizer.initial_scale", q.InitialScale, 1e-6, 1e6)
	d := c.Decoder
	check.That(slices.Contains([]DecoderKind{GaussianDecoder, CategoricalDecoder, VMFDecoder}, d.Kind), "decoder.kind",
		fmt.Sprintf("%q, %q or %q", GaussianDecoder, CategoricalDecoder, VMFDecoder), d.Kind)
	check.That(!c.Labels() || c.Net.Channels >= 2, "model.channels", "at least 2 classes", c.Net.Channels)
	check.That(!d.LearnVariance || d.Kind == GaussianDecoder, "decoder.learn_variance", "false unless the decoder is gaussian", d.LearnVariance)
	check.That(!d.OrderedClasses || d.Kind == VMFDecoder, "decoder.ordered_classes", "false unless the decoder is vmf", d.OrderedClasses)
	check.Within("decoder.initial_spread", d.InitialSpread, 1e-6, 1e3)
	return check.Err()
}
