// Package vctk reads the layouts of the CSTR VCTK corpus (48 kHz, 16 bits):
//
//	wav48/p225/p225_001.wav                             version 0.80
//	wav48_silence_trimmed/p225/p225_001_mic1.flac       version 0.92, also _mic2
//	speaker-info.txt                                    optional, gives the sex of a speaker
//
// Texts (txt/) are not needed: p315, who has none, is read like the others.
package vctk

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"vqspeech/recipes/corpus"
)

// Name is the corpus name in commands and manifests.
const Name = "vctk"

// Mics are the microphones of version 0.92.
var Mics = []string{"mic1", "mic2"}

// testEvery is the share of the test split: every 20th utterance of a speaker.
const testEvery = 20

// sampleRate of every recording (Hz).
const sampleRate = 48000

// List finds the utterances below src, the folder of the corpus or the one above
// (VCTK-Corpus). mic is one of Mics, or empty for the first; version 0.80 has
// one microphone and takes none.
//
// The ids of a speaker (file names without suffix) are sorted bytewise; every
// 20th, the 20th first, is in the split test, the others are in train. All
// speakers of test are in train. The split is this project's own: what the
// published figures on VCTK were measured on is not known.
//
// A speaker of speaker-info.txt without a recording is a fault; one whose
// recordings are all of the other microphone is a note.
func List(src, mic string) (corpus.Source, error) {
	if _, err := os.Stat(src); err != nil {
		return corpus.Source{}, err
	}
	l, err := findLayout(src, mic)
	if err != nil {
		return corpus.Source{}, err
	}
	s := corpus.Source{Corpus: Name, Kind: l.kind, Root: l.root, SampleRate: sampleRate}
	found, err := l.speakers()
	if err != nil {
		return corpus.Source{}, err
	}
	infoFile := filepath.Join(l.root, "speaker-info.txt")
	sex, err := readSpeakers(infoFile)
	if err != nil {
		return corpus.Source{}, err
	}
	for _, f := range found {
		for k, id := range f.ids {
			split := "train"
			if k%testEvery == testEvery-1 {
				split = "test"
			}
			s.Items = append(s.Items, corpus.Item{
				ID: id, Path: path.Join(l.folder, f.speaker, id+l.ext), Speaker: f.speaker, Sex: sex[f.speaker], Split: split,
			})
		}
		if f.without > 0 {
			s.Notes = append(s.Notes, fmt.Sprintf("%s: %d utterances without %s left out", f.speaker, f.without, l.mic))
		}
	}
	if len(s.Items) == 0 {
		return corpus.Source{}, fmt.Errorf("%s: no %s below it", filepath.Join(l.root, l.folder), l.pattern())
	}
	s.Faults = missing(infoFile, sex, found)
	return s, nil
}

// missing returns a fault for every speaker of speaker-info.txt, and every folder,
// without recordings.
func missing(infoFile string, sex map[string]string, found []speaker) (faults []corpus.Failure) {
	ids := slices.Collect(maps.Keys(sex))
	for _, f := range found {
		ids = append(ids, f.speaker)
	}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		if !slices.ContainsFunc(found, func(f speaker) bool { return f.speaker == id && len(f.ids)+f.without > 0 }) {
			faults = append(faults, corpus.Failure{Path: infoFile, Err: fmt.Errorf("speaker %s has no recordings", id)})
		}
	}
	return faults
}

// layout is one of the two versions.
type layout struct {
	root   string
	folder string // of the recordings, below root
	ext    string
	mic    string // empty: one microphone
	kind   string
}

// findLayout tells the versions apart by the folder of their recordings.
func findLayout(src, mic string) (layout, error) {
	for _, root := range []string{src, filepath.Join(src, "VCTK-Corpus")} {
		old, trimmed := isDir(filepath.Join(root, "wav48")), isDir(filepath.Join(root, "wav48_silence_trimmed"))
		switch {
		case old && trimmed:
			return layout{}, fmt.Errorf("%s: has both wav48 (0.80) and wav48_silence_trimmed (0.92), want one", root)
		case old && mic != "":
			return layout{}, fmt.Errorf("%s: version 0.80 has one microphone, not %s", root, mic)
		case old:
			return layout{root: root, folder: "wav48", ext: ".wav", kind: "0.80"}, nil
		case trimmed:
			if mic == "" {
				mic = Mics[0]
			}
			if !slices.Contains(Mics, mic) {
				return layout{}, fmt.Errorf("microphone %q, want %s", mic, strings.Join(Mics, " or "))
			}
			return layout{root: root, folder: "wav48_silence_trimmed", ext: ".flac", mic: mic, kind: "0.92 " + mic}, nil
		}
	}
	return layout{}, fmt.Errorf("%s: neither wav48 nor wav48_silence_trimmed in it, want a folder of VCTK 0.80 or 0.92", src)
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// pattern shows what the recordings are called.
func (l layout) pattern() string {
	if l.mic == "" {
		return "SPEAKER/SPEAKER_NUMBER" + l.ext
	}
	return "SPEAKER/SPEAKER_NUMBER_" + l.mic + l.ext
}

// speaker is a folder of recordings.
type speaker struct {
	speaker string
	ids     []string // sorted
	without int      // utterances that only another microphone has
}

// speakers reads the folders of the recordings, sorted by speaker.
func (l layout) speakers() ([]speaker, error) {
	top := filepath.Join(l.root, l.folder)
	folders, err := os.ReadDir(top)
	if err != nil {
		return nil, err
	}
	var out []speaker
	for _, f := range folders {
		if strings.HasPrefix(f.Name(), ".") || !isDir(filepath.Join(top, f.Name())) {
			continue
		}
		s := speaker{speaker: f.Name()}
		files, err := os.ReadDir(filepath.Join(top, f.Name()))
		if err != nil {
			return nil, err
		}
		others := map[string]bool{} // ids that they would have
		for _, file := range files {
			id, ok := strings.CutSuffix(file.Name(), l.ext)
			if !ok || !strings.HasPrefix(id, s.speaker+"_") {
				continue
			}
			if l.mic == "" || strings.HasSuffix(id, "_"+l.mic) {
				s.ids = append(s.ids, id)
			} else {
				others[id[:strings.LastIndexByte(id, '_')+1]+l.mic] = true
			}
		}
		slices.Sort(s.ids)
		for _, id := range s.ids {
			delete(others, id)
		}
		s.without = len(others)
		out = append(out, s)
	}
	return out, nil
}

var speakerID = regexp.MustCompile(`^[a-z]?[0-9]{1,6}$`)

// readSpeakers returns the speakers of speaker-info.txt and their sex ("p225  23
// F  English …"; version 0.80 leaves out the p), nil without the file.
func readSpeakers(file string) (map[string]string, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	sex := map[string]string{}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		words := strings.Fields(lines.Text())
		if len(words) == 0 || n == 1 && words[0] == "ID" {
			continue
		}
		id := words[0]
		if !speakerID.MatchString(id) {
			return nil, fmt.Errorf("%s:%d: want a line that begins with a speaker such as p225 (got %.60q)", file, n, lines.Text())
		}
		if id[0] >= '0' && id[0] <= '9' {
			id = "p" + id
		}
		if _, dup := sex[id]; dup {
			return nil, fmt.Errorf("%s:%d: speaker %s a second time", file, n, id)
		}
		sex[id] = ""
		if len(words) > 2 && (words[2] == "F" || words[2] == "M") {
			sex[id] = words[2]
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return sex, nil
}
