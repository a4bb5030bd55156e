package wavenet

import (
	"fmt"
	"slices"
	"sync"

	"vqspeech/audio/mulaw"
	"vqspeech/internal/simd"
	"vqspeech/model"
)

// Generator is a network ready to generate. It is safe for concurrent use;
// every utterance has its own [Stream].
type Generator struct {
	cfg      Config
	stages   []stage       // from latents to conditioning vectors, copied by each stream
	speakers []float32     // [P, G]
	pitch    model.Weights // PitchParams, with Prediction
	terms

	// What is computed for every sample.
	core         core
	head1, head2 product
	bias1, bias2 []float32

	decoded    [Levels]float32 // sample of each code
	workspaces sync.Pool       // *workspace
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
		cfg: cfg, stages: conditioning(cfg, w), speakers: w["speaker.weight"], pitch: w,
		head1: pack(cfg.headInputs(), cfg.Post, w["head1.weight"]), bias1: w["head1.bias"],
		head2: pack(cfg.Post, Levels, w["head2.weight"]), bias2: w["head2.bias"],
	}
	if cfg.GRU > 0 {
		g.core, g.terms = newRecurrent(cfg, w, pack)
	} else {
		g.core, g.terms = newDilated(cfg, w, pack)
	}
	for i := range g.decoded {
		g.decoded[i] = mulaw.Decode(uint8(i))
	}
	return g, nil
}

// Config returns the network's sizes.
func (g *Generator) Config() Config { return g.cfg }

// speakerContext returns what all contexts of a speaker have in common.
//
//	[N]
func (g *Generator) speakerContext(speaker int) []float32 {
	n, dim := g.columns(), g.cfg.SpeakerDim
	y := slices.Clone(g.contextBias)
	simd.Gemm(false, false, 1, n, dim, g.speakers[speaker*dim:(speaker+1)*dim], dim, g.speakerMap, n, y, n, true)
	return y
}
