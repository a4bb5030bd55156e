package zerospeech

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"vqspeech/audio"
	"vqspeech/internal/atomicfile"
	"vqspeech/internal/simd"
	"vqspeech/internal/strict"
	"vqspeech/model"
	"vqspeech/recipes/corpus"
)

// Test is the list of a language's test items.
type Test struct {
	Language string // english or surprise
	Entries  []Entry
	root     string
}

// ReadTest reads the test items of src, the folder of one language: those of the
// file list if it is not empty, else of test.json, else all of test, whole.
func ReadTest(src, list string) (Test, error) {
	l, err := findLanguage(src)
	if err != nil {
		return Test{}, err
	}
	t := Test{Language: l.name, root: l.root}
	if list != "" {
		t.Entries, err = readList(list)
	} else if t.Entries, _, err = l.entries("test"); err == nil && len(t.Entries) == 0 {
		err = fmt.Errorf("%s: neither test.json nor recordings in test", src)
	}
	if err != nil {
		return Test{}, err
	}
	first := map[string]string{}
	for _, e := range t.Entries {
		if other, dup := first[e.name()]; dup {
			return Test{}, fmt.Errorf("%s and %s would both be written to %s.txt", other, e.Out, e.name())
		}
		first[e.name()] = e.Out
	}
	return t, nil
}

// Metadata is the content of metadata.yaml in a submission to the 2019 track of
// the 2020 challenge.
type Metadata struct {
	ABXDistance     string `yaml:"abx distance"` // dtw_cosine, dtw_kl or levenshtein
	Description     string `yaml:"system description"`
	HyperParameters string `yaml:"hyperparameters"`
	ParallelTrain   bool   `yaml:"using parallel train"`
	ExternalData    bool   `yaml:"using external data"`
}

// ExportReport says what Export wrote.
type ExportReport struct {
	Files  int
	Units  int64
	Empty  []corpus.Failure // items too short for a unit: the submission lacks them
	Failed []corpus.Failure // items that could not be read
}

// Export encodes the items of t with m and writes a submission to the folder dst:
//
//	dst/2019/metadata.yaml                 unless there is one
//	dst/2019/LANGUAGE/test/NAME.txt        code vectors [L, D], one line a unit, %.16f, separated by single spaces
//
// Items that fail are left out and reported; they are not an error. A folder that
// has such files already is one, so that two models do not mix. progress is
// called after every item, one call at a time; it may be nil.
func Export(ctx context.Context, m *model.Model, t Test, dst string, meta Metadata, progress func(done int)) (*ExportReport, error) {
	folder := filepath.Join(dst, "2019", t.Language, "test")
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return nil, err
	}
	old, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(old, func(f fs.DirEntry) bool { return filepath.Ext(f.Name()) == ".txt" }) {
		return nil, fmt.Errorf("%s: holds vectors already, want another folder", folder)
	}
	if err := writeMetadata(filepath.Join(dst, "2019", "metadata.yaml"), meta); err != nil {
		return nil, err
	}
	r := &ExportReport{}
	var mu sync.Mutex
	var broken error // of dst
	done := 0
	simd.Parallel(len(t.Entries), 1, func(lo, hi int) {
		for _, e := range t.Entries[lo:hi] {
			if ctx.Err() != nil {
				return
			}
			file := filepath.Join(t.root, filepath.FromSlash(e.In))
			codes, empty, err := encode(m, file, e.Segment)
			var writeErr error
			if err == nil {
				writeErr = atomicfile.WriteFile(filepath.Join(folder, e.name()+".txt"), vectors(m, codes))
			}
			mu.Lock()
			switch {
			case empty:
				r.Empty = append(r.Empty, corpus.Failure{Path: file, Err: err})
			case err != nil:
				r.Failed = append(r.Failed, corpus.Failure{Path: file, Err: err})
			case writeErr != nil:
				broken = writeErr
			default:
				r.Files++
				r.Units += int64(len(codes))
			}
			if done++; progress != nil {
				progress(done)
			}
			stop := broken != nil
			mu.Unlock()
			if stop {
				return
			}
		}
	})
	for _, failures := range [][]corpus.Failure{r.Empty, r.Failed} {
		slices.SortFunc(failures, func(a, b corpus.Failure) int {
			return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Err.Error(), b.Err.Error()))
		})
	}
	return r, cmp.Or(broken, ctx.Err())
}

// encode returns the codes of a segment. One that is read but has no unit is
// empty, and err says why.
func encode(m *model.Model, file string, r audio.Range) (codes []uint16, empty bool, err error) {
	clip, err := audio.LoadSegment(file, r)
	if err != nil {
		return nil, false, strict.Cause(err)
	}
	samples, err := m.EncodeClip(clip, func(more []uint16) error {
		codes = append(codes, more...)
		return nil
	})
	const least = 4 // frames that one unit needs
	return codes, err != nil && samples/int64(m.Config.Features.HopLength)+1 < least, err
}

// vectors prints the code vectors of codes, a line each.
func vectors(m *model.Model, codes []uint16) []byte {
	row := make([]float32, m.Codebook.Dim)
	var b []byte
	for i := range codes {
		m.Codebook.Lookup(row, codes[i:i+1])
		for j, v := range row {
			if j > 0 {
				b = append(b, ' ')
			}
			b = strconv.AppendFloat(b, float64(v), 'f', 16, 64)
		}
		b = append(b, '\n')
	}
	return b
}

// writeMetadata writes the file at path unless it is there: it may have been
// edited, and describes both languages.
func writeMetadata(path string, meta Metadata) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	if err := errors.Join(enc.Encode(meta), enc.Close()); err != nil {
		return err
	}
	return atomicfile.WriteFile(path, b.Bytes())
}
