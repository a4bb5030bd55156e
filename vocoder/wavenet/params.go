package wavenet

import (
	"fmt"
	"strings"

	"vqspeech/internal/simd"
	"vqspeech/model"
)

// CondConv returns the geometry of the convolution over latents.
func (c Config) CondConv() simd.Conv1D {
	return simd.Conv1D{In: c.Dim, Out: c.CondChannels, Kernel: 3, Stride: 1, Dilation: 1, PadLeft: 1, PadRight: 1}
}

// UpConvs returns the convolutions whose input gradients are the transposed
// convolutions of the upsampling (simd.Conv1D.Transposed), in order.
func (c Config) UpConvs() []simd.Conv1D {
	var convs []simd.Conv1D
	for _, s := range c.Strides {
		k := upKernel(s)
		convs = append(convs, simd.Conv1D{
			In: c.CondChannels, Out: c.CondChannels, Kernel: k, Stride: s, Dilation: 1, PadLeft: (k - s) / 2, PadRight: (k - s) / 2,
		})
	}
	return convs
}

// Dilated returns the geometry of the causal convolution of layer l.
func (c Config) Dilated(l int) simd.Conv1D {
	d := c.Dilation(l)
	return simd.Conv1D{In: c.Residual, Out: 2 * c.Gate, Kernel: c.Kernel, Stride: 1, Dilation: d, PadLeft: (c.Kernel - 1) * d}
}

// Params lists the tensors of the network in a fixed order, that of the
// project's fixtures. The last tap of a dilated convolution is the current
// sample. No gradient reaches the residual map of the last layer, whose result
// nothing reads (see [Config.Trained]).
func (c Config) Params() []model.Param {
	ch, h := c.CondChannels, 2*c.Gate
	ps := []model.Param{model.ConvParam("cond.conv.weight", ch, c.Dim, 3), model.BiasParam("cond.conv.bias", ch, 3*c.Dim)}
	for i, g := range c.UpConvs() {
		ps = append(ps,
			model.ConvParam(fmt.Sprintf("cond.up%d.weight", i), ch, ch, g.Kernel),
			model.BiasParam(fmt.Sprintf("cond.up%d.bias", i), ch, ch*g.Kernel))
	}
	ps = append(ps,
		model.EmbeddingParam("speaker.weight", c.Speakers, c.SpeakerDim),
		model.EmbeddingParam("input.weight", Levels, c.Residual))
	if c.Prediction {
		for _, name := range []string{"signal", "prediction", "period"} {
			ps = append(ps, model.EmbeddingParam(name+".weight", Levels, c.Residual))
		}
	}
	top := c.Skip
	if h := c.GRU; h > 0 {
		top = h
		ps = append(ps,
			model.LinearParam("gru.ih.weight", 3*h, c.Residual+ch+c.SpeakerDim), model.LinearParam("gru.hh.weight", 3*h, h),
			model.BiasParam("gru.ih.bias", 3*h, h), model.BiasParam("gru.hh.bias", 3*h, h))
	}
	for l := range c.Layers() {
		if c.GRU > 0 {
			break
		}
		n := layerName(l)
		ps = append(ps,
			model.ConvParam(n+"conv.weight", h, c.Residual, c.Kernel), model.BiasParam(n+"conv.bias", h, c.Residual*c.Kernel),
			model.ConvParam(n+"cond.weight", h, ch, 1),
			model.LinearParam(n+"speaker.weight", h, c.SpeakerDim),
			model.ConvParam(n+"skip.weight", c.Skip, c.Gate, 1), model.BiasParam(n+"skip.bias", c.Skip, c.Gate),
			model.ConvParam(n+"res.weight", c.Residual, c.Gate, 1), model.BiasParam(n+"res.bias", c.Residual, c.Gate))
	}
	if c.Prediction {
		ps = append(ps, c.PitchParams()...)
	}
	return append(ps,
		model.ConvParam("head1.weight", c.Post, top, 1), model.BiasParam("head1.bias", c.Post, top),
		model.ConvParam("head2.weight", Levels, c.Post, 1), model.BiasParam("head2.bias", Levels, c.Post))
}

// Trained lists the tensors that gradients of the likelihood reach: all of
// Params but two, and those of the pitch.
func (c Config) Trained() []model.Param {
	var ps []model.Param
	last := layerName(c.Layers() - 1)
	for _, p := range c.Params() {
		if p.Name != last+"res.weight" && p.Name != last+"res.bias" && !strings.HasPrefix(p.Name, "pitch.") {
			ps = append(ps, p)
		}
	}
	return ps
}

// layerName is what the names of the tensors of layer l begin with.
func layerName(l int) string { return fmt.Sprintf("layers.%d.", l) }
