package zerospeech

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"vqspeech/audio"
)

// Bounds of the lists: the longest published one has 14,000 items of about 120
// bytes.
const (
	maxListBytes = 16 << 20
	maxItemBytes = 4 << 10
)

// An Entry is an item of a list as bshall/ZeroSpeech publishes them:
// [in_path, start_s, duration_s, out_path].
type Entry struct {
	In      string // recording, relative to the folder 2019, with slashes and suffix
	Segment audio.Range
	Out     string // name among the features, relative to the folder 2019, without suffix
}

// Speaker is the folder that Out is in.
func (e Entry) Speaker() string { return path.Base(path.Dir(e.Out)) }

// name is the file name of Out.
func (e Entry) name() string { return path.Base(e.Out) }

// readList reads a list; errors name the file and the item, counted from 1.
func readList(file string) ([]Entry, error) {
	return readItems(file, parseEntry, func(e Entry) string { return e.Out })
}

// readEvaluation reads a list of [wav_path, speaker] as sony/sqvae publishes it:
// whole recordings, with the speaker that the decoder is to speak as.
func readEvaluation(file string) ([]target, error) {
	return readItems(file, parseTarget, func(t target) string { return t.in })
}

// target is an item of the evaluation list.
type target struct{ in, speaker string }

// readSpeakers reads a list of speaker ids.
func readSpeakers(file string) ([]string, error) {
	return readItems(file, func(raw json.RawMessage) (id string, err error) {
		if json.Unmarshal(raw, &id) != nil || id == "" {
			return "", fmt.Errorf("want a speaker id (got %.60s)", raw)
		}
		return id, nil
	}, func(id string) string { return id })
}

// readItems reads a JSON list whose items have distinct keys.
func readItems[T any](file string, parse func(json.RawMessage) (T, error), key func(T) string) ([]T, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxListBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	items, err := parseItems(data, parse, key)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return items, nil
}

func parseItems[T any](data []byte, parse func(json.RawMessage) (T, error), key func(T) string) ([]T, error) {
	if len(data) > maxListBytes {
		return nil, fmt.Errorf("larger than %d bytes, not a list", maxListBytes)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	if t, err := dec.Token(); err != nil || t != json.Delim('[') {
		return nil, errors.New("invalid JSON: want a list [...]")
	}
	var items []T
	at := map[string]int{}
	var twice []string // the first of them
	repeats := 0
	for n := 1; dec.More(); n++ {
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return nil, fmt.Errorf("item %d: invalid JSON: %w", n, err)
		}
		if len(raw) > maxItemBytes {
			return nil, fmt.Errorf("item %d: longer than %d bytes", n, maxItemBytes)
		}
		item, err := parse(raw)
		if err != nil {
			return nil, fmt.Errorf("item %d: %w", n, err)
		}
		k := key(item)
		if first, dup := at[k]; dup {
			if repeats++; repeats <= maxNames+1 {
				twice = append(twice, fmt.Sprintf("%.200s (%d and %d)", k, first, n))
			}
			continue
		}
		at[k] = n
		items = append(items, item)
	}
	if _, err := dec.Token(); err != nil {
		return nil, errors.New("invalid JSON: the list is cut off")
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("invalid JSON: more than one value")
	}
	if repeats > 0 {
		return nil, fmt.Errorf("%d items appear twice: %s", repeats, some(twice))
	}
	if len(items) == 0 {
		return nil, errors.New("the list is empty")
	}
	return items, nil
}

// maxNames is how many of several names a message lists.
const maxNames = 10

// some joins the first names of a list.
func some(names []string) string {
	if len(names) > maxNames {
		return strings.Join(names[:maxNames], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

func parseEntry(raw json.RawMessage) (Entry, error) {
	var in, out string
	var start, duration float64
	if !fields(raw, &in, &start, &duration, &out) {
		return Entry{}, fmt.Errorf("want [in_path, start_s, duration_s, out_path] (got %.80s)", raw)
	}
	wav, err := wavPath(in)
	if err != nil {
		return Entry{}, err
	}
	out = path.Clean(out)
	if !filepath.IsLocal(filepath.FromSlash(out)) || !strings.Contains(out, "/") {
		return Entry{}, fmt.Errorf("out_path %.80q: want FOLDERS/SPEAKER/NAME", out)
	}
	if start < 0 || duration <= 0 {
		return Entry{}, fmt.Errorf("%.80s: segment from %g s of %g s, want a start from 0 and a length above 0", out, start, duration)
	}
	return Entry{In: wav, Segment: audio.Range{Start: start, Duration: duration}, Out: out}, nil
}

func parseTarget(raw json.RawMessage) (target, error) {
	var in, speaker string
	if !fields(raw, &in, &speaker) || speaker == "" {
		return target{}, fmt.Errorf("want [wav_path, speaker_id] (got %.80s)", raw)
	}
	wav, err := wavPath(in)
	return target{wav, speaker}, err
}

// fields decodes a list of exactly these values: *string and *float64.
func fields(raw json.RawMessage, values ...any) bool {
	var list []any
	if json.Unmarshal(raw, &list) != nil || len(list) != len(values) {
		return false
	}
	for i, v := range list {
		ok := false
		switch dst := values[i].(type) {
		case *string:
			*dst, ok = v.(string)
		case *float64:
			*dst, ok = v.(float64)
		}
		if !ok {
			return false
		}
	}
	return true
}

// wavPath is the recording of a path without suffix. One that has the suffix
// keeps it.
func wavPath(in string) (string, error) {
	wav := path.Clean(in)
	if in == "" || !filepath.IsLocal(filepath.FromSlash(wav)) {
		return "", fmt.Errorf("path %.80q leads out of the corpus", in)
	}
	if !strings.EqualFold(path.Ext(wav), ".wav") {
		wav += ".wav"
	}
	return wav, nil
}
