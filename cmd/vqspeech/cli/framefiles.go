package cli

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"vqspeech/internal/npy"
	"vqspeech/internal/simd"
	"vqspeech/model"
	"vqspeech/quant/metric"
	"vqspeech/quant/units"
)

// frameFile is what a file of features or units holds.
type frameFile struct {
	path    string
	frames  []float32 // [N, dim]; nil for units as symbols
	dim     int
	symbols []int32 // [N], of units
	step    float64 // between frames (s), of units
	header  units.Header
	err     error // why it holds nothing
}

// len returns N.
func (f *frameFile) len() int {
	if f.symbols != nil {
		return len(f.symbols)
	}
	return len(f.frames) / max(f.dim, 1)
}

// A frameSource is a folder of features (.txt, .npy) or of units (.vqs).
type frameSource struct {
	folder        string
	units         bool
	channelsFirst bool         // of .npy: [D, N]
	vectors       *model.Model // of units: whose code vectors stand for them; nil for symbols
}

// framesHelp is the part of the help that measures of features and units share.
const framesHelp = `

DIR of --features has a file per recording, in it or in folders below: .txt (a line
of numbers per frame, as in ZeroSpeech submissions) or .npy (float32 [frames, D];
[D, frames] with --channels-first, as vqspeech features writes them). DIR of --units
has .vqs files, all of one model.`

// find returns the files of the folder by their names without the suffix.
func (s *frameSource) find() (map[string][]string, error) {
	suffixes, want := []string{".txt", ".npy"}, "features (.txt, .npy)"
	if s.units {
		suffixes, want = []string{".vqs"}, "units (.vqs)"
	}
	info, err := os.Stat(s.folder)
	if err != nil {
		return nil, pathFirst(err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s: is no folder, want one with %s", s.folder, want)
	}
	found, err := filesByName(s.folder, suffixes...)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("%s: no %s in the folder", s.folder, want)
	}
	return found, err
}

// load reads the files of the given names, several at a time; those that are
// missing, double, broken or unlike the others have an error. All that are left
// have one dimension, or one codebook.
func (s *frameSource) load(names []string) ([]frameFile, error) {
	found, err := s.find()
	if err != nil {
		return nil, err
	}
	files := make([]frameFile, len(names))
	simd.Parallel(len(names), 1, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			f := &files[i]
			switch paths := found[names[i]]; len(paths) {
			case 0:
				f.path = filepath.Join(s.folder, names[i])
				f.err = errors.New("no file of this name")
			case 1:
				f.path = paths[0]
				f.err = s.read(f)
			default:
				f.path = paths[1]
				f.err = fmt.Errorf("has the name of %s", paths[0])
			}
		}
	})
	var first *frameFile
	for i := range files {
		f := &files[i]
		switch {
		case f.err != nil:
		case first == nil:
			first = f
		case s.units && (f.header.Fingerprint != first.header.Fingerprint || f.header.CodebookSize != first.header.CodebookSize):
			f.err = fmt.Errorf("made by model %x, want model %x as %s", f.header.Fingerprint, first.header.Fingerprint, first.path)
		case f.dim != first.dim:
			f.err = fmt.Errorf("frames of %d values, want %d as %s", f.dim, first.dim, first.path)
		}
		f.err = named(f.path, f.err)
	}
	return files, nil
}

func (s *frameSource) read(f *frameFile) (err error) {
	switch {
	case s.units:
		var codes []uint16
		if f.header, codes, err = units.ReadFile(f.path); err != nil {
			return err
		}
		f.step = 1 / f.header.CodeRate()
		if s.vectors != nil {
			if err := checkUnits(f.header, s.vectors); err != nil {
				return err
			}
			f.dim = s.vectors.Codebook.Dim
			f.frames = make([]float32, len(codes)*f.dim)
			s.vectors.Codebook.Lookup(f.frames, codes)
		} else {
			f.symbols = make([]int32, len(codes))
			for i, k := range codes {
				f.symbols[i] = int32(k)
			}
		}
	case strings.EqualFold(filepath.Ext(f.path), ".npy"):
		if f.frames, f.dim, err = readMatrix(f.path, s.channelsFirst); err != nil {
			return err
		}
	default:
		file, err := os.Open(f.path)
		if err != nil {
			return err
		}
		defer file.Close()
		if f.frames, f.dim, err = metric.ReadVectors(file); err != nil {
			return err
		}
	}
	if f.len() == 0 {
		return errors.New("no frames in the file")
	}
	for i, v := range f.frames {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return fmt.Errorf("frame %d has the value %v, want finite numbers", i/f.dim, v)
		}
	}
	return nil
}

// readMatrix returns the frames [N, dim] of a .npy file.
func readMatrix(path string, channelsFirst bool) (frames []float32, dim int, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer file.Close()
	shape, data, err := npy.Read[float32](file)
	if err != nil {
		return nil, 0, err
	}
	if len(shape) != 2 {
		return nil, 0, fmt.Errorf("array of shape %v, want two axes", shape)
	}
	if len(data) == 0 {
		return nil, 0, fmt.Errorf("array of shape %v has no frames", shape)
	}
	if channelsFirst {
		return transpose(data, shape[0], shape[1]), shape[0], nil
	}
	return data, shape[1], nil
}
