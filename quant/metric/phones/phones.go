// Package phones measures what codes tell of the phones (or words) that were said:
// the phoneme probe of van den Oord et al. 2017 and the purities of HuBERT (Hsu et
// al. 2021).
//
//	abx.ReadItems       item file → items
//	abx.Item.Centred    times of an item → frames of its file
//	Label               frames of items → the phone of every frame
//	Corpus.Add          codes and phones of a file → counts
//	Corpus.Terms        what the frames of every file add to the measures
//	Sum                 terms of all files, or of a sample → the measures
//
// # Measures
//
// p(z, y) is the share of the frames that have code z and phone y, p(z) and p(y)
// its sums. The map gives every code the phone that most of its frames have,
// argmax_y p(z, y); of two as frequent, that whose name sorts first.
//
//	accuracy        of the map on files that it was not fitted on
//	majority        max_y p(y)
//	phone purity    Σ_z max_y p(z, y)
//	cluster purity  Σ_y max_z p(z, y)
//	PNMI            I(z; y) / H(y), I = Σ p(z, y) ln(p(z, y) / (p(z) p(y))), H(y) = -Σ p(y) ln p(y)
//
// Phone purity is the accuracy of the map on the frames that it was fitted on. It
// grows with the number of codes, up to 1 for a code per frame, whose map is worth
// nothing on other files; cluster purity shrinks with it.
package phones

import (
	"cmp"
	"math"
	"slices"
)

// Corpus counts codes and phones file by file. The zero value is ready.
type Corpus struct {
	names  []string // of phones, in the order in which they first came
	number map[string]int32
	cells  []cell // in the order in which they first came
	index  map[cell]int32
	codes  int32 // 1 + the largest
	files  []file
}

// A cell is a place in the table of codes and phones that some frame has.
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

// Phones returns the number of different phones.
func (c *Corpus) Phones() int { return len(c.names) }

// counts returns the frames of every cell in the files that are wanted.
func (c *Corpus) counts(want func(file int) bool) []int64 {
	counts := make([]int64, len(c.cells))
	for i, f := range c.files {
		if want(i) {
			for j, k := range f.cells {
				counts[k] += f.counts[j]
			}
		}
	}
	return counts
}

// table is what counts of cells say.
type table struct {
	total    int64
	codes    []int64 // frames of each
	phones   []int64
	phoneOf  []int // the cell of the most frequent phone of a code; -1 if it does not come
	codeOf   []int // of the most frequent code of a phone
	majority int32 // phone
}

func (c *Corpus) table(counts []int64) *table {
	t := &table{
		codes: make([]int64, c.codes), phones: make([]int64, len(c.names)),
		phoneOf: slices.Repeat([]int{-1}, int(c.codes)), codeOf: slices.Repeat([]int{-1}, len(c.names)),
	}
	for k, n := range counts {
		at := c.cells[k]
		t.total += n
		t.codes[at.code] += n
		t.phones[at.phone] += n
		if n == 0 {
			continue
		}
		if b := t.phoneOf[at.code]; b < 0 || c.compare(n, at.phone, counts[b], c.cells[b].phone) > 0 {
			t.phoneOf[at.code] = k
		}
		if b := t.codeOf[at.phone]; b < 0 || n > counts[b] || n == counts[b] && at.code < c.cells[b].code {
			t.codeOf[at.phone] = k
		}
	}
	for phone, n := range t.phones {
		if c.compare(n, int32(phone), t.phones[t.majority], t.majority) > 0 {
			t.majority = int32(phone)
		}
	}
	return t
}

// compare orders phones by frames, then by name backwards.
func (c *Corpus) compare(n int64, phone int32, m int64, other int32) int {
	return cmp.Or(cmp.Compare(n, m), cmp.Compare(c.names[other], c.names[phone]))
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
	counts := c.counts(func(int) bool { return true })
	t := c.table(counts)
	var m []Mapped
	for code, k := range t.phoneOf {
		if k >= 0 {
			m = append(m, Mapped{int32(code), c.names[c.cells[k].phone], t.codes[code], float64(counts[k]) / float64(t.codes[code])})
		}
	}
	return m
}

// Terms are what the frames of a file add to the measures: each is the share, or
// the quotient, of two sums.
type Terms struct {
	Frames   int64
	Tested   int64 // by a map that was fitted on other files
	Right    int64 // of these, those whose phone it gave
	Majority int64 // have the most frequent phone of all
	Mapped   int64 // have the phone of their code
	Cluster  int64 // have the most frequent code of their phone

	Information float64 // Σ ln(p(z, y) / (p(z) p(y))) (nats)
	Surprise    float64 // Σ -ln p(y) (nats)
}

// Folds is the number of parts in which files are tested.
const Folds = 5

// Terms returns those of every file. File i is in fold i mod 5, or mod the number
// of files if they are fewer, and is tested by the map that was fitted on the
// files of the other folds, where a code that does not come there has the most
// frequent phone. A single file has no others: none of its frames is tested.
func (c *Corpus) Terms() []Terms {
	terms := make([]Terms, len(c.files))
	counts := c.counts(func(int) bool { return true })
	all := c.table(counts)
	for i, f := range c.files {
		t := &terms[i]
		for j, k := range f.cells {
			at, n := c.cells[k], f.counts[j]
			t.Frames += n
			if at.phone == all.majority {
				t.Majority += n
			}
			if all.phoneOf[at.code] == int(k) {
				t.Mapped += n
			}
			if all.codeOf[at.phone] == int(k) {
				t.Cluster += n
			}
			p := float64(all.phones[at.phone]) / float64(all.total)
			t.Information += float64(n) * math.Log(float64(counts[k])/(float64(all.codes[at.code])*p))
			t.Surprise -= float64(n) * math.Log(p)
		}
	}
	folds := min(Folds, len(c.files))
	if folds < 2 {
		return terms
	}
	for fold := range folds {
		others := c.table(c.counts(func(i int) bool { return i%folds != fold }))
		for i := fold; i < len(c.files); i += folds {
			for j, k := range c.files[i].cells {
				at, n := c.cells[k], c.files[i].counts[j]
				phone := others.majority
				if b := others.phoneOf[at.code]; b >= 0 {
					phone = c.cells[b].phone
				}
				terms[i].Tested += n
				if phone == at.phone {
					terms[i].Right += n
				}
			}
		}
	}
	return terms
}
