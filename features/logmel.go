package features

import (
	"errors"
	"fmt"

	"vqspeech/audio"
)

// LogMelDB returns the raw level of a whole clip.
//
//	clip [S]    mono, at cfg.SampleRate
//	db   [T, M] float32 (dB re 1.0), T = 1 + S/HopLength
//
// It fails on an invalid Config, a clip at another rate, an empty clip, and a
// sample that is not finite.
func LogMelDB(clip *audio.Clip, cfg Config) (db []float32, err error) {
	db, _, err = logMelDB(clip, cfg)
	return db, err
}

// LogMel returns the features of a whole clip under cfg.FrontEnd, mel [T, M]
// float32. It fails where LogMelDB does.
func LogMel(clip *audio.Clip, cfg Config) (mel []float32, err error) {
	db, peak, err := logMelDB(clip, cfg)
	if err != nil {
		return nil, err
	}
	cfg.Apply(db, db, peak)
	return db, nil
}

func logMelDB(clip *audio.Clip, cfg Config) (db []float32, peak float32, err error) {
	e, err := NewExtractor(cfg)
	if err != nil {
		return nil, 0, err
	}
	if clip.SampleRate != cfg.SampleRate {
		return nil, 0, fmt.Errorf("features: clip is at %d Hz, want %d Hz", clip.SampleRate, cfg.SampleRate)
	}
	if len(clip.Samples) == 0 {
		return nil, 0, errors.New("features: clip has no samples, want at least 1")
	}
	db = make([]float32, 0, (1+len(clip.Samples)/cfg.HopLength)*cfg.NMels)
	for rest := clip.Samples; len(rest) > 0; {
		n := min(len(rest), blockFrames*cfg.HopLength)
		db = append(db, e.Push(rest[:n])...)
		rest = rest[n:]
	}
	db = append(db, e.Flush()...)
	return db, e.Peak(), e.Err()
}
