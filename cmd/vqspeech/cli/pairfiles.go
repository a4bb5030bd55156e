package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"vqspeech/audio"
)

// A recordingPair is a reference and its estimate; err says why it is none.
type recordingPair struct {
	ref, out string
	err      error
}

// load reads both recordings; the error names the file.
func (p recordingPair) load() (reference, estimate *audio.Clip, err error) {
	if p.err != nil {
		return nil, nil, p.err
	}
	if reference, err = audio.Load(p.ref); err != nil {
		return nil, nil, named(p.ref, err)
	}
	if estimate, err = audio.Load(p.out); err != nil {
		return nil, nil, named(p.out, err)
	}
	if reference.SampleRate != estimate.SampleRate {
		return nil, nil, named(p.out, fmt.Errorf("recording at %d Hz, want %d Hz as %s", estimate.SampleRate, reference.SampleRate, p.ref))
	}
	return reference, estimate, nil
}

// findPairs returns the pairs of two files or two folders, in the order of their
// names.
func findPairs(ref, out string) ([]recordingPair, error) {
	for _, p := range []string{ref, out} {
		if p == "" {
			return nil, usagef("an input is an empty name")
		}
		if _, err := os.Stat(p); p != "-" && err != nil {
			return nil, pathFirst(err)
		}
	}
	if ref == "-" && out == "-" {
		return nil, usagef("standard input can be read only once")
	}
	if isFolder(ref) != isFolder(out) {
		return nil, usagef("want two recordings or two folders, got one of each")
	}
	if !isFolder(ref) {
		return []recordingPair{{ref: ref, out: out}}, nil
	}
	refs, err := recordings(ref)
	if err != nil {
		return nil, err
	}
	outs, err := recordings(out)
	if err != nil {
		return nil, err
	}
	names := slices.Collect(maps.Keys(refs))
	for name := range outs {
		if refs[name] == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var pairs []recordingPair
	for _, name := range names {
		r, o := refs[name], outs[name]
		switch {
		case len(r) > 1:
			pairs = append(pairs, recordingPair{ref: r[1], err: fmt.Errorf("%s: has the name of %s", r[1], r[0])})
		case len(o) > 1:
			pairs = append(pairs, recordingPair{out: o[1], err: fmt.Errorf("%s: has the name of %s", o[1], o[0])})
		case len(o) == 0:
			pairs = append(pairs, recordingPair{ref: r[0], err: fmt.Errorf("%s: no recording of this name in %s", r[0], out)})
		case len(r) == 0:
			pairs = append(pairs, recordingPair{out: o[0], err: fmt.Errorf("%s: no recording of this name in %s", o[0], ref)})
		default:
			pairs = append(pairs, recordingPair{ref: r[0], out: o[0]})
		}
	}
	if len(pairs) == 0 {
		return nil, errors.New(ref + ": no recordings (.wav, .flac) in the folder")
	}
	return pairs, nil
}

// recordings returns the recordings in and below a folder by their names without
// the suffix.
func recordings(folder string) (map[string][]string, error) {
	return filesByName(folder, ".wav", ".flac")
}

// filesByName returns the files in and below a folder that have one of the
// suffixes, by their names without it. Names that begin with a dot are left out.
func filesByName(folder string, suffixes ...string) (map[string][]string, error) {
	found := map[string][]string{}
	err := fs.WalkDir(os.DirFS(folder), ".", func(at string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := entry.Name(); !entry.IsDir() && !strings.HasPrefix(name, ".") {
			if ext := path.Ext(name); slices.Contains(suffixes, strings.ToLower(ext)) {
				name = strings.TrimSuffix(name, ext)
				found[name] = append(found[name], filepath.Join(folder, filepath.FromSlash(at)))
			}
		}
		return nil
	})
	return found, named(folder, err)
}
