package train

import (
	"fmt"
	"testing"

	"vqspeech/internal/training"
	"vqspeech/model"
)

// BenchmarkStep times one training step of the reference recipe at two widths:
// forward, backward, clipping and Adam on a batch of 52 crops of 34 frames.
func BenchmarkStep(b *testing.B) {
	for _, kind := range []model.QuantizerKind{model.Gaussian4, model.VQEMA} {
		for _, channels := range []int{256, 768} {
			b.Run(fmt.Sprintf("%s/%d", kind, channels), func(b *testing.B) {
				r := benchRun(b, kind, channels)
				b.ReportAllocs()
				for b.Loop() {
					if err := r.Step(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func benchRun(b *testing.B, kind model.QuantizerKind, channels int) *run {
	cfg, tc := model.DefaultConfig(), DefaultConfig()
	cfg.Net.Channels, cfg.Quantizer.Kind = channels, kind
	cfg.Speakers = []string{"a", "b"}
	state, err := open(Options{Model: cfg, Train: tc, Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	set := make([]utterance, 8)
	rng := training.Random(1, streamInit, 0)
	for i := range set {
		db := make([]float32, 200*cfg.Features.NMels)
		for j := range db {
			db[j] = -80 * rng.Float32()
		}
		set[i] = utterance{speaker: int32(i % 2), db: db, level: cfg.Features.StreamLevel(), frames: 200}
	}
	s, err := newSampler(set, tc, cfg.Features.NMels)
	if err != nil {
		b.Fatal(err)
	}
	g, err := newSpeech(cfg, tc, state.Weights)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := g.compile(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { g.machine.Close() })
	r := &run{o: Options{Model: cfg, Train: tc}, graph: g, sampler: s, state: state, solver: &Adam{LearningRate: 4e-4, ClipNorm: 1, Gamma: 1}}
	for _, name := range g.names {
		r.solver.M, r.solver.V = append(r.solver.M, state.M[name]), append(r.solver.V, state.V[name])
	}
	q := cfg.Quantizer
	if r.codebook, err = NewCodebook(q, q.CodebookDim, state.Weights["quantizer.codebook"], nil, 0); err != nil {
		b.Fatal(err)
	}
	for range 2 { // first steps take the memory that later ones use again
		if err := r.Step(); err != nil {
			b.Fatal(err)
		}
	}
	return r
}
