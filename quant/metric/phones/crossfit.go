package phones

// Folds is the number of parts of CrossFit.
const Folds = 5

// Hits says how many frames of a file got their phone.
type Hits struct{ Right, Frames int64 }

// CrossFit returns, for every file, how many of its frames get their phone from
// the map of codes to phones that was fitted on the files of the other folds.
// File i is in fold i mod 5, or mod the number of files if they are fewer. A code
// that does not come there has the most frequent phone. A single file has no
// others to fit a map on: none of its frames count.
func (c *Corpus) CrossFit() []Hits {
	hits := make([]Hits, len(c.files))
	if len(c.files) < 2 {
		return hits
	}
	folds := min(Folds, len(c.files))
	for fold := range folds {
		counts := make([]int64, len(c.cells))
		for i := range c.files {
			if i%folds != fold {
				c.files[i].addTo(counts)
			}
		}
		best, majority := c.fit(counts)
		for i := fold; i < len(c.files); i += folds {
			f := &c.files[i]
			for j, k := range f.cells {
				phone := majority
				if b := best[c.cells[k].code]; b >= 0 {
					phone = c.cells[b].phone
				}
				if hits[i].Frames += f.counts[j]; phone == c.cells[k].phone {
					hits[i].Right += f.counts[j]
				}
			}
		}
	}
	return hits
}

// Accuracy returns the share of the frames that got their phone in a sample of
// the files, by their numbers; nil is all. It is NaN for no frames.
func Accuracy(hits []Hits, sample []int) float64 {
	var sum Hits
	add := func(h Hits) { sum.Right, sum.Frames = sum.Right+h.Right, sum.Frames+h.Frames }
	if sample == nil {
		for _, h := range hits {
			add(h)
		}
	}
	for _, i := range sample {
		add(hits[i])
	}
	return float64(sum.Right) / float64(sum.Frames)
}
