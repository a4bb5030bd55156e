package metric

import "math"

// Divergence returns the Jensen-Shannon divergence (bits, in [0, 1]) of the codes
// in two counters of one codebook: 0 for codes used alike, 1 for those with none
// in common. Few codes make it too high. It is NaN if one of them is empty.
func Divergence(a, b *Counter) float64 {
	if a.total == 0 || b.total == 0 {
		return math.NaN()
	}
	d := 0.0
	for k := range a.counts {
		p, q := float64(a.counts[k])/float64(a.total), float64(b.counts[k])/float64(b.total)
		m := (p + q) / 2
		for _, v := range [2]float64{p, q} {
			if v > 0 {
				d += 0.5 * v * math.Log2(v/m)
			}
		}
	}
	return min(1, max(0, d))
}

// Merge counts the codes of another counter of the same codebook.
func (c *Counter) Merge(o *Counter) {
	for k, n := range o.counts {
		c.counts[k] += n
	}
	c.total += o.total
}
