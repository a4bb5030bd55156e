// Package zerospeech reads the layout of the ZeroSpeech 2019 challenge (16 kHz
// WAV) and writes units in the form of its submissions:
//
//	2019/LANGUAGE/train/unit/SPEAKER_NUMBER.wav            unit discovery; LANGUAGE is english or surprise
//	2019/LANGUAGE/train/voice/V001_NUMBER.wav              the target voices
//	2019/english/train/parallel/voice/V001_NUMBER.wav      what others say too; never trained on without a list
//	2019/LANGUAGE/test/*.wav
//
// and the lists of bshall/ZeroSpeech and sony/sqvae, where they are there:
//
//	2019/LANGUAGE/train.json, test.json     [[in_path, start_s, duration_s, out_path], …]
//	2019/LANGUAGE/speakers.json             [speaker_id, …]
//	2019/LANGUAGE/mse_evaluation.json       [[wav_path, speaker_id], …], for the mean squared error
package zerospeech

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"vqspeech/audio"
	"vqspeech/recipes/corpus"
)

// Name is the corpus name in commands and manifests.
const Name = "zerospeech"

// sampleRate of every recording (Hz).
const sampleRate = 16000

// minSeconds is the length of a training crop and its margin, (32+2)·160 samples:
// training items that are not longer are left out (bshall/ZeroSpeech).
const minSeconds = 0.34

// List finds the utterances of src, the folder of one language: 2019/english or
// 2019/surprise.
//
// The splits are train, test (the challenge's items) and mse (recordings of the
// two target voices that are not trained on; Table 3 of the paper is measured
// there). Each comes from its list; without it train is all of train/unit and
// train/voice, test all of test, mse all of train/parallel/voice, whole
// recordings, and the speaker is what the file name has before its first "_".
//
// A speaker of speakers.json whom train lacks, or the other way round, is a
// fault. Training items of at most 0.34 s are left out with a note.
func List(src string) (corpus.Source, error) {
	l, err := findLanguage(src)
	if err != nil {
		return corpus.Source{}, err
	}
	s := corpus.Source{Corpus: Name, Root: l.root, SampleRate: sampleRate}
	train, listed, err := l.entries("train")
	if err != nil {
		return s, err
	}
	if len(train) == 0 {
		return s, fmt.Errorf("%s: neither train.json nor recordings in train/unit and train/voice", src)
	}
	var short []string
	for _, e := range train {
		if !listed {
			e.Segment.Duration = l.seconds(e)
		}
		if e.Segment.Duration > 0 && e.Segment.Duration <= minSeconds {
			short = append(short, e.Out)
			continue
		}
		if !listed {
			e.Segment = audio.Range{}
		}
		s.Items = append(s.Items, item(e, "train"))
	}
	if len(short) > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%d training items of at most %g s left out: %s", len(short), minSeconds, some(short)))
	}
	test, testListed, err := l.entries("test")
	if err != nil {
		return s, err
	}
	for _, e := range test {
		s.Items = append(s.Items, item(e, "test"))
	}
	if len(test) == 0 {
		s.Faults = append(s.Faults, corpus.Failure{Path: filepath.Join(src, "test"), Err: errors.New("no recordings, and no test.json")})
	}
	targets, mseListed, err := l.targets()
	if err != nil {
		return s, err
	}
	inTrain := map[string]bool{}
	for _, it := range s.Items {
		inTrain[it.Path] = inTrain[it.Path] || it.Split == "train"
	}
	var both []string
	for _, t := range targets {
		it := corpus.Item{ID: id(strings.TrimSuffix(t.in, path.Ext(t.in))), Path: t.in, Speaker: t.speaker, Split: "mse"}
		s.Items = append(s.Items, it)
		if inTrain[t.in] {
			both = append(both, t.in)
		}
	}
	if len(both) > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%d recordings of the split mse are trained on: %s", len(both), some(both)))
	}
	s.Kind = fmt.Sprintf("%s, train %s, test %s, mse %s", l.name, from(listed), from(testListed), from(mseListed))
	return s, l.checkSpeakers(&s)
}

func from(list bool) string {
	if list {
		return "from its list"
	}
	return "reconstructed"
}

