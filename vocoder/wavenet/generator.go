package wavenet

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"vqspeech/audio/mulaw"
	"vqspeech/internal/simd"
	"vqspeech/model"
)

// Generator is a network ready to generate. It is safe for concurrent use;
// every utterance has its own [Stream].
type Generator struct {
	cfg Config

	// What is computed once per utterance or per conditioning vector, for all
	// layers at a time: columns [M*2D].
	stages      []stage      // from latents to conditioning vectors, copied by each stream
	speakers    []float32    // [P, G]
	speakerMap  []float32    // [G, M*2D]
	contextMap  *simd.Packed // [C, M*2D]
	contextBias []float32    // [M*2D], of the dilated convolutions

	// What is computed for every sample.
	input        []float32     // [256, R]
	signal       []float32     // [256, R], with Prediction
	prediction   []float32     // [256, R], with Prediction
	period       []float32     // [256, R], with Prediction
	pitch        model.Weights // PitchParams, with Prediction
	recurrent    product       // [H, 3H], with GRU
	hiddenBias   []float32     // [3H], with GRU
	layers       []layer
	skipBias     []float32 // [S], summed over layers
	residual     float32   // factor of a layer's output
	skipScale    float32
	head1, head2 product
	bias1, bias2 []float32

	decoded    [Levels]float32 // sample of each code
	workspaces sync.Pool       // *workspace
}

// layer is a layer's part of the work for a sample.
type layer struct {
	dilation int
	conv     product   // [k*R, 2D]
	mix      product   // [D, S+R], skip map and residual map side by side; [D, S] in the last layer
	bias     []float32 // [R], of the residual map; nil in the last layer
}

// New packs trained weights, in memory layout, for the instruction set in use.
// The Generator keeps no reference to the matrices that it has packed, but may
// share the other tensors with w.
func New(cfg Config, w model.Weights) (*Generator, error) { return newGenerator(cfg, w, packFloat32) }

// NewInt8 is New with the matrices that are read for every sample rounded to
// bytes, a quarter of the memory to read. The samples are others than those of
// New, about as likely under the network. It is faster where package simd has a
// kernel for bytes, on amd64 with AVX2.
func NewInt8(cfg Config, w model.Weights) (*Generator, error) {
	return newGenerator(cfg, w, packInt8)
}

func newGenerator(cfg Config, w model.Weights, pack packing) (*Generator, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := model.CheckWeights(w, cfg.Params()); err != nil {
		return nil, fmt.Errorf("wavenet: %w", err)
	}
	g := &Generator{
		cfg: cfg, stages: conditioning(cfg, w), speakers: w["speaker.weight"], input: w["input.weight"],
		signal: w["signal.weight"], prediction: w["prediction.weight"], period: w["period.weight"], pitch: w,
		skipBias: make([]float32, cfg.Skip), residual: 1, skipScale: 1,
		head1: pack(max(cfg.Skip*b2i(cfg.GRU == 0), cfg.GRU), cfg.Post, w["head1.weight"]), bias1: w["head1.bias"],
		head2: pack(cfg.Post, Levels, w["head2.weight"]), bias2: w["head2.bias"],
	}
	if cfg.Scaled {
		g.residual, g.skipScale = float32(math.Sqrt(0.5)), float32(math.Sqrt(1/float64(cfg.Layers())))
	}
	for i := range g.decoded {
		g.decoded[i] = mulaw.Decode(uint8(i))
	}
	if h := cfg.GRU; h > 0 {
		ih, r, c := w["gru.ih.weight"], cfg.Residual*3*h, (cfg.Residual+cfg.CondChannels)*3*h
		fold := func(table []float32) []float32 {
			if table == nil {
				return nil
			}
			y := make([]float32, Levels*3*h)
			simd.Gemm(false, false, Levels, 3*h, cfg.Residual, table, cfg.Residual, ih[:r], 3*h, y, 3*h, false)
			return y
		}
		g.input, g.signal, g.prediction, g.period = fold(g.input), fold(g.signal), fold(g.prediction), fold(g.period)
		g.contextMap = simd.PackB(false, cfg.CondChannels, 3*h, ih[r:c], 3*h)
		g.speakerMap, g.contextBias = ih[c:], w["gru.ih.bias"]
		g.recurrent, g.hiddenBias = pack(h, 3*h, w["gru.hh.weight"]), w["gru.hh.bias"]
		return g, nil
	}
	var cond, speaker [][]float32
	for l := range cfg.Layers() {
		n := layerName(l)
		cond, speaker = append(cond, w[n+"cond.weight"]), append(speaker, w[n+"speaker.weight"])
		g.contextBias = append(g.contextBias, w[n+"conv.bias"]...)
		simd.AddRow(g.skipBias, w[n+"skip.bias"])
		a := layer{
			dilation: cfg.Dilation(l),
			conv:     pack(cfg.Kernel*cfg.Residual, 2*cfg.Gate, w[n+"conv.weight"]),
		}
		if l < cfg.Layers()-1 {
			a.mix = pack(cfg.Gate, cfg.Skip+cfg.Residual, besides(cfg.Gate, w[n+"skip.weight"], w[n+"res.weight"]))
			a.bias = w[n+"res.bias"]
		} else {
			a.mix = pack(cfg.Gate, cfg.Skip, w[n+"skip.weight"])
		}
		g.layers = append(g.layers, a)
	}
	g.speakerMap = besides(cfg.SpeakerDim, speaker...)
	g.contextMap = simd.PackB(false, cfg.CondChannels, g.columns(), besides(cfg.CondChannels, cond...), g.columns())
	return g, nil
}

// Config returns the network's sizes.
func (g *Generator) Config() Config { return g.cfg }

// columns is the width of a context: the gate inputs of all layers.
func (g *Generator) columns() int {
	if g.cfg.GRU > 0 {
		return 3 * g.cfg.GRU
	}
	return g.cfg.Layers() * 2 * g.cfg.Gate
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// besides joins matrices of equally many rows side by side.
func besides(rows int, matrices ...[]float32) []float32 {
	var joined []float32
	for r := range rows {
		for _, m := range matrices {
			n := len(m) / rows
			joined = append(joined, m[r*n:(r+1)*n]...)
		}
	}
	return joined
}

// speakerContext returns what all contexts of a speaker have in common: U_l g and
// the biases of the dilated convolutions.
//
//	[M*2D]
func (g *Generator) speakerContext(speaker int) []float32 {
	n, dim := g.columns(), g.cfg.SpeakerDim
	y := slices.Clone(g.contextBias)
	simd.Gemm(false, false, 1, n, dim, g.speakers[speaker*dim:(speaker+1)*dim], dim, g.speakerMap, n, y, n, true)
	return y
}
