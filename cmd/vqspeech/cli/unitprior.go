package cli

import (
	"fmt"

	"vqspeech/internal/bootstrap"
	"vqspeech/model/unitprior"
	"vqspeech/quant/units"
)

// ofModel reports why a prior is not for the units of a model.
func ofModel(p *unitprior.Model, fingerprint [8]byte) error {
	if fp := fmt.Sprintf("%x", fingerprint); p.Config.Model != fp {
		return hintError{
			fmt.Errorf("trained for the units of model %s, want %s", p.Config.Model, fp),
			"--model is the file that train was given for the prior",
		}
	}
	return nil
}

// priorReport is what units cost under a prior.
type priorReport struct {
	Bits    score `json:"bits_per_unit"`
	Bitrate score `json:"bitrate_bps"`
}

// priorTally adds up what inputs cost under a prior.
type priorTally struct {
	model *unitprior.Model
	path  string
	costs []cost
}

// cost is that of an input.
type cost struct{ bits, units, seconds float64 }

// add counts a whole input, or nothing of it.
func (t *priorTally) add(h units.Header, codes []uint16, seconds float64) error {
	if err := named(t.path, ofModel(t.model, h.Fingerprint)); err != nil {
		return err
	}
	e, err := t.model.Evaluate([][]uint16{codes})
	if err != nil {
		return err
	}
	n := float64(len(codes))
	t.costs = append(t.costs, cost{e.Bits * n, n, seconds})
	return nil
}

// report returns the figures, and the same in words.
func (t *priorTally) report() (*priorReport, string) {
	figures := func(sample []int) []float64 {
		var sum cost
		for _, i := range sample {
			c := t.costs[i]
			sum.bits, sum.units, sum.seconds = sum.bits+c.bits, sum.units+c.units, sum.seconds+c.seconds
		}
		return []float64{sum.bits / sum.units, sum.bits / sum.seconds}
	}
	all := make([]int, len(t.costs))
	for i := range all {
		all[i] = i
	}
	value := figures(all)
	low, high := bootstrap.Intervals(len(t.costs), figures)
	of := func(i int) score { return score{Value: number(value[i]), Low: number(low[i]), High: number(high[i])} }
	bits, rate := pairFigure{format: "%.3f", unit: "bit"}, pairFigure{format: "%.1f", unit: "bit/s"}
	return &priorReport{of(0), of(1)}, fmt.Sprintf("%s a unit, %s", bits.row(value[0], low[0], high[0]), rate.row(value[1], low[1], high[1]))
}
