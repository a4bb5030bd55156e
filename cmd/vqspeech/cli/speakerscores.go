package cli

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"vqspeech/features/metric"
	"vqspeech/internal/bootstrap"
)

// speakerFigures are what speakerStatistics returns.
var speakerFigures = []pairFigure{
	{key: "target_recognised", label: "target recognised", format: "%.1f", unit: "%", scale: 100},
	{key: "source_recognised", label: "source recognised", format: "%.1f", unit: "%", scale: 100},
	{key: "similarity", label: "similarity", format: "%.2f", unit: "nats a frame"},
	{key: "eer", label: "equal error rate", format: "%.1f", unit: "%", scale: 100},
}

func speakerStatistics(sample []*judgement) []float64 {
	var target, source, similarity, conversions float64
	var targets, others []float64
	for _, j := range sample {
		if j.Recognised == j.Target {
			target++
		}
		if j.conversion() {
			conversions++
			if j.Recognised == j.Source {
				source++
			}
		}
		similarity += j.Similarity
		for p, s := range j.trials {
			if p == j.target {
				targets = append(targets, s)
			} else {
				others = append(others, s)
			}
		}
	}
	n := float64(len(sample))
	return []float64{target / n, source / conversions, similarity / n, metric.EqualErrorRate(targets, others)}
}

// score fills in the figures and returns the rows of their table.
func (r *voiceReport) score() (rows []string) {
	all := make([]*judgement, len(r.Judgements))
	trials := 0
	counts := map[confusion]int{}
	for i := range all {
		j := &r.Judgements[i]
		all[i] = j
		trials += len(j.trials)
		if j.Recognised != j.Target {
			counts[confusion{Target: j.Target, Recognised: j.Recognised}]++
		}
	}
	for c, n := range counts {
		c.Count = n
		r.Confusions = append(r.Confusions, c)
	}
	slices.SortFunc(r.Confusions, func(a, b confusion) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Target, b.Target), cmp.Compare(a.Recognised, b.Recognised))
	})
	value := speakerStatistics(all)
	sampled := make([]*judgement, len(all))
	low, high := bootstrap.Intervals(len(all), func(sample []int) []float64 {
		for i, k := range sample {
			sampled[i] = all[k]
		}
		return speakerStatistics(sampled)
	})
	for i, f := range speakerFigures {
		r.Scores[f.key] = score{Value: number(value[i]), Low: number(low[i]), High: number(high[i])}
		if !math.IsNaN(value[i]) {
			rows = append(rows, f.label, f.row(value[i], low[i], high[i]))
		}
	}
	var confused []string
	for _, c := range r.Confusions {
		confused = append(confused, fmt.Sprintf("%d × %s as %s", c.Count, c.Target, c.Recognised))
	}
	if len(confused) > 0 {
		rows = append(rows, "confused", strings.Join(confused, ", "))
	}
	return append(rows,
		"trials", fmt.Sprintf("%d with the target, %d with each other speaker", len(all), trials-len(all)),
		"convention", r.Convention,
		"trained on", fmt.Sprintf("%d utterances, %d speakers, %.1f min, split %s",
			r.Training.Utterances, r.Training.Speakers, r.Training.Seconds/60, strings.Join(r.Training.Splits, ", ")),
		"measured on", fmt.Sprintf("%d recordings, %d conversions, %.1f min", r.Recordings, r.Conversions, r.Seconds/60))
}
