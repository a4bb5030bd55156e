package model

import (
	"fmt"
	"io"
	"os"

	"vqspeech/audio"
	"vqspeech/features"
	"vqspeech/model/nn"
)

// Encoder turns one waveform, in pieces of any size, into units. The units do
// not depend on the sizes of the pieces.
type Encoder struct {
	model   *Model
	extract *features.Extractor
	level   features.Level
	stream  *nn.EncoderStream
	samples int64
	units   int64
}

// NewEncoder starts an utterance. level must be Config.Features.StreamLevel()
// for the stream front end; the reference front end needs the level of the
// whole utterance (features.Config.ReferenceLevel).
func (m *Model) NewEncoder(level features.Level) (*Encoder, error) {
	x, err := features.NewExtractor(m.Config.Features)
	if err != nil {
		return nil, err
	}
	return &Encoder{model: m, extract: x, level: level, stream: m.encoder.NewStream()}, nil
}

// Push appends samples at the model's rate and returns the units that are
// complete.
func (e *Encoder) Push(samples []float32) ([]uint16, error) {
	e.samples += int64(len(samples))
	codes := e.model.assign(e.stream.Push(e.features(e.extract.Push(samples))))
	e.units += int64(len(codes))
	return codes, e.extract.Err()
}

// Flush ends the utterance and returns its last units. An utterance without a
// single unit is an error.
func (e *Encoder) Flush() ([]uint16, error) {
	codes := e.model.assign(e.stream.Push(e.features(e.extract.Flush())))
	codes = append(codes, e.model.assign(e.stream.Flush())...)
	if e.units += int64(len(codes)); e.units == 0 && e.extract.Err() == nil {
		f := e.model.Config.Features
		least := 3 * f.HopLength // T = 4 frames
		return nil, fmt.Errorf("%d samples (%.3g ms) are too short: one unit needs at least %d samples (%.3g ms)",
			e.samples, 1000*float64(e.samples)/float64(f.SampleRate), least, 1000*float64(least)/float64(f.SampleRate))
	}
	return codes, e.extract.Err()
}

func (e *Encoder) features(db []float32) []float32 {
	e.level.Apply(db, db)
	return db
}

// readBlock is the number of samples read from a source at a time: two seconds
// at 16 kHz, enough frames for the matrix products to be worth their overhead.
const readBlock = 1 << 15

// EncodeFile encodes an audio file ("-": standard input) and hands the units to
// emit as they become known. It returns the number of samples at the model's
// rate. With the stream front end memory does not grow with the file; the
// reference front end reads a file twice and holds a pipe in memory.
func (m *Model) EncodeFile(path string, emit func(codes []uint16) error) (samples int64, err error) {
	if !rereadable(path) {
		s, err := audio.Open(path)
		if err != nil {
			return 0, err
		}
		defer s.Close()
		return m.EncodeStream(s, emit)
	}
	return m.encode(func(use func(audio.Source) error) error {
		src, err := audio.Open(path)
		if err != nil {
			return err
		}
		err = use(src)
		if closed := src.Close(); err == nil {
			err = closed
		}
		return err
	}, emit)
}

// EncodeStream encodes a recording that can be read only once, as EncodeFile does
// a pipe.
func (m *Model) EncodeStream(s *audio.Stream, emit func(codes []uint16) error) (samples int64, err error) {
	if m.Config.Features.FrontEnd == features.Reference {
		clip, err := s.ReadAll()
		if err != nil {
			return 0, err
		}
		return m.EncodeClip(clip, emit)
	}
	return m.encode(func(use func(audio.Source) error) error { return use(s) }, emit)
}

// rereadable reports whether path can be read a second time from its start. A
// file that is not there can: opening it says so.
func rereadable(path string) bool {
	info, err := os.Stat(path)
	return path != "-" && (err != nil || info.Mode().IsRegular())
}

