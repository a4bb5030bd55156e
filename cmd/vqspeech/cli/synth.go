package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"vqspeech/audio"
	"vqspeech/model"
	"vqspeech/quant/units"
	"vqspeech/vocoder"
)

// synth turns units into a WAV file: model decoder, vocoder, writer. It holds
// a window of each, not the utterance.
type synth struct {
	model   *model.Model
	decoder *model.Decoder
	vocoder vocoder.Vocoder
	name    string
	wav     recording
	forget  func()
	units   int64
	samples int64 // written
	limit   int64 // of samples, once it is known
}

// recording is the audio.Writer of a file.
type recording interface {
	Write(samples []float32) error
	Close() error
	Abort()
}

// newSynth starts the file at path ("-": standard output) in the voice of a
// speaker.
func (a *app) newSynth(m *model.Model, voice voicing, speaker, path string) (*synth, error) {
	row, err := m.SpeakerIndex(speaker)
	if err != nil {
		return nil, err
	}
	v, err := voice(speaker)
	if err != nil {
		return nil, err
	}
	wav, err := audio.Create(path, m.Config.Features.SampleRate)
	if err != nil {
		return nil, outputNamed(path, err)
	}
	s := &synth{model: m, decoder: m.NewDecoder(row), vocoder: v, name: path, wav: wav, limit: math.MaxInt64}
	s.forget = a.track(wav)
	return s, nil
}

// play synthesises the rest of a .vqs file and completes the output.
func (s *synth) play(ctx context.Context, r *units.Reader) error {
	codes := make([]uint16, 1024)
	for {
		n, err := r.Read(codes)
		if n > 0 {
			if err := s.push(codes[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return s.finish(r.Samples())
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
	}
}

// push synthesises the next units.
func (s *synth) push(codes []uint16) error {
	s.units += int64(len(codes))
	return s.mel(codes, s.decoder.Push(codes))
}

func (s *synth) mel(codes []uint16, mel []float32) error {
	if len(codes) == 0 && len(mel) == 0 {
		return nil
	}
	samples, err := s.vocoder.Push(vocoder.Conditioning{Codes: codes, Mel: mel})
	if err != nil {
		return err
	}
	return s.write(samples)
}

// write cuts what the last mel frame has beyond the end of the utterance.
func (s *synth) write(samples []float32) error {
	samples = samples[:min(int64(len(samples)), s.limit-s.samples)]
	s.samples += int64(len(samples))
	return outputNamed(s.name, s.wav.Write(samples))
}

// finish ends the utterance with exactly the given number of samples and
// completes the file.
func (s *synth) finish(samples int64) error {
	if err := checkCount(s.model.Config, s.units, samples); err != nil {
		return err
	}
	s.limit = samples
	if err := s.mel(nil, s.decoder.Flush(samples)); err != nil {
		return err
	}
	last, err := s.vocoder.Flush()
	if err != nil {
		return err
	}
	if err := s.write(last); err != nil {
		return err
	}
	if s.samples != samples {
		return fmt.Errorf("synthesis made %d samples, want %d", s.samples, samples)
	}
	s.forget()
	return outputNamed(s.name, s.wav.Close())
}

// abort removes an unfinished file; after finish it does nothing.
func (s *synth) abort() {
	s.forget()
	s.wav.Abort()
}

// checkCount reports whether so many units belong to so many samples.
func checkCount(c model.Config, n, samples int64) error {
	if want := unitsOf(c, samples); n != want {
		return fmt.Errorf("%d units do not make %d samples, want %d units", n, samples, want)
	}
	return nil
}

// unitsOf returns the number of units of an utterance: T mel frames make
// ⌊T/2⌋-1.
func unitsOf(c model.Config, samples int64) int64 {
	frames := 1 + samples/int64(c.Features.HopLength)
	return frames/model.Downsampling - 1
}

func outputNamed(path string, err error) error {
	var o outputError
	if err == nil || errors.As(err, &o) {
		return err
	}
	if path == "-" {
		path = "(stdout)"
	}
	return outputError{named(path, err)}
}
