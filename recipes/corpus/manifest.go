package corpus

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"vqspeech/internal/atomicfile"
	"vqspeech/internal/strict"
)

// maxLineBytes bounds a line of a manifest; real lines have about 300 bytes.
const maxLineBytes = 1 << 16

var errLong = fmt.Errorf("longer than %d bytes", maxLineBytes)

// readManifest reads utterances, one JSON object a line. Errors name the line.
func readManifest(r io.Reader) ([]Utterance, error) {
	var us []Utterance
	ids := map[string]bool{}
	err := eachLine(r, func(n int, line []byte) error {
		u, err := parseUtterance(line)
		if err == nil && ids[u.ID] {
			err = fmt.Errorf("utterance id %q appears twice", u.ID)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		ids[u.ID] = true
		us = append(us, u)
		return nil
	})
	return us, err
}

// eachLine calls f with every line, numbered from 1. A last line without its
// newline is passed too.
func eachLine(r io.Reader, f func(n int, line []byte) error) error {
	br := bufio.NewReaderSize(r, maxLineBytes)
	for n := 1; ; n++ {
		line, err := br.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return fmt.Errorf("line %d: %w", n, errLong)
		}
		if err != nil && err != io.EOF {
			return err
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			if err := f(n, line); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
	}
}

func parseUtterance(line []byte) (Utterance, error) {
	var u Utterance
	if err := strict.JSON(line, &u); err != nil {
		return u, err
	}
	if err := checkID(u.ID); err != nil {
		return u, err
	}
	finite := func(x float32) bool { return !math.IsNaN(float64(x)) && !math.IsInf(float64(x), 0) }
	switch {
	case u.Mel != melPath(u.ID):
		return u, fmt.Errorf("mel is %q, want %q", u.Mel, melPath(u.ID))
	case u.Frames < 1 || u.Frames > math.MaxInt32:
		return u, fmt.Errorf("frames is %d, want at least 1", u.Frames)
	case u.Samples < 1 || u.SampleRate < 1:
		return u, fmt.Errorf("%d samples at %d Hz, want at least 1 of each", u.Samples, u.SampleRate)
	case u.Speaker == "" || u.Split == "":
		return u, errors.New("speaker or split is empty")
	case !finite(u.Peak) || u.Peak < 0 || !finite(u.MaxDB):
		return u, fmt.Errorf("peak %v and max_db %v, want finite levels", u.Peak, u.MaxDB)
	}
	return u, nil
}

// A journal is what an unfinished Prepare leaves behind: a line that says how
// it was started, then the finished utterances in any order.
type journal struct{ f *os.File }

type journalHead struct {
	Version  int      `json:"version"`
	Corpus   string   `json:"corpus"`
	Features Geometry `json:"features"`
}

// readJournal returns the head and the finished utterances of the journal at
// path. What a killed program or a power cut leaves of a line is ignored: the
// head is zero if that is the first one, and the journal ends where a line is
// too long to be one, such as a stretch of zeros.
func readJournal(path string) (head journalHead, us []Utterance, err error) {
	f, err := os.Open(path)
	if err != nil {
		return head, nil, err
	}
	defer f.Close()
	err = eachLine(f, func(n int, line []byte) error {
		if n == 1 {
			if !json.Valid(line) {
				return nil
			}
			return strict.JSON(line, &head)
		}
		if u, err := parseUtterance(line); err == nil {
			us = append(us, u)
		}
		return nil
	})
	if errors.Is(err, errLong) {
		err = nil
	}
	return head, us, err
}

// startJournal begins a journal with the utterances that are done. The one that
// lists them stays whole until then.
func startJournal(path string, head journalHead, done []Utterance) (*journal, error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	if err := enc.Encode(head); err != nil {
		return nil, err
	}
	for _, u := range done {
		if err := enc.Encode(u); err != nil {
			return nil, err
		}
	}
	if err := atomicfile.WriteFile(path, text.Bytes()); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	return &journal{f}, nil
}

// add appends one finished utterance and hands it to the system.
func (j *journal) add(u Utterance) error {
	line, err := json.Marshal(u)
	if err != nil {
		return err
	}
	_, err = j.f.Write(append(line, '\n'))
	return err
}

func (j *journal) close() error { return j.f.Close() }
