// Package modeltest makes tiny speech models with fixed random weights, for
// the tests of the packages that use models. Their units mean nothing, but are
// varied, and every call gives the same ones.
package modeltest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"vqspeech/features"
	"vqspeech/internal/simd"
	"vqspeech/model"
	"vqspeech/model/checkpoint"
)

// Speakers are the speaker ids of every model of this package.
var Speakers = []string{"alice", "bob", "carol"}

// Config returns the configuration of a tiny model: 16 kHz, hop 160, 20 mel
// bands, 24 channels, D = 8, K = 16.
func Config(kind model.QuantizerKind, frontEnd features.FrontEnd) model.Config {
	cfg := model.DefaultConfig()
	cfg.Features = features.Default(frontEnd)
	cfg.Features.NFFT, cfg.Features.NMels = 512, 20
	cfg.Net = model.NetConfig{Channels: 24, SpeakerDim: 4, DecoderHidden: 8}
	cfg.Quantizer.Kind, cfg.Quantizer.CodebookSize, cfg.Quantizer.CodebookDim = kind, 16, 8
	cfg.Speakers = append([]string(nil), Speakers...)
	return cfg
}

// Weights draws the weights of a model: random layers, batch-norm statistics
// and a codebook that fit random spectra.
func Weights(cfg model.Config) model.Weights {
	rng := rand.New(rand.NewPCG(1, 2))
	w := model.Weights{}
	for _, p := range append(cfg.Params(), cfg.Buffers()...) {
		w[p.Name] = p.Init(rng)
	}
	if cfg.Quantizer.Kind.Gaussian() {
		w["quantizer.log_var_scalar"][0] = -1
	}
	x := spectra(rng, cfg.Quantizer.CodebookSize, cfg.Features.NMels)
	t := len(x) / cfg.Features.NMels
	for i, g := range cfg.EncoderConvs() {
		y := make([]float32, g.OutLen(t)*g.Out)
		g.Forward(y, x, w[fmt.Sprintf("encoder.conv%d.weight", i+1)], nil, 1, t)
		x, t = y, g.OutLen(t)
		bn := fmt.Sprintf("encoder.bn%d.running_", i+1)
		standardise(x, w[bn+"mean"], w[bn+"var"])
		simd.ReLU(x, x)
	}
	out := w["encoder.out.weight"] // [C, C_out]
	for i := range out {
		out[i] *= 4 // latents as far apart as the code vectors below
	}
	g := simd.Conv1D{In: cfg.Net.Channels, Out: cfg.LatentChannels(), Kernel: 1, Stride: 1, Dilation: 1}
	y := make([]float32, t*g.Out)
	g.Forward(y, x, out, w["encoder.out.bias"], 1, t)
	for k, d := 0, cfg.Quantizer.CodebookDim; k < cfg.Quantizer.CodebookSize; k++ {
		copy(w["quantizer.codebook"][k*d:(k+1)*d], y[(k*period/model.Downsampling+1)*g.Out:])
	}
	return w
}

// period is the number of frames of one spectrum.
const period = 8

// spectra returns features [n*period, M] of n random spectra: a level and a
// tilt.
func spectra(rng *rand.Rand, n, mels int) []float32 {
	var x []float32
	for range n {
		level, tilt := rng.Float32(), rng.Float32()-0.5
		for range period {
			for j := range mels {
				x = append(x, level+tilt*(float32(j)/float32(mels)-0.5)+0.1*rng.Float32())
			}
		}
	}
	return x
}

// standardise gives every channel of x [N, C] mean 0 and variance 1 and stores
// what they were.
func standardise(x, mean, variance []float32) {
	c := len(mean)
	n := float32(len(x) / c)
	for j := range c {
		mean[j], variance[j] = 0, 0
		for i := j; i < len(x); i += c {
			mean[j] += x[i] / n
		}
		for i := j; i < len(x); i += c {
			variance[j] += (x[i] - mean[j]) * (x[i] - mean[j]) / n
		}
		for i := j; i < len(x); i += c {
			x[i] = (x[i] - mean[j]) / float32(math.Sqrt(float64(variance[j])+1e-5))
		}
	}
}

// Write writes the model to a file (float16, as training does) in a temporary
// folder of t and returns its path.
func Write(t testing.TB, kind model.QuantizerKind, frontEnd features.FrontEnd) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tiny-"+string(kind)+"-"+string(frontEnd)+".safetensors")
	cfg := Config(kind, frontEnd)
	if err := checkpoint.SaveModel(path, cfg, Weights(cfg), cfg.Speakers, nil); err != nil {
		t.Fatal(err)
	}
	return path
}

// New returns the model that Write writes.
func New(t testing.TB, kind model.QuantizerKind, frontEnd features.FrontEnd) *model.Model {
	t.Helper()
	m, err := model.Load(Write(t, kind, frontEnd))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// ForEach runs f as a subtest with the tiny model of every quantiser kind and
// both front ends.
func ForEach(t *testing.T, f func(t *testing.T, m *model.Model)) {
	for _, kind := range model.QuantizerKinds {
		for _, frontEnd := range []features.FrontEnd{features.Stream, features.Reference} {
			t.Run(string(kind)+"/"+string(frontEnd), func(t *testing.T) { f(t, New(t, kind, frontEnd)) })
		}
	}
}