// checkSpeakers compares speakers.json, if there is one, with those that are
// trained on, and those with the speakers of the split mse.
func (l language) checkSpeakers(s *corpus.Source) error {
	trained := map[string]bool{}
	for _, it := range s.Items {
		if it.Split == "train" {
			trained[it.Speaker] = true
		}
	}
	fault := func(file, format string, args ...any) {
		s.Faults = append(s.Faults, corpus.Failure{Path: filepath.Join(l.dir, file), Err: fmt.Errorf(format, args...)})
	}
	file := filepath.Join(l.dir, "speakers.json")
	speakers, err := readSpeakers(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	slices.Sort(speakers)
	for _, id := range speakers {
		if !trained[id] {
			fault("speakers.json", "speaker %s has no training item", id)
		}
	}
	seen := map[string]bool{}
	for _, it := range s.Items {
		if seen[it.Speaker] {
			continue
		}
		switch {
		case it.Split == "train" && err == nil && !slices.Contains(speakers, it.Speaker):
			fault("train.json", "speaker %s is not in speakers.json", it.Speaker)
		case it.Split == "mse" && !trained[it.Speaker]:
			fault("mse_evaluation.json", "speaker %s is not trained on", it.Speaker)
		default:
			continue
		}
		seen[it.Speaker] = true
	}
	return nil
}

// item is an entry as the corpus takes it.
func item(e Entry, split string) corpus.Item {
	return corpus.Item{ID: id(e.Out), Path: e.In, Speaker: e.Speaker(), Split: split, Segment: e.Segment}
}

// id makes a file name of a path.
func id(out string) string { return strings.ReplaceAll(out, "/", "-") }

// language is the folder of one.
type language struct {
	name string // english or surprise
	dir  string
	root string // the folder 2019, which paths of lists are relative to
}

func findLanguage(src string) (language, error) {
	info, err := os.Stat(src)
	if err != nil {
		return language{}, err
	}
	abs, err := filepath.Abs(src)
	if err != nil {
		return language{}, err
	}
	name := filepath.Base(abs)
	if !info.IsDir() || name != "english" && name != "surprise" {
		return language{}, fmt.Errorf("%s: want the folder of one language, 2019/english or 2019/surprise", src)
	}
	return language{name: name, dir: src, root: filepath.Join(src, "..")}, nil
}

// entries returns the items of the split train or test, and whether they are
// from its list.
func (l language) entries(split string) (entries []Entry, listed bool, err error) {
	entries, err = readList(filepath.Join(l.dir, split+".json"))
	if !errors.Is(err, fs.ErrNotExist) {
		return entries, true, err
	}
	folders := []string{"test"}
	if split == "train" {
		folders = []string{"train/unit", "train/voice"}
	}
	for _, folder := range folders {
		wavs, err := l.wavs(folder)
		if err != nil {
			return nil, false, err
		}
		for _, name := range wavs {
			base := strings.TrimSuffix(name, path.Ext(name))
			entries = append(entries, Entry{
				In: path.Join(l.name, folder, name), Out: path.Join(l.name, split, prefix(base), base),
			})
		}
	}
	return entries, false, nil
}

// targets returns the items of the split mse, and whether they are from its list.
func (l language) targets() (targets []target, listed bool, err error) {
	targets, err = readEvaluation(filepath.Join(l.dir, "mse_evaluation.json"))
	if !errors.Is(err, fs.ErrNotExist) {
		return targets, true, err
	}
	const folder = "train/parallel/voice"
	wavs, err := l.wavs(folder)
	for _, name := range wavs {
		targets = append(targets, target{path.Join(l.name, folder, name), prefix(name)})
	}
	return targets, false, err
}

// prefix is the speaker of a file name.
func prefix(name string) string {
	speaker, _, _ := strings.Cut(strings.TrimSuffix(name, path.Ext(name)), "_")
	return speaker
}

// wavs returns the recordings in a folder of the language, sorted; none if there
// is no such folder.
func (l language) wavs(folder string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(l.dir, filepath.FromSlash(folder)))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() && strings.EqualFold(filepath.Ext(e.Name()), ".wav") && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// seconds is the length of a recording by its header; 0 if it does not say. What
// is wrong with the file is found when it is read.
func (l language) seconds(e Entry) float64 {
	s, err := audio.Open(filepath.Join(l.root, filepath.FromSlash(e.In)))
	if err != nil {
		return 0
	}
	defer s.Close()
	return float64(max(s.Len(), 0)) / float64(s.SampleRate())
}
