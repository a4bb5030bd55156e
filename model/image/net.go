package image

import (
	"fmt"

	"vqspeech/internal/simd"
)

// Layer is a convolution with bias, and what follows it.
type Layer struct {
	Name       string // of its tensors: Name.weight, Name.bias
	Conv       simd.Conv2D
	Transposed bool
	Norm       string // name of the batch normalisation that follows, or ""
	ReLU       bool
}

// channels returns the channels of the layer's input and output.
func (l Layer) channels() (in, out int) {
	if l.Transposed {
		return l.Conv.Out, l.Conv.In
	}
	return l.Conv.In, l.Conv.Out
}

// Block is a residual block: x + Second(First(ReLU(x))).
type Block struct{ First, Second Layer }

// EncoderNet is the encoder's network: convolutions, residual blocks, and heads
// that are residual blocks on the same input.
type EncoderNet struct {
	Convs    []Layer
	Blocks   []Block
	Mean     Block
	Variance *Block // nil unless Config.VarianceHead
}

// DecoderNet is the decoder's network; its output still needs the decoder kind's
// activation.
type DecoderNet struct {
	Blocks []Block
	Convs  []Layer
}

// sequence numbers layers as PyTorch's Sequential does, where an activation and a
// normalisation count as well.
type sequence struct {
	prefix string
	next   int
	layers []Layer
}

// add appends a convolution. normalised layers are rectified too, as all are
// here.
func (s *sequence) add(conv simd.Conv2D, transposed, normalised bool) {
	l := Layer{Name: fmt.Sprintf("%s.%d", s.prefix, s.next), Conv: conv, Transposed: transposed}
	s.next++
	if normalised {
		l.Norm, l.ReLU = fmt.Sprintf("%s.%d", s.prefix, s.next), true
		s.next += 2
	}
	s.layers = append(s.layers, l)
}

func (s *sequence) half(in, out int, normalised bool) {
	s.add(simd.Square(in, out, 4, 2, 1), false, normalised)
}

func (s *sequence) double(in, out int, normalised bool) {
	s.add(simd.Square(out, in, 4, 2, 1), true, normalised)
}

func residualBlock(name string, c int) Block {
	return Block{
		First:  Layer{Name: name + ".block.1", Conv: simd.Square(c, c, 3, 1, 1), Norm: name + ".block.2", ReLU: true},
		Second: Layer{Name: name + ".block.4", Conv: simd.Square(c, c, 1, 1, 0), Norm: name + ".block.5"},
	}
}

func residualBlocks(name string, n, c int) []Block {
	var blocks []Block
	for i := range n {
		blocks = append(blocks, residualBlock(fmt.Sprintf("%s.%d", name, i), c))
	}
	return blocks
}

// EncoderNet returns the encoder of sony/sqvae vision. The nets differ in the last
// convolution: none, with or without normalisation, or a third halving.
func (c Config) EncoderNet() EncoderNet {
	d, s := c.Dim(), sequence{prefix: "encoder.conv"}
	h := d / 2
	s.half(c.InputChannels(), h, true)
	s.half(h, d, c.Net.Kind != Net28)
	switch c.Net.Kind {
	case Net32:
		s.add(simd.Square(d, d, 3, 1, 1), false, true)
	case Net64, Net128:
		s.add(simd.Square(d, d, 3, 1, 1), false, false)
	case Net64Label:
		s.half(d, d, false)
	}
	e := EncoderNet{Convs: s.layers, Blocks: residualBlocks("encoder.res", c.Net.ResBlocks-1, d), Mean: residualBlock("encoder.res_m", d)}
	if c.VarianceHead() {
		head := residualBlock("encoder.res_v", d)
		e.Variance = &head
	}
	return e
}

// DecoderNet returns the decoder of sony/sqvae vision. Those of 64 pixels and
// more have one residual block less.
func (c Config) DecoderNet() DecoderNet {
	d, s := c.Dim(), sequence{prefix: "decoder.convt"}
	h, blocks := d/2, c.Net.ResBlocks
	switch c.Net.Kind {
	case Net32, Net64, Net128:
		s.add(simd.Square(d, d, 3, 1, 1), true, true)
	case Net64Label:
		s.double(d, d, true)
	}
	s.double(d, h, true)
	s.double(h, c.OutputChannels(), false)
	switch c.Net.Kind {
	case Net64, Net64Label, Net128:
		blocks--
	}
	return DecoderNet{Blocks: residualBlocks("decoder.res", blocks, d), Convs: s.layers}
}
