package abx

import (
	"slices"

	"vqspeech/internal/simd"
)

// A cell is the score of all triplets of two groups and one of X.
type cell struct {
	a, b     int // phones
	speaker  int // of A and B
	other    int // of X
	score    float64
	triplets int64
	context  int
}

// A scorer scores one task.
type scorer struct {
	space  *space
	index  []int // segment → number in the space
	config Config
}

// A side is the segments of a voice in one row, group after group.
type side struct {
	voice
	items  []int // numbers in the space
	starts []int // of the groups in items, and the end
}

func (t *scorer) side(v voice) side {
	s := side{voice: v}
	for _, g := range v.groups {
		s.starts = append(s.starts, len(s.items))
		for _, i := range g.items {
			s.items = append(s.items, t.index[i])
		}
	}
	s.starts = append(s.starts, len(s.items))
	return s
}

// as returns which items are needed as X where other gives A and B.
func (s *side) as(x *side) []bool {
	need := make([]bool, len(x.items))
	for g, chosen := range s.chosen {
		if h := x.find(s.groups[g].phone); chosen && h >= 0 {
			for i := x.starts[h]; i < x.starts[h+1]; i++ {
				need[i] = true
			}
		}
	}
	return need
}

// across scores A and B of one speaker with X of the other, and the reverse.
func (t *scorer) across(k task) []cell {
	s, x := t.side(k.s), t.side(k.t)
	n, m := len(s.items), len(x.items)
	needX, needS := s.as(&x), x.as(&s)
	rowsS, rowsX := make([]float64, n*m), make([]float64, n*m) // [n, m]: s, or x, gives the rows
	simd.Parallel(n, 1, func(lo, hi int) {
		var a aligner
		for i := lo; i < hi; i++ {
			for j := range m {
				if needS[i] || needX[j] {
					rowsS[i*m+j], rowsX[i*m+j] = t.space.between(&a, s.items[i], x.items[j])
				}
			}
		}
	})
	// 2019: A or B gives the rows; 2021: X.
	fromS, fromX := rowsS, rowsX
	if t.config.Style == Style2021 {
		fromS, fromX = rowsX, rowsS
	}
	cells := t.score(k.context, &s, &x, func(a, x int) float64 { return fromS[a*m+x] }, nil)
	return append(cells, t.score(k.context, &x, &s, func(a, x int) float64 { return fromX[x*m+a] }, nil)...)
}

// within scores the items of one speaker.
func (t *scorer) within(k task) []cell {
	s := t.side(k.s)
	n := len(s.items)
	need := s.as(&s)
	rows := make([]float64, n*n) // [i, j]: i gives the rows
	simd.Parallel(n, 1, func(lo, hi int) {
		var a aligner
		for i := lo; i < hi; i++ {
			for j := range i {
				if need[i] || need[j] {
					rows[i*n+j], rows[j*n+i] = t.space.between(&a, s.items[i], s.items[j])
				}
			}
		}
	})
	toB := func(b, x int) float64 { return rows[b*n+x] }
	toA := toB
	if t.config.Style == Style2021 { // X gives the rows; of A and X, the earlier
		toB = func(b, x int) float64 { return rows[x*n+b] }
		toA = func(a, x int) float64 { return rows[min(a, x)*n+max(a, x)] }
	}
	return t.score(k.context, &s, &s, toB, toA)
}

// score returns the cells of A and B from s and X from x. distance is that of an
// item of s and one of x; within a speaker, same is that of A and X, and X is
// never A.
func (t *scorer) score(context int, s, x *side, distance, same func(a, x int) float64) []cell {
	var cells []cell
	toB := make([][]float64, len(s.groups)) // of one X, sorted, for every group
	var toA []float64
	for g, chosen := range s.chosen {
		h := x.find(s.groups[g].phone)
		if !chosen || h < 0 {
			continue
		}
		first := len(cells)
		for b := range s.groups {
			if b != g {
				cells = append(cells, cell{
					a: s.groups[g].phone, b: s.groups[b].phone, speaker: s.speaker, other: x.speaker, context: context,
				})
			}
		}
		wins := make([]int64, len(cells)-first) // twice the score
		for i := x.starts[h]; i < x.starts[h+1]; i++ {
			toA = toA[:0]
			for a := s.starts[g]; a < s.starts[g+1]; a++ {
				switch {
				case same == nil:
					toA = append(toA, distance(a, i))
				case a != i:
					toA = append(toA, same(a, i))
				}
			}
			slices.Sort(toA)
			k := 0
			for b := range s.groups {
				if b == g {
					continue
				}
				toB[b] = toB[b][:0]
				for j := s.starts[b]; j < s.starts[b+1]; j++ {
					toB[b] = append(toB[b], distance(j, i))
				}
				slices.Sort(toB[b])
				wins[k] += nearer(toA, toB[b])
				cells[first+k].triplets += int64(len(toA)) * int64(len(toB[b]))
				k++
			}
		}
		for k, w := range wins {
			c := &cells[first+k]
			c.score = float64(w) / 2 / float64(c.triplets)
		}
	}
	return cells
}

// nearer counts, over all pairs of the sorted distances, 2 where that to A is
// less and 1 where they are equal.
func nearer(toA, toB []float64) (count int64) {
	less, equal := 0, 0 // of toB: less than a; not more than a
	for _, a := range toA {
		for less < len(toB) && toB[less] < a {
			less++
		}
		equal = max(equal, less)
		for equal < len(toB) && toB[equal] == a {
			equal++
		}
		count += 2*int64(len(toB)-equal) + int64(equal-less)
	}
	return count
}
