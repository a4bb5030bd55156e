package phones

import (
	"cmp"
	"slices"
)

// A Span is the frames [First, End) of a file in which a phone was said.
type Span struct {
	First, End int
	Phone      string
}

// Label returns the phone of each of the n frames of a file, "" for those that no
// span has, and for those, counted as ambiguous, that spans of different phones
// have, such as those of triphones that overlap. Spans that are empty or not
// within [0, n) do not count.
func Label(spans []Span, n int) (labels []string, ambiguous int) {
	type event struct {
		frame, change int
		phone         string
	}
	var events []event
	for _, s := range spans {
		if 0 <= s.First && s.First < s.End && s.End <= n {
			events = append(events, event{s.First, +1, s.Phone}, event{s.End, -1, s.Phone})
		}
	}
	slices.SortFunc(events, func(a, b event) int { return cmp.Compare(a.frame, b.frame) })
	labels = make([]string, n)
	said := map[string]int{} // spans that have the frame
	for i, e := range events {
		if said[e.phone] += e.change; said[e.phone] == 0 {
			delete(said, e.phone)
		}
		if i+1 == len(events) {
			break
		}
		next := events[i+1].frame
		switch len(said) {
		case 0:
		case 1:
			for phone := range said {
				for t := e.frame; t < next; t++ {
					labels[t] = phone
				}
			}
		default:
			ambiguous += next - e.frame
		}
	}
	return labels, ambiguous
}
