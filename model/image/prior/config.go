package prior

import (
	"fmt"

	"vqspeech/internal/fields"
	"vqspeech/internal/simd"
	"vqspeech/model"
)

// Config describes a prior completely. It travels inside every prior file.
type Config struct {
	Net          NetConfig `json:"prior"`
	CodebookSize int       `json:"codebook_size"` // K
	Height       int       `json:"height"`        // rows of a grid of codes
	Width        int       `json:"width"`
	ImageModel   string    `json:"image_model"` // fingerprint (hexadecimal) of the model whose codes they are
}

// NetConfig fixes the network's size.
type NetConfig struct {
	Channels int `yaml:"channels" json:"channels"` // F, also the dimension of a code's embedding
	Layers   int `yaml:"layers" json:"layers"`     // gated layers
	Head     int `yaml:"head" json:"head"`         // width between the last layer and the logits
	Classes  int `yaml:"classes" json:"classes"`   // of images that the prior is conditioned on; 0: it is not
}

// DefaultNet returns the size for grids of 7×7 and 8×8 codes (PixelCNN of
// ritheshkumar95/pytorch-vqvae); those of 16×16 have 256 channels.
func DefaultNet() NetConfig { return NetConfig{Channels: 64, Layers: 15, Head: 512} }

// Validate reports every field that is out of range, one error each.
func (n NetConfig) Validate() error {
	check := fields.Of("prior")
	check.Between("channels", n.Channels, 1, 4096)
	check.Between("layers", n.Layers, 1, 256)
	check.Between("head", n.Head, 1, 65536)
	check.Between("classes", n.Classes, 0, 256)
	return check.Err()
}

// maxSide bounds a grid of codes.
const maxSide = 256

// Validate reports every field that is out of range, one error each.
func (c Config) Validate() error {
	check := fields.Of("")
	check.Also(c.Net.Validate())
	check.Between("codebook_size", c.CodebookSize, 1, 1<<16)
	check.Between("height", c.Height, 1, maxSide)
	check.Between("width", c.Width, 1, maxSide)
	return check.Err()
}

// Positions returns the number of codes of a grid.
func (c Config) Positions() int { return c.Height * c.Width }

// Kernels of the first layer and of all others.
const (
	firstKernel = 7
	kernel      = 3
)

// Layer is one gated layer: the convolutions of the two stacks, from F to 2F
// channels. Both leave grids at their size.
type Layer struct {
	Name       string // of its tensors: Name.vert.weight, Name.horiz_out.bias, …
	Vertical   simd.Conv2D
	Horizontal simd.Conv2D
	Residual   bool // the input of the horizontal stack is added to its output
}

// Layers returns the gated layers. The first must not see the position itself
// (mask A): its kernels end a row, or a column, before it. The others see what
// the first has made of the position's past (mask B).
func (c Config) Layers() []Layer {
	layers := make([]Layer, c.Net.Layers)
	f := c.Net.Channels
	for i := range layers {
		before := (kernel - 1) / 2
		past := simd.Axis{Kernel: before + 1, Stride: 1, Dilation: 1, Before: before}
		if i == 0 {
			before = (firstKernel - 1) / 2
			past = simd.Axis{Kernel: before, Stride: 1, Dilation: 1, Before: before, After: -1}
		}
		around := simd.Axis{Kernel: 2*before + 1, Stride: 1, Dilation: 1, Before: before, After: before}
		layers[i] = Layer{
			Name:       fmt.Sprintf("layers.%d", i),
			Vertical:   simd.Conv2D{In: f, Out: 2 * f, Y: past, X: around},
			Horizontal: simd.Conv2D{In: f, Out: 2 * f, Y: simd.Axis{Kernel: 1, Stride: 1, Dilation: 1}, X: past},
			Residual:   i > 0,
		}
	}
	return layers
}

// Params lists the trained tensors in a fixed order. Masked taps of the first
// layer are not among them. Weights are Xavier uniform, biases zero, embeddings
// standard normal.
func (c Config) Params() []model.Param {
	f := c.Net.Channels
	ps := []model.Param{model.EmbeddingParam("embedding.weight", c.CodebookSize, f)}
	conv := func(name string, g simd.Conv2D) {
		ps = append(ps,
			model.XavierConv2DParam(name+".weight", g.Out, g.In, g.Y.Kernel, g.X.Kernel),
			model.ConstantParam(name+".bias", 0, g.Out))
	}
	pointwise := func(name string, in, out int) { conv(name, simd.Square(in, out, 1, 1, 0)) }
	for _, l := range c.Layers() {
		if c.Net.Classes > 0 {
			ps = append(ps, model.EmbeddingParam(l.Name+".class_embedding.weight", c.Net.Classes, 2*f))
		}
		conv(l.Name+".vert", l.Vertical)
		pointwise(l.Name+".vert_to_horiz", 2*f, 2*f)
		conv(l.Name+".horiz", l.Horizontal)
		pointwise(l.Name+".horiz_out", f, f)
	}
	pointwise("head1", f, c.Net.Head)
	pointwise("head2", c.Net.Head, c.CodebookSize)
	return ps
}

// Buffers is empty: a prior has no tensors but those of Params.
func (Config) Buffers() []model.Param { return nil }

// ConfigKey is the metadata key under which a prior file keeps its Config as
// JSON.
const ConfigKey = "vqspeech.prior"

// MetadataKey is ConfigKey.
func (Config) MetadataKey() string { return ConfigKey }
