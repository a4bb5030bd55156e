package model

import (
	"fmt"
	"math"
	"math/rand/v2"

	"vqspeech/internal/simd"
)

// Param describes one trained tensor or one buffer (batch-norm statistics, EMA
// state). Files hold the PyTorch layout; kernels want the inner axis of a
// product last, so in memory convolutions are [k, in, out] and linear maps
// [in, out].
type Param struct {
	Name   string
	Shape  []int // in files, PyTorch's order
	layout layout
	init   initializer
}

type layout int

const (
	plain    layout = iota
	convOIK         // file [out, in, k], memory [k*in, out]
	linearOI        // file [out, in], memory [in, out]
)

// initializer draws an initial value: mean + uniform*U(-1, 1) + normal*N(0, 1).
type initializer struct{ mean, uniform, normal float64 }

func uniform(bound float64) initializer  { return initializer{uniform: bound} }
func constant(value float64) initializer { return initializer{mean: value} }
func fanIn(n int) initializer            { return uniform(1 / math.Sqrt(float64(n))) }

var normal = initializer{normal: 1}

// Size returns the number of elements.
func (p Param) Size() int {
	n := 1
	for _, s := range p.Shape {
		n *= s
	}
	return n
}

// MemoryShape returns the axes of the tensor as kernels use it.
func (p Param) MemoryShape() []int {
	switch p.layout {
	case convOIK:
		return []int{p.Size() / p.Shape[0], p.Shape[0]}
	case linearOI:
		return []int{p.Shape[1], p.Shape[0]}
	}
	return p.Shape
}

// FromFile reorders a tensor from the file layout to the memory layout.
func (p Param) FromFile(x []float32) []float32 { return p.reorder(x, false) }

// ToFile reorders a tensor from the memory layout to the file layout.
func (p Param) ToFile(x []float32) []float32 { return p.reorder(x, true) }

func (p Param) reorder(x []float32, toFile bool) []float32 {
	y := make([]float32, len(x))
	if p.layout == plain {
		copy(y, x)
		return y
	}
	out, in := p.Shape[0], p.Shape[1]
	k := p.Size() / (out * in)
	for o := range out {
		for i := range in {
			for t := range k {
				file, mem := (o*in+i)*k+t, (t*in+i)*out+o
				if toFile {
					y[file] = x[mem]
				} else {
					y[mem] = x[file]
				}
			}
		}
	}
	return y
}

// Init draws initial values in memory layout (PyTorch's defaults: uniform with
// bound 1/sqrt(fan in), normal embeddings and codebook).
func (p Param) Init(rng *rand.Rand) []float32 {
	x := make([]float32, p.Size())
	for i := range x {
		v := p.init.mean
		if p.init.uniform != 0 {
			v += (2*rng.Float64() - 1) * p.init.uniform
		}
		if p.init.normal != 0 {
			v += rng.NormFloat64() * p.init.normal
		}
		x[i] = float32(v)
	}
	return x
}

// EncoderConvs returns the geometry of the encoder's normalised convolutions
// (sony/sqvae speech: the first without padding, the third with stride 2).
func (c Config) EncoderConvs() []simd.Conv1D {
	var convs []simd.Conv1D
	in := c.Features.NMels
	for _, g := range []struct{ kernel, stride, pad int }{{3, 1, 0}, {3, 1, 1}, {4, Downsampling, 1}, {3, 1, 1}, {3, 1, 1}} {
		convs = append(convs, simd.Conv1D{
			In: in, Out: c.Net.Channels, Kernel: g.kernel, Stride: g.stride, Dilation: 1, PadLeft: g.pad, PadRight: g.pad,
		})
		in = c.Net.Channels
	}
	return convs
}

// Params lists the trained tensors of the model in a fixed order. The codebook
// of VQEMA is among them although no gradient moves it.
func (c Config) Params() []Param {
	ch, d, k := c.Net.Channels, c.Quantizer.CodebookDim, c.Quantizer.CodebookSize
	var ps []Param
	for i, g := range c.EncoderConvs() {
		ps = append(ps,
			Param{fmt.Sprintf("encoder.conv%d.weight", i+1), []int{ch, g.In, g.Kernel}, convOIK, fanIn(g.In * g.Kernel)},
			Param{fmt.Sprintf("encoder.bn%d.weight", i+1), []int{ch}, plain, constant(1)},
			Param{fmt.Sprintf("encoder.bn%d.bias", i+1), []int{ch}, plain, constant(0)})
	}
	ps = append(ps,
		Param{"encoder.out.weight", []int{c.LatentChannels(), ch, 1}, convOIK, fanIn(ch)},
		Param{"encoder.out.bias", []int{c.LatentChannels()}, plain, fanIn(ch)})
	switch c.Quantizer.Kind {
	case Gaussian1, Gaussian3, Gaussian4:
		ps = append(ps,
			Param{"quantizer.log_var_scalar", []int{1}, plain, constant(math.Log(10))},
			Param{"quantizer.codebook", []int{k, d}, plain, normal})
	case VQEMA:
		// bshall/ZeroSpeech: the bound is 1/512 whatever K is.
		ps = append(ps, Param{"quantizer.codebook", []int{k, d}, plain, uniform(1.0 / 512)})
	default:
		ps = append(ps, Param{"quantizer.codebook", []int{k, d}, plain, uniform(1 / float64(k))})
	}
	h, s := c.Net.DecoderHidden, c.Net.SpeakerDim
	ps = append(ps, Param{"decoder.speaker.weight", []int{max(len(c.Speakers), 1), s}, plain, normal})
	for layer, in := range []int{d + s, 2 * h} {
		for _, suffix := range []string{"", "_reverse"} {
			name := fmt.Sprintf("_l%d%s", layer, suffix)
			ps = append(ps,
				Param{"decoder.rnn.weight_ih" + name, []int{3 * h, in}, linearOI, fanIn(h)},
				Param{"decoder.rnn.weight_hh" + name, []int{3 * h, h}, linearOI, fanIn(h)},
				Param{"decoder.rnn.bias_ih" + name, []int{3 * h}, plain, fanIn(h)},
				Param{"decoder.rnn.bias_hh" + name, []int{3 * h}, plain, fanIn(h)})
		}
	}
	return append(ps,
		Param{"decoder.fc.weight", []int{c.Features.NMels, 2 * h}, linearOI, fanIn(2 * h)},
		Param{"decoder.fc.bias", []int{c.Features.NMels}, plain, fanIn(2 * h)})
}

// Buffers lists the tensors that training moves without a gradient and that
// encoding needs: the batch-norm running statistics.
func (c Config) Buffers() []Param {
	var ps []Param
	for i := range c.EncoderConvs() {
		ps = append(ps,
			Param{fmt.Sprintf("encoder.bn%d.running_mean", i+1), []int{c.Net.Channels}, plain, constant(0)},
			Param{fmt.Sprintf("encoder.bn%d.running_var", i+1), []int{c.Net.Channels}, plain, constant(1)})
	}
	return ps
}
