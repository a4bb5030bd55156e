// Package journal keeps what an unfinished work has done: a file of JSON, a line
// that says how the work was begun, then one for every finished piece.
package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"

	"vqspeech/internal/atomicfile"
	"vqspeech/internal/strict"
)

// Journal is one that is being written.
type Journal struct{ f *os.File }

// Start begins the journal at path with the entries that are kept of an earlier
// one, which stays whole until then.
func Start[H, E any](path string, head H, kept []E) (*Journal, error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	if err := enc.Encode(head); err != nil {
		return nil, err
	}
	for _, e := range kept {
		if err := enc.Encode(e); err != nil {
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
	return &Journal{f}, nil
}

// Add appends an entry and hands it to the system: a kill leaves it whole.
func (j *Journal) Add(entry any) error {
	line, err := json.Marshal(entry)
	if err != nil {
		return err
	}
	_, err = j.f.Write(append(line, '\n'))
	return err
}

// Sync makes the entries durable: a power cut leaves them whole too.
func (j *Journal) Sync() error { return j.f.Sync() }

// Close ends the writing.
func (j *Journal) Close() error { return j.f.Close() }

// Read returns the head and the entries of the journal at path. It ends where a
// line is not an entry, which is what a kill or a power cut leaves, or has more
// than maxLine bytes, such as a stretch of zeros. The head is zero if there is no
// journal, or none of its first line; a head of another kind is an error.
func Read[H, E any](path string, maxLine int) (head H, entries []E, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return head, nil, nil
	}
	if err != nil {
		return head, nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxLine)
	if lines.Scan() && json.Valid(lines.Bytes()) {
		if err := strict.JSON(lines.Bytes(), &head); err != nil {
			return head, nil, err
		}
		for lines.Scan() {
			var e E
			if strict.JSON(lines.Bytes(), &e) != nil {
				break
			}
			entries = append(entries, e)
		}
	}
	if err := lines.Err(); err != nil && !errors.Is(err, bufio.ErrTooLong) {
		return head, nil, err
	}
	return head, entries, nil
}
