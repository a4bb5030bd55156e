// Package abx measures whether a representation of speech tells phones (or
// words) apart: the ABX error rate of the ZeroSpeech challenges.
//
// A triplet has items A and X of one phone and B of another, all in the same
// context; it counts 1 if X is nearer to A than to B, 1/2 if it is as near, else
// 0. The error is 1 less the mean, so that chance is 1/2. Within speakers, one
// speaker said all three; across speakers, one said A and B and another X.
//
//	ReadItems       item file → items
//	Item.Frames     times of an item → frames of its file
//	Evaluate        segments (items with their frames) → Result
//
// # Styles
//
// Style2019 is the evaluation of ZeroSpeech 2019 and 2020 (ABXpy): an item is a
// whole file; nothing is left out. Scores are averaged over contexts, then over
// pairs of speakers, then over ordered pairs of phones.
//
// Style2021 is that of ZeroSpeech 2021 (libri-light): an item is cut out of its
// utterance; large groups of items and of speakers X are sampled. Scores are
// averaged over contexts and speakers X together, then over speakers A, then over
// ordered pairs of phones.
//
// Within speakers both average over contexts, then speakers, then pairs of
// phones. The distance of two items is the mean frame distance on the cheapest
// alignment (dynamic time warping, or the edit distance). Where costs tie, the
// length of the path depends on which item gives the rows, and each style keeps
// the order of its own tool.
package abx

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"vqspeech/quant/metric"
)

// Style says which evaluation is followed.
type Style int

// The styles, named by their year.
const (
	Style2019 Style = 2019
	Style2021 Style = 2021
)

// Mode says who said X.
type Mode string

const (
	Within Mode = "within" // the speaker of A and B
	Across Mode = "across" // another
)

// Distance names the distance of two items.
type Distance string

const (
	// Cosine warps the angle of two frames over π, in [0, 1]. A frame of zeros is
	// 1 from any other and 0 from another of zeros.
	Cosine Distance = "cosine"

	// Euclidean warps the Euclidean distance of two frames; Style2021 takes that
	// of the frames over their norms, where a frame of zeros is 2 from any other.
	// Differs from libri-light, where it is 2e12 and rounds other frames away.
	Euclidean Distance = "euclidean"

	// KL warps the mean of the two Kullback-Leibler divergences (nats) of frames
	// as distributions; frames must be non-negative and not all zero.
	KL Distance = "kl"

	// Hamming warps 1 for different symbols, 0 for equal ones.
	Hamming Distance = "hamming"

	// Edit is the Levenshtein distance of the symbols, not divided by a length.
	Edit Distance = "edit"
)

// Distances lists every distance in the order in which they are documented.
var Distances = []Distance{Cosine, Euclidean, KL, Hamming, Edit}

// Symbolic reports whether only the equality of frames matters.
func (d Distance) Symbolic() bool { return d == Hamming || d == Edit }

// Config says what to measure.
type Config struct {
	Style    Style
	Mode     Mode
	Distance Distance

	// MaxGroup bounds the items of one phone, context and speaker, MaxX the
	// speakers X of one phone, context and speaker A; 0 is no bound. What is left
	// out is drawn by Seed. Differs from libri-light, which draws again for every
	// triplet of groups.
	MaxGroup, MaxX int
	Seed           uint64

	// Unnormalised compares costs of alignments, not means along their paths.
	Unnormalised bool
}

// Validate reports the first field that is out of range.
func (c Config) Validate() error {
	switch {
	case c.Style != Style2019 && c.Style != Style2021:
		return fmt.Errorf("abx: style must be 2019 or 2021 (got %d)", c.Style)
	case c.Mode != Within && c.Mode != Across:
		return fmt.Errorf("abx: mode must be within or across (got %q)", c.Mode)
	case !slices.Contains(Distances, c.Distance):
		return fmt.Errorf("abx: distance must be one of %v (got %q)", Distances, c.Distance)
	case c.MaxGroup < 0 || c.MaxX < 0:
		return fmt.Errorf("abx: bounds of groups must not be negative (got %d and %d)", c.MaxGroup, c.MaxX)
	}
	return nil
}

// A Segment is an item with what represents it: N frames of D values, or N
// symbols.
type Segment struct {
	Phone, Context, Speaker string

	Dim     int       // D
	Frames  []float32 // [N, D]
	Symbols []int32   // [N]; only for symbolic distances, instead of frames
}

// len returns N.
func (s *Segment) len() int {
	if s.Symbols != nil {
		return len(s.Symbols)
	}
	return len(s.Frames) / max(s.Dim, 1)
}

// Check reports why a segment has no distance to others: it is empty, a value is
// not finite, or the distance is not for such values.
func (s *Segment) Check(d Distance) error {
	if s.len() == 0 {
		return fmt.Errorf("abx: no frames")
	}
	if s.Symbols != nil {
		if !d.Symbolic() {
			return fmt.Errorf("abx: symbols have no distance %s, want vectors", d)
		}
		return nil
	}
	if s.Dim < 1 || len(s.Frames)%s.Dim != 0 {
		return fmt.Errorf("abx: %d values in frames of %d", len(s.Frames), s.Dim)
	}
	for i, v := range s.Frames {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return fmt.Errorf("abx: frame %d has the value %v, want finite numbers", i/s.Dim, v)
		}
		if d == KL && v < 0 {
			return fmt.Errorf("abx: frame %d has the value %v, distance kl wants none below 0", i/s.Dim, v)
		}
	}
	if d == KL {
		for i := range s.len() {
			if !slices.ContainsFunc(s.Frames[i*s.Dim:][:s.Dim], func(v float32) bool { return v > 0 }) {
				return fmt.Errorf("abx: frame %d is all zeros, distance kl wants a distribution", i)
			}
		}
	}
	return nil
}

// A Result is the error of all triplets.
type Result struct {
	Error    float64 // in [0, 1]; NaN if there are no triplets
	Pairs    []Pair  // sorted by A, then B
	Cells    int     // averaged scores: of two phones, their context and speakers
	Triplets int64
	Items    int // that are in a triplet
}

// A Pair is an ordered pair of phones: that of A and X, and that of B.
type Pair struct {
	A, B     string
	Error    float64
	Cells    int
	Triplets int64
}

// Evaluate measures segments. The result does not depend on the number of
// threads. It fails if a segment does not pass Check, if dimensions differ, or if
// all frames of all items are equal, so that no distance tells them apart.
func Evaluate(segments []Segment, c Config) (*Result, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	for i := range segments {
		s := &segments[i]
		err := s.Check(c.Distance)
		if err == nil && s.Dim != segments[0].Dim {
			err = fmt.Errorf("abx: frames of %d values, want %d as before", s.Dim, segments[0].Dim)
		}
		if err != nil {
			return nil, fmt.Errorf("segment %d: %w", i, err)
		}
	}
	p := newPlan(segments, c)
	if err := p.check(); err != nil {
		return nil, err
	}
	space := newSpace(p.usedSegments(segments), c)
	if space.alike() {
		return nil, errors.New("abx: all frames of all items are equal, nothing tells them apart")
	}
	cells := p.run(space, c)
	r := average(cells, p.phones, c)
	r.Items = p.used()
	return r, nil
}

// symbolsOf numbers the different frames of segments.
func symbolsOf(segments []*Segment) [][]int32 {
	var types metric.Types
	out := make([][]int32, len(segments))
	for i, s := range segments {
		if out[i] = s.Symbols; s.Symbols == nil {
			out[i] = types.Number(s.Frames, s.Dim)
		}
	}
	return out
}
