// Package phones measures what codes tell of the phones (or words) that were said:
// the phoneme probe of van den Oord et al. 2017 and the purities of HuBERT (Hsu et
// al. 2021).
//
//	abx.ReadItems       item file → items
//	abx.Item.Centred    times of an item → frames of its file
//	Label               frames of items → the phone of every frame
//	Corpus.Add          codes and phones of a file → counts
//	Corpus.Scores       how well codes and phones agree
//	Corpus.CrossFit     the same of a map on files that it was not fitted on
//
// # Measures
//
// p(z, y) is the share of the frames that have code z and phone y, p(z) and p(y)
// its sums. The map gives every code the phone that most of its frames have,
// argmax_y p(z, y); of two as frequent, that whose name sorts first.
//
//	phone purity    Σ_z max_y p(z, y)
//	cluster purity  Σ_y max_z p(z, y)
//	PNMI            I(z; y) / H(y), I = Σ p(z, y) ln(p(z, y) / (p(z) p(y))), H(y) = -Σ p(y) ln p(y)
//	majority        max_y p(y)
//
// Phone purity is the accuracy of the map on the frames that it was fitted on. It
// grows with the number of codes, up to 1 for a code per frame, where CrossFit
// shows that such a map is worth nothing; cluster purity shrinks with it.
package phones

import (
	"cmp"
	"math"
	"slices"
)

// Corpus counts codes and phones file by file, so that figures of samples of the
// files can be had as well. The zero value is ready.
type Corpus struct {
	names  []string // of phones, in the order in which they first came
	number map[string]int32
	cells  []cell // in the order in which they first came
	index  map[cell]int32
	codes  int32 // 1 + the largest
	files  []file
}

// A cell is a place in the table of codes and phones.
type cell struct{ code, phone int32 }

// file counts the frames of a file in each cell that has some.
type file struct {
	cells  []int32
	counts []int64
}

// Add counts a file: codes [N], none negative, and the phone of each; those
// without one, "", do not count. It panics if there are not as many phones.
func (c *Corpus) Add(codes []int32, labels []string) {
	if len(codes) != len(labels) {
		panic("phones: not as many phones as codes")
	}
	if c.index == nil {
		c.number, c.index = map[string]int32{}, map[cell]int32{}
	}
	var f file
	at := map[int32]int{} // of a cell in f
	for i, code := range codes {
		if labels[i] == "" {
			continue
		}
		phone, ok := c.number[labels[i]]
		if !ok {
			phone = int32(len(c.names))
			c.number[labels[i]] = phone
			c.names = append(c.names, labels[i])
		}
		c.codes = max(c.codes, code+1)
		k, ok := c.index[cell{code, phone}]
		if !ok {
			k = int32(len(c.cells))
			c.index[cell{code, phone}] = k
			c.cells = append(c.cells, cell{code, phone})
		}
		j, ok := at[k]
		if !ok {
			j = len(f.cells)
			at[k] = j
			f.cells, f.counts = append(f.cells, k), append(f.counts, 0)
		}
		f.counts[j]++
	}
	c.files = append(c.files, f)
}

// Len returns the number of files.
func (c *Corpus) Len() int { return len(c.files) }

// Scores says how well codes and phones agree; see the package. Purities and the
// majority are NaN if there are no frames, and so is the PNMI where all frames
// have one phone.
type Scores struct {
	Frames        int64
	Codes, Phones int // different ones
	PhonePurity   float64
	ClusterPurity float64
	PNMI          float64
	Majority      float64
}

// Scores returns those of a sample of the files, by their numbers; nil is all.
func (c *Corpus) Scores(sample []int) Scores {
	counts := make([]int64, len(c.cells))
	if sample == nil {
		for i := range c.files {
			c.files[i].addTo(counts)
		}
	}
	for _, i := range sample {
		c.files[i].addTo(counts)
	}
	type sums struct{ all, most int64 }
	byCode, byPhone := make([]sums, c.codes), make([]sums, len(c.names))
	var s Scores
	for k, n := range counts {
		s.Frames += n
		for _, of := range []*sums{&byCode[c.cells[k].code], &byPhone[c.cells[k].phone]} {
			of.all += n
			of.most = max(of.most, n)
		}
	}
	total := float64(s.Frames)
	purity := func(set []sums) (different int, purity float64) {
		var most int64
		for _, of := range set {
			if of.all > 0 {
				different++
			}
			most += of.most
		}
		return different, float64(most) / total
	}
	s.Codes, s.PhonePurity = purity(byCode)
	s.Phones, s.ClusterPurity = purity(byPhone)
	var majority int64
	entropy, information := 0.0, 0.0
	for _, of := range byPhone {
		majority = max(majority, of.all)
		if of.all > 0 {
			entropy += float64(of.all) / total * math.Log(total/float64(of.all))
		}
	}
	for k, n := range counts {
		if n > 0 {
			chance := float64(byCode[c.cells[k].code].all) / total * float64(byPhone[c.cells[k].phone].all)
			information += float64(n) / total * math.Log(float64(n)/chance)
		}
	}
	s.Majority = float64(majority) / total
	if s.PNMI = math.NaN(); s.Phones > 1 {
		s.PNMI = min(1, max(0, information/entropy)) // rounding may leave the range
	}
	return s
}

func (f *file) addTo(counts []int64) {
	for j, k := range f.cells {
		counts[k] += f.counts[j]
	}
}

// Mapped is the phone of a code.
type Mapped struct {
	Code   int32
	Phone  string
	Frames int64   // of the code
	Share  float64 // of them that have the phone
}

// Map returns the phone of every code that came, by code.
func (c *Corpus) Map() []Mapped {
	counts := make([]int64, len(c.cells))
	for i := range c.files {
		c.files[i].addTo(counts)
	}
	frames := make([]int64, c.codes)
	for k, n := range counts {
		frames[c.cells[k].code] += n
	}
	var m []Mapped
	best, _ := c.fit(counts)
	for code, k := range best {
		if k >= 0 {
			m = append(m, Mapped{int32(code), c.names[c.cells[k].phone], frames[code], float64(counts[k]) / float64(frames[code])})
		}
	}
	return m
}

// fit returns the best cell of every code, -1 for a code that has none, and the
// most frequent phone.
func (c *Corpus) fit(counts []int64) (best []int, majority int32) {
	best = slices.Repeat([]int{-1}, int(c.codes))
	byPhone := make([]int64, len(c.names))
	for k, n := range counts {
		at := c.cells[k]
		byPhone[at.phone] += n
		b := best[at.code]
		if n > 0 && (b < 0 || c.compare(n, at.phone, counts[b], c.cells[b].phone) > 0) {
			best[at.code] = k
		}
	}
	for phone, n := range byPhone {
		if c.compare(n, int32(phone), byPhone[majority], majority) > 0 {
			majority = int32(phone)
		}
	}
	return best, majority
}

// compare orders phones by frames, then by name backwards.
func (c *Corpus) compare(n int64, phone int32, m int64, other int32) int {
	return cmp.Or(cmp.Compare(n, m), cmp.Compare(c.names[other], c.names[phone]))
}
