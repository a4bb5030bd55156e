package training

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"vqspeech/internal/atomicfile"
)

// Names of the files of a log in a run folder. TensorBoard finds its own by
// "tfevents".
const (
	MetricsFile = "metrics.jsonl"
	EventsFile  = "events.out.tfevents.vqspeech"
)

// Log writes the measurements of a run.
type Log struct{ metrics, events *os.File }

// OpenLog opens the log in the folder of a run that has done the given number
// of steps. What is there of later steps, which a killed run may have left, is
// dropped: it will come again.
func OpenLog(dir string, steps int) (*Log, error) {
	metrics, err := reopen(filepath.Join(dir, MetricsFile), steps, keepLines)
	if err != nil {
		return nil, err
	}
	events, err := reopen(filepath.Join(dir, EventsFile), steps, keepEvents)
	if err != nil {
		metrics.Close()
		return nil, err
	}
	return &Log{metrics, events}, nil
}

// reopen reduces the file at path, if there is one, to what keep copies, and
// opens it for appending.
func reopen(path string, steps int, keep func(w io.Writer, r io.Reader, steps int) error) (*os.File, error) {
	var old io.Reader = new(bytes.Reader)
	f, err := os.Open(path)
	if err == nil {
		defer f.Close()
		old = f
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	kept, err := atomicfile.Create(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	defer kept.Abort()
	w := bufio.NewWriter(kept)
	if err := errors.Join(keep(w, old, steps), w.Flush()); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := kept.Commit(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0o666)
}

// keepLines copies the lines of metrics.jsonl up to a step. A line without its
// end was cut by a kill.
func keepLines(w io.Writer, r io.Reader, steps int) error {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		var at struct{ Step int }
		if json.Unmarshal(line, &at) == nil && at.Step <= steps {
			if _, err := w.Write(line); err != nil {
				return err
			}
		}
	}
}

// Write adds a record: a value whose JSON is an object with the key "step".
func (l *Log) Write(record any) error {
	line, err := json.Marshal(record)
	if err != nil {
		return err
	}
	r, err := ParseRecord(line)
	if err != nil {
		return err
	}
	if _, err := l.metrics.Write(append(line, '\n')); err != nil {
		return err
	}
	_, err = l.events.Write(appendFrame(nil, scalarEvent(time.Now(), r)))
	return err
}

// Close closes the files.
func (l *Log) Close() error { return errors.Join(l.metrics.Close(), l.events.Close()) }
