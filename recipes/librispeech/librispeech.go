// Package librispeech reads the layout of LibriSpeech (OpenSLR SLR12) and its
// excerpts such as mini LibriSpeech (SLR31):
//
//	LibriSpeech/SUBSET/SPEAKER/CHAPTER/SPEAKER-CHAPTER-NUMBER.flac
//	LibriSpeech/SPEAKERS.TXT       optional, gives the sex of a speaker
//	splits/NAME.txt                optional, paths relative to LibriSpeech, one a line
package librispeech

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"vqspeech/recipes/corpus"
)

// Name is the corpus name in commands and manifests.
const Name = "librispeech"

// List finds the utterances below src: the folder that holds LibriSpeech, or
// LibriSpeech itself, or one of its subsets.
//
// If src/splits/*.txt exist, they name the splits and what is in none of them
// is left out. Otherwise each subset is a split of its name.
func List(src string) (corpus.Source, error) {
	info, err := os.Stat(src)
	if err != nil {
		return corpus.Source{}, err
	}
	if !info.IsDir() {
		return corpus.Source{}, fmt.Errorf("%s: not a folder", src)
	}
	s := corpus.Source{Corpus: Name, Root: src}
	if inner := filepath.Join(src, "LibriSpeech"); isDir(inner) {
		s.Root = inner
	}
	splits, err := splitFiles(src)
	if err != nil {
		return corpus.Source{}, err
	}
	if len(splits) > 0 {
		s.Kind = "splits"
		s.Items, err = fromSplits(s.Root, splits)
	} else {
		s.Kind = "subsets"
		s.Items, err = fromSubsets(s.Root)
	}
	if err != nil {
		return corpus.Source{}, err
	}
	if len(s.Items) == 0 {
		return corpus.Source{}, fmt.Errorf("%s: no SUBSET/SPEAKER/CHAPTER/*.flac below it", src)
	}
	sex, err := readSpeakers(s.Root)
	if err != nil {
		return corpus.Source{}, err
	}
	for i := range s.Items {
		s.Items[i].Sex = sex[s.Items[i].Speaker]
	}
	slices.SortFunc(s.Items, func(a, b corpus.Item) int { return strings.Compare(a.Path, b.Path) })
	return s, nil
}

// splitFiles returns the split files of src, sorted by name.
func splitFiles(src string) ([]string, error) {
	dir := filepath.Join(src, "splits")
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		if !e.IsDir() && filepath.Ext(e.Name()) == ".txt" {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	return files, nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// fromSplits reads the split files. Paths that do not exist, and utterances in
// two splits, are errors.
func fromSplits(root string, files []string) ([]corpus.Item, error) {
	var items []corpus.Item
	var missing []string
	splitOf := map[string]string{}
	for _, file := range files {
		split := strings.TrimSuffix(filepath.Base(file), ".txt")
		err := eachLine(file, func(line string) error {
			rel := path.Clean(line)
			if !filepath.IsLocal(filepath.FromSlash(rel)) {
				return fmt.Errorf("path %.80q leads out of the corpus", line)
			}
			it, ok := itemAt(rel, split)
			if !ok {
				return fmt.Errorf("path %.80q: want SUBSET/SPEAKER/CHAPTER/UTTERANCE.flac", line)
			}
			if other, dup := splitOf[rel]; dup {
				return fmt.Errorf("%s is already in split %s", rel, other)
			}
			splitOf[rel] = split
			if info, err := os.Stat(filepath.Join(root, filepath.FromSlash(rel))); err != nil || !info.Mode().IsRegular() {
				missing = append(missing, rel)
			}
			items = append(items, it)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if len(missing) > 0 {
		const most = 10
		list := strings.Join(missing[:min(most, len(missing))], ", ")
		if len(missing) > most {
			list += ", …"
		}
		return nil, fmt.Errorf("%s: %d files that the splits name are missing: %s", root, len(missing), list)
	}
	return items, nil
}

// fromSubsets walks root for audio files.
func fromSubsets(root string) ([]corpus.Item, error) {
	subset := "" // root itself, where it is a subset
	if abs, err := filepath.Abs(root); err == nil {
		subset = filepath.Base(abs)
	}
	var items []corpus.Item
	err := filepath.WalkDir(root, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !isAudio(name) {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		split := subset
		if strings.Count(rel, "/") > 2 {
			split, _, _ = strings.Cut(rel, "/")
		}
		if it, ok := itemAt(rel, split); ok {
			items = append(items, it)
		}
		return nil
	})
	return items, err
}

// isAudio goes by the name; what the file holds is found when it is read.
func isAudio(name string) bool {
	ext := strings.ToLower(filepath.Ext(name))
	return ext == ".flac" || ext == ".wav"
}

// itemAt takes the speaker and the id from [SUBSET/]SPEAKER/CHAPTER/ID.flac.
func itemAt(rel, split string) (corpus.Item, bool) {
	dirs := strings.Split(rel, "/")
	n := len(dirs)
	if n < 3 || n > 4 || !isAudio(rel) {
		return corpus.Item{}, false
	}
	id := strings.TrimSuffix(dirs[n-1], path.Ext(dirs[n-1]))
	return corpus.Item{ID: id, Path: rel, Speaker: dirs[n-3], Split: split}, true
}

// readSpeakers returns the sex of each speaker of SPEAKERS.TXT in root or the
// folder above it ("14 | F | train-clean-360 | 25.03 | Name"), nil without it.
func readSpeakers(root string) (map[string]string, error) {
	for _, file := range []string{filepath.Join(root, "SPEAKERS.TXT"), filepath.Join(root, "..", "SPEAKERS.TXT")} {
		sex := map[string]string{}
		err := eachLine(file, func(line string) error {
			if f := strings.Split(line, "|"); len(f) >= 2 && !strings.HasPrefix(line, ";") {
				if s := strings.TrimSpace(f[1]); s == "F" || s == "M" {
					sex[strings.TrimSpace(f[0])] = s
				}
			}
			return nil
		})
		if !errors.Is(err, fs.ErrNotExist) {
			return sex, err
		}
	}
	return nil, nil
}

// eachLine calls f with every line that is not blank and not a # comment, and
// puts the file and the line number before its errors.
func eachLine(file string, f func(line string) error) error {
	r, err := os.Open(file)
	if err != nil {
		return err
	}
	defer r.Close()
	br := bufio.NewReader(r)
	for n := 1; ; n++ {
		slice, err := br.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return fmt.Errorf("%s:%d: longer than %d bytes", file, n, br.Size())
		}
		if err != nil && err != io.EOF {
			return err
		}
		if line := strings.TrimSpace(string(slice)); line != "" && !strings.HasPrefix(line, "#") {
			if err := f(line); err != nil {
				return fmt.Errorf("%s:%d: %w", file, n, err)
			}
		}
		if err == io.EOF {
			return nil
		}
	}
}
