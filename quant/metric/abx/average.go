package abx

import (
	"cmp"
	"math"
	"slices"
)

// average averages cells as the style does: see the package comment.
func average(cells []cell, phones []string, c Config) *Result {
	// The levels of the means, inner to outer: cells that agree in a, b, speaker
	// and x; in a, b and speakers; in a and b.
	x := func(k *cell) int {
		if c.Mode == Across && c.Style == Style2019 {
			return k.other
		}
		return 0
	}
	slices.SortStableFunc(cells, func(k, l cell) int {
		return cmp.Or(cmp.Compare(k.a, l.a), cmp.Compare(k.b, l.b), cmp.Compare(k.speaker, l.speaker), cmp.Compare(x(&k), x(&l)),
			cmp.Compare(k.context, l.context), cmp.Compare(k.other, l.other))
	})
	r := &Result{Error: math.NaN(), Cells: len(cells)}
	for i := 0; i < len(cells); {
		pair := Pair{A: phones[cells[i].a], B: phones[cells[i].b]}
		var speakers mean
		for first := &cells[i]; i < len(cells) && cells[i].a == first.a && cells[i].b == first.b; {
			var inner mean
			for start := &cells[i]; i < len(cells) && cells[i].a == start.a && cells[i].b == start.b &&
				cells[i].speaker == start.speaker && x(&cells[i]) == x(start); i++ {
				inner.add(cells[i].score)
				pair.Cells++
				pair.Triplets += cells[i].triplets
			}
			speakers.add(inner.value())
		}
		pair.Error = 1 - speakers.value()
		r.Pairs = append(r.Pairs, pair)
		r.Triplets += pair.Triplets
	}
	var all mean
	for _, p := range r.Pairs {
		all.add(p.Error)
	}
	if all.n > 0 {
		r.Error = all.value()
	}
	return r
}

type mean struct {
	sum float64
	n   int
}

func (m *mean) add(v float64)  { m.sum += v; m.n++ }
func (m *mean) value() float64 { return m.sum / float64(m.n) }
