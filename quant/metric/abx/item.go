package abx

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// An Item is a line of an item file: what was said where.
type Item struct {
	File                    string  // its name without a suffix
	Onset, Offset           float64 // (s)
	Phone                   string
	Previous, Next, Speaker string
	Line                    int // in the item file, from 1
}

// Context returns the phones around the item.
func (i *Item) Context() string { return i.Previous + " " + i.Next }

// What an item file may hold; more is refused before it is stored.
const (
	maxItems    = 20_000_000
	maxItemLine = 64 << 10 // bytes
	maxBadLines = 1000     // then it is no item file
)

const itemFields = "file onset offset #phone prev-phone next-phone speaker"

// ReadItems reads an item file (ABXpy's .item): a header line that begins with #,
// then a line per item of seven fields separated by blanks,
//
//	#file onset offset #phone prev-phone next-phone speaker
//
// with times in seconds. Empty lines are skipped. A line that is not an item, or
// one that repeats another, is left out and reported in bad; the others count.
// More than 1000 such lines are an error.
func ReadItems(r io.Reader) (items []Item, bad []error, err error) {
	scan := bufio.NewScanner(r)
	scan.Buffer(nil, maxItemLine)
	seen := map[string]int{}
	strs := map[string]string{} // one copy of every name
	name := func(s string) string {
		if _, ok := strs[s]; !ok {
			s = strings.Clone(s)
			strs[s] = s
		}
		return strs[s]
	}
	n := 0
	refuse := func(err error) { bad = append(bad, fmt.Errorf("line %d: abx: %w", n, err)) }
	for scan.Scan() {
		if n++; len(bad) > maxBadLines {
			break
		}
		line := scan.Text()
		if n == 1 {
			if !strings.HasPrefix(line, "#") {
				return nil, nil, fmt.Errorf("abx: line 1 is %.60q, want the header #%s", line, itemFields)
			}
			continue
		}
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		item, err := parseItem(fields)
		if err != nil {
			refuse(err)
			continue
		}
		key := strings.Join(fields, " ")
		if first, ok := seen[key]; ok {
			refuse(fmt.Errorf("the item of line %d again", first))
			continue
		}
		if len(items) == maxItems {
			return nil, nil, fmt.Errorf("abx: more than %d items", maxItems)
		}
		seen[key] = n
		item.Line = n
		for _, s := range []*string{&item.File, &item.Phone, &item.Previous, &item.Next, &item.Speaker} {
			*s = name(*s)
		}
		items = append(items, item)
	}
	switch err := scan.Err(); {
	case len(bad) > maxBadLines:
		return nil, nil, fmt.Errorf("abx: more than %d lines are no items, the first is %w", maxBadLines, bad[0])
	case errors.Is(err, bufio.ErrTooLong):
		return nil, nil, fmt.Errorf("abx: line %d is longer than %d bytes", n+1, maxItemLine)
	case err != nil:
		return nil, nil, fmt.Errorf("abx: %w", err)
	case n == 0:
		return nil, nil, fmt.Errorf("abx: empty item file, want the header #%s", itemFields)
	case len(items) == 0 && len(bad) == 0:
		return nil, nil, errors.New("abx: no items after the header")
	}
	return items, bad, nil
}

func parseItem(fields []string) (Item, error) {
	if len(fields) != 7 {
		return Item{}, fmt.Errorf("%d fields, want 7: %s", len(fields), itemFields)
	}
	item := Item{File: fields[0], Phone: fields[3], Previous: fields[4], Next: fields[5], Speaker: fields[6]}
	var err [2]error
	item.Onset, err[0] = strconv.ParseFloat(fields[1], 64)
	item.Offset, err[1] = strconv.ParseFloat(fields[2], 64)
	if errors.Join(err[:]...) != nil || !(item.Onset >= 0 && item.Offset > item.Onset) || math.IsInf(item.Offset, 0) {
		return Item{}, fmt.Errorf("times %.40q to %.40q, want seconds, not negative and in order", fields[1], fields[2])
	}
	return item, nil
}

// edgeFrames is by how many frames an item may end after those of its file:
// front ends leave frames out at the edges.
const edgeFrames = 3

// within fails if the item is not in a file of n frames, one every step (s).
func (i *Item) within(n int, step float64) error {
	if rate, last := 1/step, float64(n+edgeFrames); i.Offset*rate > last || i.Onset*rate >= last {
		return fmt.Errorf("abx: item from %v to %v s is not in its file of %d frames (%.3f s)", i.Onset, i.Offset, n, float64(n)*step)
	}
	return nil
}

// Frames returns the frames [first, end) of an item in a file of n frames, one
// every step (s): those of libri-light,
//
//	[max(0, ⌈onset/step - 1/2⌉), min(n, ⌊offset/step - 1/2⌋))
//
// which are none for an item that is too short. It fails if the item is not in
// the file.
func (i *Item) Frames(n int, step float64) (first, end int, err error) {
	if err := i.within(n, step); err != nil {
		return 0, 0, err
	}
	rate := 1 / step
	first = int(max(0, math.Ceil(rate*i.Onset-0.5)))
	end = int(min(float64(n), math.Floor(rate*i.Offset-0.5)))
	return first, max(first, end), nil
}

// Centred returns the frames [first, end) of a file of n frames whose centres,
// (k + centre) step of frame k (s), are in [onset, offset):
//
//	[max(0, ⌈onset/step - centre⌉), min(n, ⌈offset/step - centre⌉))
//
// Differs from Frames, which leaves out the last of them, so that between two
// items that follow each other a frame is in neither. It fails if the item is not
// in the file.
func (i *Item) Centred(n int, step, centre float64) (first, end int, err error) {
	if err := i.within(n, step); err != nil {
		return 0, 0, err
	}
	rate := 1 / step
	from := func(seconds float64) int { return int(min(float64(n), max(0, math.Ceil(rate*seconds-centre)))) }
	return from(i.Onset), from(i.Offset), nil
}