// EncodeClip encodes a clip at any sample rate, as EncodeFile does a file.
func (m *Model) EncodeClip(clip *audio.Clip, emit func(codes []uint16) error) (samples int64, err error) {
	return m.encode(func(use func(audio.Source) error) error { return use(clip.Source()) }, emit)
}

// encode encodes what open hands to its argument; the reference front end opens
// it once more before, for its level.
func (m *Model) encode(open func(use func(audio.Source) error) error, emit func([]uint16) error) (samples int64, err error) {
	resampled := func(use func(audio.Source) error) error {
		return open(func(src audio.Source) error {
			src, err := audio.Resampled(src, m.Config.Features.SampleRate)
			if err != nil {
				return err
			}
			return use(src)
		})
	}
	level := m.Config.Features.StreamLevel()
	if m.Config.Features.FrontEnd == features.Reference {
		if err := resampled(func(src audio.Source) (err error) {
			level, err = m.measure(src)
			return err
		}); err != nil {
			return 0, err
		}
	}
	err = resampled(func(src audio.Source) (err error) {
		samples, err = m.encodeSource(src, level, emit)
		return err
	})
	return samples, err
}

// measure reads a source to its end for the level of the reference front end.
func (m *Model) measure(src audio.Source) (features.Level, error) {
	x, err := features.NewExtractor(m.Config.Features)
	if err != nil {
		return features.Level{}, err
	}
	top := float32(features.RawFloorDB)
	see := func(db []float32) {
		for _, v := range db {
			top = max(top, v)
		}
	}
	if _, err := pump(src, func(block []float32) error { see(x.Push(block)); return x.Err() }); err != nil {
		return features.Level{}, err
	}
	peak := x.Peak()
	see(x.Flush())
	return m.Config.Features.ReferenceLevel(peak, top), nil
}

// encodeSource encodes a source at the model's rate.
func (m *Model) encodeSource(src audio.Source, level features.Level, emit func([]uint16) error) (int64, error) {
	e, err := m.NewEncoder(level)
	if err != nil {
		return 0, err
	}
	samples, err := pump(src, func(block []float32) error {
		codes, err := e.Push(block)
		if err != nil || len(codes) == 0 {
			return err
		}
		return emit(codes)
	})
	if err != nil {
		return samples, err
	}
	codes, err := e.Flush()
	if err != nil {
		return samples, err
	}
	return samples, emit(codes)
}

// pump reads src to its end in blocks and returns the number of samples. It
// reads one block ahead on a goroutine of its own, as decoding takes a good part
// of the time. After an error of use that goroutine ends with the read it is in.
func pump(src audio.Source, use func(block []float32) error) (samples int64, err error) {
	type read struct {
		block   []float32
		err     error
		failure any // what src panicked with
	}
	reads, stop := make(chan read), make(chan struct{})
	free := make(chan []float32, 2)
	free <- make([]float32, readBlock)
	free <- make([]float32, readBlock)
	defer close(stop)
	next := func() (r read) {
		defer func() { r.failure = recover() }()
		r.block, r.err = fill(src, <-free)
		return r
	}
	go func() {
		for last := false; !last; {
			r := next()
			last = r.err != nil || r.failure != nil
			select {
			case reads <- r:
			case <-stop:
				return
			}
		}
	}()
	for {
		r := <-reads
		if r.failure != nil {
			panic(r.failure)
		}
		samples += int64(len(r.block))
		if len(r.block) > 0 {
			if err := use(r.block); err != nil {
				return samples, err
			}
		}
		if r.err == io.EOF {
			return samples, nil
		}
		if r.err != nil {
			return samples, r.err
		}
		free <- r.block
	}
}

// fill reads samples until block is full or there is an error.
func fill(src audio.Source, block []float32) (filled []float32, err error) {
	n := 0
	for n < len(block) && err == nil {
		var k int
		k, err = src.Read(block[n:])
		n += k
	}
	return block[:n], err
}
