package cli

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"vqspeech/audio"
	"vqspeech/recipes/corpus"
)

// A claim is a recording and whose voice it is to have; err says why it is none.
type claim struct {
	judgement
	load func() (*audio.Clip, error)
	err  error
}

// A claimant tells source and target by the name of a recording.
type claimant struct {
	target  string            // of all, if not empty
	known   []string          // speakers of the classifier
	sources map[string]string // the speaker of an utterance, by its id
}

func (c *claimant) unknown(id string) error {
	return fmt.Errorf("speaker %q is not one of those to train on: %s", id, strings.Join(c.known, ", "))
}

// jobs returns the recordings to judge: files, those in folders, or a split.
func (c *claimant) jobs(from *corpus.Corpus, inputs []string, split string) ([]claim, error) {
	var jobs []claim
	if len(inputs) == 0 {
		idx, err := from.Select(split)
		if err != nil {
			return nil, err
		}
		for _, i := range idx {
			jobs = append(jobs, c.claim(audioOf(from, i), func() (*audio.Clip, error) { return clipOf(from, i) }))
		}
		return jobs, nil
	}
	for _, in := range inputs {
		if in == "" || in == "-" {
			return nil, usagef("want the name of a file or a folder")
		}
		files := []string{in}
		if isFolder(in) {
			found, err := recordings(in)
			if err != nil {
				return nil, err
			}
			files = nil
			for _, same := range found {
				files = append(files, same...)
			}
			if len(files) == 0 {
				return nil, fmt.Errorf("%s: no recordings (.wav, .flac) in the folder", in)
			}
			slices.Sort(files)
		}
		for _, file := range files {
			jobs = append(jobs, c.claim(file, func() (*audio.Clip, error) { return audio.Load(file) }))
		}
	}
	return jobs, nil
}

func (c *claimant) claim(file string, load func() (*audio.Clip, error)) claim {
	name := filepath.Base(file)
	if _, ok := c.sources[name]; !ok { // an id may have a point in it
		name = strings.TrimSuffix(name, filepath.Ext(name))
	}
	j := claim{load: load, judgement: judgement{File: file, Source: c.sources[name]}}
	j.Target = cmp.Or(c.target, j.Source)
	if j.Source == "" { // then it is no utterance itself
		for at := range name {
			to, ok := strings.CutPrefix(name[at:], "-to-")
			if ok && c.sources[name[:at]] != "" {
				j.Source = c.sources[name[:at]]
				j.Target = cmp.Or(c.target, c.speaker(to), to)
				break
			}
		}
	}
	switch {
	case j.Target == "":
		j.err = errors.New("the name has no target, want UTTERANCE-to-ID or UTTERANCE of the corpus, or --target")
	case !slices.Contains(c.known, j.Target):
		j.err = c.unknown(j.Target)
	}
	return j
}

// speaker returns the id that convert writes so into a name, or "".
func (c *claimant) speaker(name string) string {
	for _, id := range c.known {
		if fileName(id) == name {
			return id
		}
	}
	return ""
}

// audioOf names the recording of an utterance of a corpus; clipOf loads it.
func audioOf(c *corpus.Corpus, i int) string {
	return filepath.Join(c.Dir, filepath.FromSlash(c.Utterances[i].Audio))
}

func clipOf(c *corpus.Corpus, i int) (*audio.Clip, error) {
	samples, err := c.Samples(i)
	return &audio.Clip{Samples: samples, SampleRate: c.Utterances[i].SampleRate}, err
}
