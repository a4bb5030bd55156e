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

	"vqspeech/internal/strict"
)

// maxLineBytes bounds a line of a manifest; real lines have about 300 bytes.
const maxLineBytes = 1 << 16

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
			return fmt.Errorf("line %d: longer than %d bytes", n, maxLineBytes)
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
type journal struct {
	f *os.File
	w *bufio.Writer
}

type journalHead struct {
	Version  int      `json:"version"`
	Corpus   string   `json:"corpus"`
	Features Geometry `json:"features"`
}

// readJournal returns the head and the finished utterances of the journal at
// path. A killed program may leave half a last line, which is ignored.
func readJournal(path string) (head journalHead, us []Utterance, err error) {
	f, err := os.Open(path)
	if err != nil {
		return head, nil, err
	}
	defer f.Close()
	err = eachLine(f, func(n int, line []byte) error {
		if n == 1 {
			return strict.JSON(line, &head)
		}
		if u, err := parseUtterance(line); err == nil {
			us = append(us, u)
		}
		return nil
	})
	return head, us, err
}

// createJournal starts a new journal with the utterances that are done.
func createJournal(path string, head journalHead, done []Utterance) (*journal, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	j := &journal{f: f, w: bufio.NewWriter(f)}
	err = j.line(head)
	for _, u := range done {
		err = errors.Join(err, j.line(u))
	}
	if err = errors.Join(err, j.w.Flush()); err != nil {
		f.Close()
		return nil, err
	}
	return j, nil
}

// add appends one finished utterance and hands it to the system.
func (j *journal) add(u Utterance) error { return errors.Join(j.line(u), j.w.Flush()) }

func (j *journal) close() error { return j.f.Close() }

func (j *journal) line(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = j.w.Write(append(b, '\n'))
	return err
}
