// Package wer measures transcripts against their references: the word error rate
// and the character error rate.
//
//	ReadTranscript  text file → lines
//	Pair            lines of reference and hypothesis that belong together
//	Count           a pair → errors
//
// Text is compared as it stands: case and punctuation count. Words are what blanks
// separate.
package wer

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// A Line is what was said in an utterance.
type Line struct {
	ID   string // "" in a transcript without ids
	Text string
}

// What a transcript may hold; more is refused.
const (
	maxLine  = 1 << 20 // bytes
	maxLines = 10_000_000
	maxWork  = 1 << 30 // words of a reference times those of its hypothesis
)

// ReadTranscript reads a text with an utterance per line. If the first line has a
// tab, all do, and what is in front of it is the id of the utterance.
func ReadTranscript(r io.Reader) ([]Line, error) {
	scan := bufio.NewScanner(r)
	scan.Buffer(nil, maxLine)
	var lines []Line
	for scan.Scan() {
		n := len(lines) + 1
		text := strings.TrimSuffix(scan.Text(), "\r")
		if n == 1 {
			text = strings.TrimPrefix(text, "\ufeff") // the mark of UTF-8 that some editors write
		}
		if !utf8.ValidString(text) {
			return nil, fmt.Errorf("wer: line %d is not UTF-8 text", n)
		}
		id, said, keyed := strings.Cut(text, "\t")
		switch {
		case n > maxLines:
			return nil, fmt.Errorf("wer: more than %d lines", maxLines)
		case n > 1 && keyed != (lines[0].ID != ""):
			return nil, fmt.Errorf("wer: line %d: want either an id and a tab in all lines or in none", n)
		case keyed && id == "":
			return nil, fmt.Errorf("wer: line %d has no id in front of the tab", n)
		case keyed:
			lines = append(lines, Line{id, said})
		default:
			lines = append(lines, Line{Text: text})
		}
	}
	switch err := scan.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, fmt.Errorf("wer: line %d is longer than %d bytes", len(lines)+1, maxLine)
	case err != nil:
		return nil, fmt.Errorf("wer: %w", err)
	case len(lines) == 0:
		return nil, errors.New("wer: empty transcript")
	}
	return lines, nil
}

// A Couple is a reference and its hypothesis.
type Couple struct{ Reference, Hypothesis Line }

// Pair joins lines by their ids or, where there are none, by their numbers; then
// both must have as many. Ids that are missing on one side or come twice are left
// out and reported in bad.
func Pair(reference, hypothesis []Line) (couples []Couple, bad []error, err error) {
	if len(reference) == 0 || len(hypothesis) == 0 {
		return nil, nil, errors.New("wer: empty transcript")
	}
	if keyed := reference[0].ID != ""; keyed != (hypothesis[0].ID != "") {
		return nil, nil, errors.New("wer: one transcript has ids and the other none")
	} else if !keyed {
		if len(reference) != len(hypothesis) {
			return nil, nil, fmt.Errorf("wer: reference of %d lines and hypothesis of %d, want as many", len(reference), len(hypothesis))
		}
		for i := range reference {
			couples = append(couples, Couple{reference[i], hypothesis[i]})
		}
		return couples, nil, nil
	}
	heard := map[string][]Line{}
	for _, h := range hypothesis {
		heard[h.ID] = append(heard[h.ID], h)
	}
	known := map[string]int{}
	for _, r := range reference {
		known[r.ID]++
	}
	for _, r := range reference {
		switch h := heard[r.ID]; {
		case known[r.ID] < 0: // was reported
		case known[r.ID] > 1:
			bad = append(bad, fmt.Errorf("wer: %q comes %d times in the reference", r.ID, known[r.ID]))
			known[r.ID] = -1
		case len(h) == 0:
			bad = append(bad, fmt.Errorf("wer: %q has no hypothesis", r.ID))
		case len(h) > 1:
			bad = append(bad, fmt.Errorf("wer: %q comes %d times in the hypothesis", r.ID, len(h)))
		default:
			couples = append(couples, Couple{r, h[0]})
		}
	}
	for _, h := range hypothesis {
		if known[h.ID] == 0 {
			bad = append(bad, fmt.Errorf("wer: %q has no reference", h.ID))
			known[h.ID] = -1
		}
	}
	return couples, bad, nil
}

// Errors counts what it takes to turn a reference into a hypothesis.
type Errors struct {
	Reference, Substitutions, Deletions, Insertions int64
}

// Add pools the errors of another pair.
func (e *Errors) Add(o Errors) {
	e.Reference += o.Reference
	e.Substitutions += o.Substitutions
	e.Deletions += o.Deletions
	e.Insertions += o.Insertions
}

// Total returns the number of errors.
func (e Errors) Total() int64 { return e.Substitutions + e.Deletions + e.Insertions }

// Rate returns the errors over the length of the reference; it may be above 1, and
// is NaN or infinite for an empty reference.
func (e Errors) Rate() float64 { return float64(e.Total()) / float64(e.Reference) }

// Count returns the errors in words, or in characters (code points of the words
// joined by single spaces): the fewest that there can be, and of ways with as few
// that with most substitutions.
func Count(c Couple, characters bool) (Errors, error) {
	reference, hypothesis := tokens(c.Reference.Text, characters), tokens(c.Hypothesis.Text, characters)
	if int64(len(reference))*int64(len(hypothesis)) > maxWork {
		return Errors{}, fmt.Errorf("wer: %d and %d words or characters are too many to compare", len(reference), len(hypothesis))
	}
	return align(reference, hypothesis), nil
}

func tokens(text string, characters bool) []string {
	words := strings.Fields(text)
	if !characters {
		return words
	}
	return strings.Split(strings.Join(words, " "), "")
}

// align counts errors along the cheapest alignment, row by row.
func align(reference, hypothesis []string) Errors {
	better := func(a, b Errors) bool {
		if a.Total() != b.Total() {
			return a.Total() < b.Total()
		}
		return a.Substitutions > b.Substitutions
	}
	row := make([]Errors, len(hypothesis)+1)
	for j := range row {
		row[j].Insertions = int64(j)
	}
	for _, r := range reference {
		diagonal := row[0]
		row[0].Deletions++
		for j, h := range hypothesis {
			best := diagonal
			if r != h {
				best.Substitutions++
			}
			deletion, insertion := row[j+1], row[j]
			deletion.Deletions++
			insertion.Insertions++
			for _, other := range [2]Errors{deletion, insertion} {
				if better(other, best) {
					best = other
				}
			}
			diagonal = row[j+1]
			row[j+1] = best
		}
	}
	e := row[len(hypothesis)]
	e.Reference = int64(len(reference))
	return e
}
