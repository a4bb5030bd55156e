// Package metric measures how a codebook is used over a corpus: perplexity,
// usage, entropy and bitrate.
package metric

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// PublishedEps is the eps of Counter.PerplexityEps in sony/sqvae and
// bshall/ZeroSpeech.
const PublishedEps = 1e-10

// Counter counts how often each code occurs.
type Counter struct {
	counts []int64
	total  int64
}

// NewCounter returns a Counter for a codebook of size codes, at least 1.
func NewCounter(size int) *Counter { return &Counter{counts: make([]int64, size)} }

// Add counts codes [n] uint16. If one of them is not below the codebook size,
// none is counted.
func (c *Counter) Add(codes []uint16) error {
	for _, k := range codes {
		if int(k) >= len(c.counts) {
			return fmt.Errorf("metric: code %d does not fit a codebook of %d", k, len(c.counts))
		}
	}
	for _, k := range codes {
		c.counts[k]++
	}
	c.total += int64(len(codes))
	return nil
}

// Total returns the number of codes counted.
func (c *Counter) Total() int64 { return c.total }

// Used returns how many different codes occurred.
func (c *Counter) Used() int {
	used := 0
	for _, n := range c.counts {
		if n > 0 {
			used++
		}
	}
	return used
}

// Usage returns Used as a fraction of the codebook, in [0, 1].
func (c *Counter) Usage() float64 { return float64(c.Used()) / float64(len(c.counts)) }

// sum returns Σ p f(p) over the codes that occurred. It is 0 for no codes.
func (c *Counter) sum(f func(p float64) float64) float64 {
	s := 0.0
	for _, n := range c.counts {
		if n > 0 {
			p := float64(n) / float64(c.total)
			s += p * f(p)
		}
	}
	return s
}

// Entropy returns H = -Σ p log2 p of the codes (bits per code), in
// [0, log2 K]; 0 if nothing was counted.
func (c *Counter) Entropy() float64 { return max(0, -c.sum(math.Log2)) } // max: no -0

// Perplexity returns exp(-Σ p ln p), in [1, K]: how many codes, used alike,
// would have the same entropy. It is 1 if nothing was counted.
func (c *Counter) Perplexity() float64 { return math.Exp(-c.sum(math.Log)) }

// PerplexityEps returns exp(-Σ p ln(p + eps)), the form of published code,
// where eps is PublishedEps.
func (c *Counter) PerplexityEps(eps float64) float64 {
	return math.Exp(-c.sum(func(p float64) float64 { return math.Log(p + eps) }))
}

// EntropyBitrate returns n H / duration (bit/s): the ZeroSpeech 2019/2020
// bitrate of the counted codes, with the duration (s) of all audio they stand
// for. The challenge counts different vectors, which is the same as long as no
// two codes have equal vectors. It is 0 for a duration that is not positive.
func (c *Counter) EntropyBitrate(durationSeconds float64) float64 {
	if !(durationSeconds > 0) {
		return 0
	}
	return float64(c.total) * c.Entropy() / durationSeconds
}

// Shares returns what part of the codes counted each one is, largest first; all
// 0 for no codes.
func (c *Counter) Shares() []float64 {
	shares := make([]float64, len(c.counts))
	for i, n := range c.counts {
		shares[i] = float64(n) / float64(max(c.total, 1))
	}
	slices.SortFunc(shares, func(a, b float64) int { return cmp.Compare(b, a) })
	return shares
}
