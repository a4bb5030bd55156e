package prior

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"

	"vqspeech/internal/simd"
	"vqspeech/quant"
)

// SampleOptions say how grids are drawn.
type SampleOptions struct {
	N           int     // grids
	Classes     []uint8 // [N], for a prior that is conditioned on them
	Seed        uint64
	Temperature float64 // logits are divided by it; 1 draws from the prior itself
}

// Sample draws grids of codes, [N, H, W]. Grid i depends on the seed, i and its
// class alone, not on how many grids are drawn or on how many threads. It ends
// with ctx.Err() when ctx ends.
func (m *Model) Sample(ctx context.Context, o SampleOptions) ([]uint16, error) {
	if o.N < 0 {
		return nil, fmt.Errorf("prior: %d grids, want at least 0", o.N)
	}
	if !(o.Temperature >= quant.MinTemperature && o.Temperature <= quant.MaxTemperature) {
		return nil, fmt.Errorf("prior: temperature is %g, want between %g and %g", o.Temperature, quant.MinTemperature, quant.MaxTemperature)
	}
	if err := checkClasses(m.Config, o.Classes, o.N); err != nil {
		return nil, err
	}
	codes := make([]uint16, o.N*m.Config.Positions())
	size := min(chunk, (o.N+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0))
	if o.N == 0 {
		return codes, nil
	}
	groups := (o.N + size - 1) / size
	errs := make([]error, groups)
	simd.Parallel(groups, 1, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			errs[i] = m.sampleGroup(ctx, codes, o, i*size, min((i+1)*size, o.N))
		}
	})
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return codes, nil
}

// sampleGroup draws the grids from to to-1 together.
func (m *Model) sampleGroup(ctx context.Context, codes []uint16, o SampleOptions, from, to int) error {
	var classes []uint8
	if o.Classes != nil {
		classes = o.Classes[from:to]
	}
	s, err := m.NewSampler(to-from, classes)
	if err != nil {
		return err
	}
	random := make([]*rand.Rand, to-from)
	for g := range random {
		random[g] = uniforms(o.Seed, from+g)
	}
	k, positions := m.Config.CodebookSize, m.Config.Positions()
	weights, drawn := make([]float32, k), make([]uint16, to-from)
	for p := range positions {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		logits := s.Logits()
		for g := range drawn {
			drawn[g] = uint16(quant.SampleLogits(weights, logits[g*k:(g+1)*k], o.Temperature, random[g].Float64()))
			codes[(from+g)*positions+p] = drawn[g]
		}
		s.Push(drawn)
	}
	return nil
}

// uniforms is the generator of a grid, which draws one number for each position.
func uniforms(seed uint64, grid int) *rand.Rand { return rand.New(rand.NewPCG(seed, uint64(grid))) }
