package corpus

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"vqspeech/internal/journal"
	"vqspeech/internal/strict"
)

// maxLineBytes bounds a line of a manifest; real lines have about 300 bytes.
const maxLineBytes = 1 << 16

// readManifest reads utterances, one JSON object a line. Errors name the line.
func readManifest(r io.Reader) ([]Utterance, error) {
	var us []Utterance
	ids := map[string]bool{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLineBytes)
	n := 1
	for ; lines.Scan(); n++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		u, err := parseUtterance(line)
		if err == nil && ids[u.ID] {
			err = fmt.Errorf("utterance id %q appears twice", u.ID)
		}
		if err != nil {
			return us, fmt.Errorf("line %d: %w", n, err)
		}
		ids[u.ID] = true
		us = append(us, u)
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return us, fmt.Errorf("line %d: longer than %d bytes", n, maxLineBytes)
	}
	return us, lines.Err()
}

func parseUtterance(line []byte) (Utterance, error) {
	var u Utterance
	if err := strict.JSON(line, &u); err != nil {
		return u, err
	}
	return u, checkUtterance(u)
}

func checkUtterance(u Utterance) error {
	if err := checkID(u.ID); err != nil {
		return err
	}
	finite := func(x float32) bool { return !math.IsNaN(float64(x)) && !math.IsInf(float64(x), 0) }
	switch {
	case u.Mel != melPath(u.ID):
		return fmt.Errorf("mel is %q, want %q", u.Mel, melPath(u.ID))
	case u.Frames < 1 || u.Frames > math.MaxInt32:
		return fmt.Errorf("frames is %d, want at least 1", u.Frames)
	case u.Samples < 1 || u.SampleRate < 1:
		return fmt.Errorf("%d samples at %d Hz, want at least 1 of each", u.Samples, u.SampleRate)
	case u.Speaker == "" || u.Split == "":
		return errors.New("speaker or split is empty")
	case !finite(u.Peak) || u.Peak < 0 || !finite(u.MaxDB):
		return fmt.Errorf("peak %v and max_db %v, want finite levels", u.Peak, u.MaxDB)
	}
	return nil
}

// journalHead is the first line of what an unfinished Prepare leaves behind;
// the finished utterances follow, in any order.
type journalHead struct {
	Version  int      `json:"version"`
	Corpus   string   `json:"corpus"`
	Features Geometry `json:"features"`
}

// readJournal returns the head and the finished utterances of the journal at
// path; both are empty if there is none.
func readJournal(path string) (head journalHead, us []Utterance, err error) {
	head, us, err = journal.Read[journalHead, Utterance](path, maxLineBytes)
	return head, slices.DeleteFunc(us, func(u Utterance) bool { return checkUtterance(u) != nil }), err
}
