package figures

import (
	"context"
	"errors"
	"io"
	"path/filepath"

	"vqspeech/internal/atomicfile"
	"vqspeech/model/image"
	"vqspeech/model/image/train"
	"vqspeech/recipes/results"
)

// Progress is the state of a sweep.
type Progress struct {
	Point int // of Sweep.Points
	Kept  bool
	Train *train.Progress   // within a run
	Test  *image.Evaluation // at its end
}

// Result is what a point has measured.
type Result struct {
	Point
	Run    *results.ImageRun
	Curves *results.Run
}

// Run trains every point that is not finished in its folder below dir.
func (s *Sweep) Run(ctx context.Context, dir string, progress func(Progress)) ([]Result, error) {
	var all []Result
	for i, p := range s.Points {
		folder := filepath.Join(dir, p.Name)
		r, kept, err := s.kept(p, folder)
		if err != nil {
			return nil, err
		}
		if !kept {
			o, err := p.Recipe.Options(s.corpus)
			if err != nil {
				return nil, err
			}
			o.Dir, o.Resume = folder, true
			o.Progress = func(t train.Progress) { progress(Progress{Point: i, Train: &t}) }
			if _, err := train.Run(ctx, o); err != nil {
				return nil, err
			}
			if r, err = read(p, folder); err != nil {
				return nil, err
			}
		}
		progress(Progress{Point: i, Kept: kept, Test: &r.Run.Test})
		all = append(all, *r)
	}
	return all, nil
}

// kept returns the result of p if its folder has it already.
func (s *Sweep) kept(p Point, folder string) (r *Result, ok bool, err error) {
	if r, err = read(p, folder); err != nil {
		return nil, false, nil // there is none, or it is unfinished
	}
	d := p.Recipe.Data
	text, err := p.Recipe.YAML()
	return r, r.Run.SplitHash == s.corpus.SplitHash(d.Train, d.Valid, d.Test) && r.Run.Recipe == string(text), err
}

// read reads the result of a finished run.
func read(p Point, folder string) (*Result, error) {
	run, err := results.Open(folder)
	if err != nil {
		return nil, err
	}
	r, err := run.FinishedImage()
	if err != nil {
		return nil, err
	}
	return &Result{p, r, run}, nil
}

// Write writes FIGURE.csv and FIGURE.png in dir, and returns their names.
func (s *Sweep) Write(dir string, all []Result) (csv, picture string, err error) {
	csv, picture = filepath.Join(dir, s.Figure+".csv"), filepath.Join(dir, s.Figure+".png")
	return csv, picture, errors.Join(
		atomicfile.Write(csv, func(w io.Writer) error { return writeCSV(w, all) }),
		atomicfile.Write(picture, func(w io.Writer) error { return s.draw(w, all) }))
}
