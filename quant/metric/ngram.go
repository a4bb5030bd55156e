package metric

import (
	"maps"
	"slices"
)

// NGrams counts sequences of n codes that follow each other: what their entropy
// lacks of n times that of single codes is what a code tells of its neighbours.
type NGrams struct {
	n      int
	counts map[uint64]int64
}

// MaxNGram is the longest sequence that NGrams counts.
const MaxNGram = 4

// NewNGrams returns a counter of sequences of n codes, 1 to MaxNGram.
func NewNGrams(n int) *NGrams {
	if n < 1 || n > MaxNGram {
		panic("metric: n-grams of 1 to 4 codes can be counted")
	}
	return &NGrams{n: n, counts: map[uint64]int64{}}
}

// Add counts the sequences within codes [n].
func (g *NGrams) Add(codes []uint16) {
	var key uint64
	mask := ^uint64(0) >> (64 - 16*g.n)
	for i, k := range codes {
		key = (key<<16 | uint64(k)) & mask
		if i >= g.n-1 {
			g.counts[key]++
		}
	}
}

// Types returns how many different sequences there were.
func (g *NGrams) Types() int { return len(g.counts) }

// Entropy returns -Σ p log2 p of the sequences (bits a sequence). Few codes make
// it too low: it cannot be above log2 of their number.
func (g *NGrams) Entropy() float64 {
	c := Counter{counts: slices.Sorted(maps.Values(g.counts))} // sorted: always one sum
	for _, n := range c.counts {
		c.total += n
	}
	return c.Entropy()
}
