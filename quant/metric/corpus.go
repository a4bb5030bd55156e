package metric

import (
	"maps"
	"math"
	"slices"
)

// Corpus counts symbols file by file, so that figures of samples of the files can
// be had as well. The zero value is ready.
type Corpus struct {
	files []fileCounts
	types int32 // 1 + the largest symbol
}

type fileCounts struct {
	symbols []int32 // sorted
	counts  []int64
	seconds float64
}

// Rate is what a set of files needs to say which symbols come, if each is coded
// alone: the bitrate of ZeroSpeech 2019 and 2020.
type Rate struct {
	Symbols    int64
	Types      int     // different symbols
	Entropy    float64 // H = -Σ p log2 p (bits a symbol)
	Perplexity float64 // 2^H
	Seconds    float64
	Bitrate    float64 // Symbols H / Seconds (bit/s); NaN for no time
}

// Add counts a file of symbols, none negative, that lasts so long.
func (c *Corpus) Add(symbols []int32, seconds float64) {
	counts := map[int32]int64{}
	for _, s := range symbols {
		counts[s]++
		c.types = max(c.types, s+1)
	}
	f := fileCounts{symbols: slices.Sorted(maps.Keys(counts)), seconds: seconds}
	for _, s := range f.symbols {
		f.counts = append(f.counts, counts[s])
	}
	c.files = append(c.files, f)
}

// Len returns the number of files.
func (c *Corpus) Len() int { return len(c.files) }

// Rate returns the rate of a sample of the files, by their numbers; nil is all.
func (c *Corpus) Rate(sample []int) Rate {
	counts := make([]int64, c.types)
	var r Rate
	add := func(f *fileCounts) {
		for i, s := range f.symbols {
			counts[s] += f.counts[i]
			r.Symbols += f.counts[i]
		}
		r.Seconds += f.seconds
	}
	if sample == nil {
		for i := range c.files {
			add(&c.files[i])
		}
	}
	for _, i := range sample {
		add(&c.files[i])
	}
	all := Counter{counts: counts, total: r.Symbols}
	r.Types, r.Entropy, r.Perplexity = all.Used(), all.Entropy(), all.Perplexity()
	r.Bitrate = math.NaN()
	if r.Seconds > 0 {
		r.Bitrate = all.EntropyBitrate(r.Seconds)
	}
	return r
}
