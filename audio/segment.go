package audio

import (
	"errors"
	"fmt"
	"io"
)

// A Range is a part of a recording in seconds, as corpora give it: Duration 0
// is everything from Start on.
type Range struct{ Start, Duration float64 }

// Segment returns the part r of a source that stands at its start: samples from
// ⌊Start·rate⌋ on, ⌊Duration·rate⌋ of them (librosa.load's offset and duration).
// Differs from librosa: a range that leaves the recording is an error of Read.
// The zero Range returns the source itself.
func Segment(s Source, r Range) (Source, error) {
	if r == (Range{}) {
		return s, nil
	}
	rate := float64(s.SampleRate())
	const most = 1 << 53 // the products are whole numbers up to there
	if !(r.Start >= 0 && r.Duration >= 0 && r.Start*rate < most && r.Duration*rate < most) {
		return nil, fmt.Errorf("segment starts at %g s and takes %g s, want neither negative nor %d samples or more", r.Start, r.Duration, int64(most))
	}
	seg := &segment{Source: s, skip: int64(r.Start * rate), r: r, left: -1}
	if r.Duration > 0 {
		seg.left = int64(r.Duration * rate)
	}
	return seg, nil
}

type segment struct {
	Source
	r    Range
	read int64 // samples taken from the source
	skip int64 // samples before the segment that are still to come
	left int64 // samples of the segment that are still to come, -1: all
}

func (s *segment) Read(dst []float32) (int, error) {
	for s.skip > 0 && len(dst) > 0 {
		n, err := s.take(dst[:min(int64(len(dst)), s.skip)])
		if err != nil {
			return 0, err
		}
		s.skip -= int64(n)
	}
	if s.left == 0 {
		return 0, io.EOF
	}
	if s.left < 0 {
		return s.Source.Read(dst)
	}
	n, err := s.take(dst[:min(int64(len(dst)), s.left)])
	s.left -= int64(n)
	return n, err
}

// take reads samples that the segment needs.
func (s *segment) take(dst []float32) (int, error) {
	n, err := s.Source.Read(dst)
	s.read += int64(n)
	if errors.Is(err, io.EOF) {
		length := float64(s.read) / float64(s.SampleRate())
		if s.r.Duration == 0 {
			return n, fmt.Errorf("segment from %g s on lies outside the recording of %.4f s", s.r.Start, length)
		}
		return n, fmt.Errorf("segment from %g s to %g s lies outside the recording of %.4f s", s.r.Start, s.r.Start+s.r.Duration, length)
	}
	return n, err
}
