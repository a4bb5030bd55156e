// Package corpus prepares a speech corpus for training and reads what was
// prepared. A reader of a corpus's own layout (such as recipes/librispeech)
// makes a Source; Prepare turns it into a folder that every recipe can use:
//
//	DST/corpus.json      the corpus, the spectrogram's geometry, counts per split
//	DST/manifest.jsonl   one Utterance a line, sorted by id
//	DST/mel/ID.npy       float32 [T, M], raw-level log-mel (dB re 1.0), time-major
//	DST/audio/ID.wav     16-bit samples at the spectrogram's rate, if asked for
//
// The raw level has no front end applied, so that one folder serves recipes
// with either. Levels are in dB, lengths in samples or frames.
//
// Prepare can be killed at any time and run again: finished utterances are not
// computed twice and the finished folder has the same bytes.
package corpus

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"vqspeech/audio"
	"vqspeech/features"
)

// Item is one utterance of a corpus as its reader found it.
type Item struct {
	ID      string // unique, usable as a file name
	Path    string // of the audio file, relative to Source.Root, with slashes
	Speaker string
	Sex     string // "F", "M" or empty
	Split   string
	Segment audio.Range // of the file; zero: all of it
}

// Source is a corpus on disk.
type Source struct {
	Corpus string // name of the reader, such as "librispeech"
	Kind   string // what the splits come from, in the reader's words
	Root   string // folder that the paths are relative to
	Items  []Item

	// SampleRate is that of every recording of the corpus (Hz); one at another
	// rate fails. 0 allows any.
	SampleRate int

	// Faults are what the reader found wrong with the corpus and could leave
	// out; they count as failures. Notes say what it left out by rule.
	Faults []Failure
	Notes  []string
}

// Utterance is a line of the manifest.
type Utterance struct {
	ID         string  `json:"id"`
	Path       string  `json:"path"` // relative to the source root, with slashes
	Speaker    string  `json:"speaker"`
	Sex        string  `json:"sex,omitempty"`
	Split      string  `json:"split"`
	Start      float64 `json:"start_s,omitempty"`    // of the segment in the file
	Duration   float64 `json:"duration_s,omitempty"` // of the segment; 0: up to the end
	Bytes      int64   `json:"bytes"`                // size of the audio file
	Samples    int64   `json:"samples"`              // at SampleRate
	SampleRate int     `json:"sample_rate"`          // of the features (Hz)
	Seconds    float64 `json:"seconds"`
	Frames     int     `json:"frames"` // T
	Peak       float32 `json:"peak"`   // largest absolute sample
	MaxDB      float32 `json:"max_db"` // maximum of the raw-level log-mel (dB re 1.0)
	Mel        string  `json:"mel"`    // relative to DST, with slashes
	MelBytes   int64   `json:"mel_bytes"`
	Audio      string  `json:"audio,omitempty"` // relative to DST, with slashes; empty: not kept
}

// Geometry is the part of features.Config that decides the raw-level log-mel.
type Geometry struct {
	SampleRate  int     `json:"sample_rate"`
	NFFT        int     `json:"n_fft"`
	WinLength   int     `json:"win_length"`
	HopLength   int     `json:"hop_length"`
	NMels       int     `json:"n_mels"`
	FMin        float64 `json:"f_min"`
	FMax        float64 `json:"f_max"`
	PreEmphasis float64 `json:"preemphasis"`
}

// GeometryOf returns c without its front end.
func GeometryOf(c features.Config) Geometry {
	return Geometry{c.SampleRate, c.NFFT, c.WinLength, c.HopLength, c.NMels, c.FMin, c.FMax, c.PreEmphasis}
}

// Split counts what a split holds.
type Split struct {
	Utterances int     `json:"utterances"`
	Speakers   int     `json:"speakers"`
	Seconds    float64 `json:"seconds"`
}

// Info is the content of corpus.json.
type Info struct {
	Version  int              `json:"version"`
	Corpus   string           `json:"corpus"`
	Source   string           `json:"source"`
	Features Geometry         `json:"features"`
	Splits   map[string]Split `json:"splits"`

	// SplitHash tells apart partitions of a corpus; see SplitHash. Folders of
	// earlier programs do not have it, Open computes it.
	SplitHash string   `json:"split_hash,omitempty"`
	Speakers  []string `json:"speakers"` // sorted lexicographically
}

// version is the only layout so far. Later programs read every earlier one.
const version = 1

const (
	infoFile     = "corpus.json"
	manifestFile = "manifest.jsonl"
	journalFile  = "manifest.partial.jsonl" // while Prepare runs; lines in order of completion
	melFolder    = "mel"
	audioFolder  = "audio"
)

// melPath is the file of an utterance relative to DST, with slashes.
func melPath(id string) string { return melFolder + "/" + id + ".npy" }

// audioPath is the file of an utterance relative to DST, with slashes.
func audioPath(id string) string { return audioFolder + "/" + id + ".wav" }

// checkID refuses ids that cannot be file names on every system.
func checkID(id string) error {
	const most = 128
	switch {
	case id == "" || len(id) > most:
		return fmt.Errorf("utterance id %.40q: want 1 to %d bytes", id, most)
	case strings.HasPrefix(id, ".") || strings.ContainsAny(id, `/\:*?"<>|`) || strings.ContainsFunc(id, func(r rune) bool { return r < ' ' || r == 0x7f }) ||
		!filepath.IsLocal(id):
		return fmt.Errorf("utterance id %q: not usable as a file name", id)
	}
	return nil
}

// checkItems reports ids that are unusable or not unique.
func checkItems(items []Item) error {
	var errs []error
	paths := make(map[string]string, len(items))
	for _, it := range items {
		if err := checkID(it.ID); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", it.Path, err))
		} else if first, dup := paths[it.ID]; dup {
			errs = append(errs, fmt.Errorf("%s: utterance id %q is also that of %s", it.Path, it.ID, first))
		}
		paths[it.ID] = it.Path
		if len(errs) == 10 {
			break
		}
	}
	return errors.Join(errs...)
}

// infoFor counts the utterances, which are sorted by id.
func infoFor(name, kind string, g Geometry, us []Utterance) Info {
	info := Info{Version: version, Corpus: name, Source: kind, Features: g, Splits: map[string]Split{}, Speakers: []string{}}
	type pair struct{ split, speaker string }
	seen := map[pair]bool{}
	for _, u := range us {
		s := info.Splits[u.Split]
		s.Utterances++
		s.Seconds += u.Seconds
		if p := (pair{u.Split, u.Speaker}); !seen[p] {
			seen[p] = true
			s.Speakers++
		}
		info.Splits[u.Split] = s
		info.Speakers = append(info.Speakers, u.Speaker)
	}
	slices.Sort(info.Speakers)
	info.Speakers = slices.Compact(info.Speakers)
	info.SplitHash = SplitHash(us)
	return info
}
