package unitprior

import (
	"context"
	"fmt"
	"math/rand/v2"

	"vqspeech/internal/simd"
	"vqspeech/quant"
)

// SampleOptions say how an utterance is drawn.
type SampleOptions struct {
	Most        int // units; it may end before
	Seed        uint64
	Index       int     // of the utterance: those of one seed differ by it
	Temperature float64 // logits are divided by it; 1 draws from the prior itself
}

// Sample draws the units of an utterance, at least one unless o.Most is 0. They
// depend on o and on nothing else. It ends with ctx.Err() when ctx ends.
func (m *Model) Sample(ctx context.Context, o SampleOptions) ([]uint16, error) {
	if o.Most < 0 {
		return nil, fmt.Errorf("unitprior: %d units, want at least 0", o.Most)
	}
	if !(o.Temperature >= quant.MinTemperature && o.Temperature <= quant.MaxTemperature) {
		return nil, fmt.Errorf("unitprior: temperature is %g, want between %g and %g", o.Temperature, quant.MinTemperature, quant.MaxTemperature)
	}
	random := rand.New(rand.NewPCG(o.Seed, uint64(o.Index)))
	s := m.newStepper()
	weights := make([]float32, m.Config.Symbols())
	var codes []uint16
	for symbol := m.Config.End(); len(codes) < o.Most; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		logits := s.step(symbol)
		if len(codes) == 0 {
			logits = logits[:m.Config.CodebookSize] // an utterance does not end before it begins
		}
		symbol = int32(quant.SampleLogits(weights[:len(logits)], logits, o.Temperature, random.Float64()))
		if symbol == m.Config.End() {
			break
		}
		codes = append(codes, uint16(symbol))
	}
	return codes, nil
}

// stepper runs the network symbol by symbol. Its logits are those of Surprisal up
// to rounding.
type stepper struct {
	m                     *Model
	state, gi, gh, logits []float32
	scratch               simd.RowScratch
}

func (m *Model) newStepper() *stepper {
	h := m.gru.Hidden
	return &stepper{
		m: m, state: make([]float32, h), gi: make([]float32, 3*h), gh: make([]float32, 3*h), logits: make([]float32, m.Config.Symbols()),
	}
}

// step tells a symbol and returns the logits [K+1] of the next, valid until the
// next call.
func (s *stepper) step(symbol int32) []float32 {
	h := len(s.state)
	copy(s.gi, s.m.inputs[int(symbol)*3*h:])
	clear(s.gh)
	s.m.state.MulRows(1, s.state, h, s.gh, 3*h, &s.scratch)
	simd.GRUCell(s.state, s.gi, s.gh, s.m.weights.BHH)
	clear(s.logits)
	s.m.head.MulRows(1, s.state, h, s.logits, len(s.logits), &s.scratch)
	simd.AddRow(s.logits, s.m.headBias)
	return s.logits
}
