package metric

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A Listed is a file that a bitrate is over.
type Listed struct {
	Name    string  // without suffix
	Seconds float64 // of its recording
}

// What a list may hold; more is refused.
const (
	maxListLine  = 64 << 10 // bytes
	maxListLines = 10_000_000
	maxSeconds   = 366 * 24 * 3600
)

// listSuffixes are taken from names; other points belong to the name.
var listSuffixes = []string{".txt", ".npy", ".vqs", ".wav", ".flac"}

// ReadList reads a list of the ZeroSpeech bitrate: a line per file with its name
// and the duration of the recording (s), separated by blanks. Empty lines are
// skipped; another line that is not of this form, and a name that comes twice, are
// errors.
func ReadList(r io.Reader) ([]Listed, error) {
	scan := bufio.NewScanner(r)
	scan.Buffer(nil, maxListLine)
	var list []Listed
	seen := map[string]int{}
	n := 0
	for scan.Scan() {
		if n++; n > maxListLines {
			return nil, fmt.Errorf("metric: more than %d lines", maxListLines)
		}
		fields := strings.Fields(scan.Text())
		if len(fields) == 0 {
			continue
		}
		if len(fields) != 2 {
			return nil, fmt.Errorf("metric: line %d has %d fields, want a name and a duration (s)", n, len(fields))
		}
		seconds, err := strconv.ParseFloat(fields[1], 64)
		if err != nil || !(seconds > 0 && seconds <= maxSeconds) {
			return nil, fmt.Errorf("metric: line %d has the duration %.40q, want seconds above 0, at most %d", n, fields[1], maxSeconds)
		}
		name := path.Base(fields[0])
		if ext := path.Ext(name); slices.Contains(listSuffixes, strings.ToLower(ext)) {
			name = strings.TrimSuffix(name, ext)
		}
		if first, ok := seen[name]; ok {
			return nil, fmt.Errorf("metric: line %d has %.60q again, which is in line %d", n, name, first)
		}
		seen[name] = n
		list = append(list, Listed{name, seconds})
	}
	switch err := scan.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, fmt.Errorf("metric: line %d is longer than %d bytes", n+1, maxListLine)
	case err != nil:
		return nil, fmt.Errorf("metric: %w", err)
	case len(list) == 0:
		return nil, errors.New("metric: empty list, want lines of a name and a duration (s)")
	}
	return list, nil
}
