package images

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"

	"vqspeech/internal/atomicfile"
	"vqspeech/internal/strict"
)

// A journal is what an unfinished Prepare leaves behind: a line that says how
// it was started, then one for every finished block or split, in order. The
// last line of a split tells how far it is; one that has tried no image begins
// the split anew.
type journal struct{ f *os.File }

type journalHead struct {
	Version     int    `json:"version"`
	Corpus      string `json:"corpus"`
	Fingerprint string `json:"fingerprint"`
}

// journalEntry is the state of a split after a block.
type journalEntry struct {
	Split  string     `json:"split"`
	Tried  int        `json:"tried"`  // images of the source, from the first
	Failed []badImage `json:"failed"` // of this block
	Done   *SplitInfo `json:"done,omitempty"`
	past   []badImage // of all blocks
}

// badImage is an image that could not be read.
type badImage struct {
	Index int    `json:"index"` // in its split
	Error string `json:"error"`
}

// maxJournalBytes bounds a journal that is read; a real one has about 100 bytes
// a block and 100 bytes a bad image.
const maxJournalBytes = 256 << 20

// readJournal returns the head and the last state of every split. A killed
// program may leave half a last line, which is ignored with all behind it.
func readJournal(path string) (head journalHead, splits map[string]journalEntry, err error) {
	splits = map[string]journalEntry{}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return head, splits, nil
	}
	if err != nil {
		return head, splits, err
	}
	defer f.Close()
	r := bufio.NewReader(io.LimitReader(f, maxJournalBytes))
	for n := 0; ; n++ {
		line, err := r.ReadBytes('\n')
		if err == io.EOF {
			return head, splits, nil
		}
		if err != nil {
			return head, splits, err
		}
		if n == 0 {
			if strict.JSON(line, &head) != nil {
				return journalHead{}, splits, nil
			}
			continue
		}
		var e journalEntry
		if strict.JSON(line, &e) != nil {
			return head, splits, nil
		}
		e.past = e.Failed
		if e.Tried > 0 {
			e.past = append(splits[e.Split].past, e.Failed...)
		}
		splits[e.Split] = e
	}
}

// startJournal begins a journal with what is kept of an earlier one.
func startJournal(path string, head journalHead, kept []journalEntry) (*journal, error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	if err := enc.Encode(head); err != nil {
		return nil, err
	}
	for _, e := range kept {
		e.Failed = e.past
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
	return &journal{f}, nil
}

// add appends a line and makes it durable.
func (j *journal) add(e journalEntry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if _, err := j.f.Write(append(line, '\n')); err != nil {
		return err
	}
	return j.f.Sync()
}

func (j *journal) close() error { return j.f.Close() }
