package wavenettest

import (
	"slices"

	"vqspeech/internal/golden"
	"vqspeech/internal/simd"
	"vqspeech/model"
	"vqspeech/vocoder/wavenet"
)

// GRUFile is the fixture of a published vocoder whose samples come from a
// recurrent layer (bshall/ZeroSpeech).
const GRUFile = "gru_vocoder.safetensors"

// GRUNames maps the names of the network's tensors to those of the fixture.
var GRUNames = map[string]string{
	"input.weight":  "embed.weight",
	"gru.ih.weight": "rnn2.weight_ih_l0", "gru.hh.weight": "rnn2.weight_hh_l0",
	"gru.ih.bias": "rnn2.bias_ih_l0", "gru.hh.bias": "rnn2.bias_hh_l0",
	"head1.weight": "fc1.weight", "head1.bias": "fc1.bias",
	"head2.weight": "fc2.weight", "head2.bias": "fc2.bias",
}

// GoldenGRU returns the fixture's network from its conditioning vectors on. What
// makes them, two bidirectional layers over latents and speaker, is no part of a
// Config (see [GRUConditioning]): so they are the latents, a convolution passes
// them on as they are, and the one speaker is nothing.
func GoldenGRU(f *golden.File) (wavenet.Config, model.Weights) {
	c, h := 2*f.Int("cond"), f.Int("H")
	cfg := wavenet.Config{
		Dim: c, Upsampling: f.Int("hop"), Speakers: 1, CondChannels: c, SpeakerDim: 1,
		Residual: f.Int("E"), GRU: h, Post: f.Int("fc"),
	}
	w := model.Weights{}
	for _, p := range cfg.Params() {
		values := make([]float32, p.Size())
		switch name := GRUNames[p.Name]; {
		case p.Name == "gru.ih.weight":
			in := cfg.Residual + c // and a column for the speaker
			for i, row := range slices.Collect(slices.Chunk(f.F32("param."+name), in)) {
				copy(values[i*(in+1):], row)
			}
		case name != "":
			values = f.F32("param." + name)
		case p.Name == "cond.conv.weight": // [C, C, 3]
			for i := range c {
				values[(i*c+i)*3+1] = 1
			}
		}
		w[p.Name] = p.FromFile(values)
	}
	return cfg, w
}

// GRUConditioning returns the conditioning vectors that the fixture's layers make
// of the latents q of one utterance.
//
//	q [L, d] float32 → [2L, 2*cond]
func GRUConditioning(f *golden.File, q []float32, speaker int) []float32 {
	d, dim, h := f.Int("d"), f.Int("sdim"), f.Int("cond")
	row := f.F32("param.speaker.weight")[speaker*dim : (speaker+1)*dim]
	var x []float32
	for latent := range slices.Chunk(q, d) {
		for range 2 {
			x = append(append(x, latent...), row...)
		}
	}
	t, in := 2*len(q)/d, d+dim
	for _, layer := range []string{"_l0", "_l1"} {
		y := make([]float32, t*2*h)
		for i, direction := range []string{"", "_reverse"} {
			matrix := func(name string, in int) []float32 {
				name = "rnn1." + name + layer + direction
				return model.LinearParam(name, 3*h, in).FromFile(f.F32("param." + name))
			}
			g := simd.GRU{In: in, Hidden: h, Reverse: i == 1}
			half := make([]float32, t*h)
			g.Forward(half, x, nil, simd.GRUWeights{
				WIH: matrix("weight_ih", in), WHH: matrix("weight_hh", h),
				BIH: f.F32("param.rnn1.bias_ih" + layer + direction), BHH: f.F32("param.rnn1.bias_hh" + layer + direction),
			}, 1, t, nil)
			for k := range t {
				copy(y[k*2*h+i*h:], half[k*h:(k+1)*h])
			}
		}
		x, in = y, 2*h
	}
	return x
}
