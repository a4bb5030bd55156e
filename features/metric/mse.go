package metric

import (
	"vqspeech/audio"
	"vqspeech/features"
)

// MelMSE is the mean squared error of log-mel features in dB², pooled over all
// frames and bands of all utterances (sony/sqvae evaluate_mse).
type MelMSE struct {
	TopDB float64 // dB per feature unit

	squares  float64
	elements int64
}

// Add compares two stretches of features of equal length.
func (m *MelMSE) Add(got, want []float32) {
	for i, v := range got {
		d := float64(v) - float64(want[i])
		m.squares += d * d
	}
	m.elements += int64(len(got))
}

// DB2 returns the error so far (dB²), NaN before the first Add.
func (m *MelMSE) DB2() float64 { return m.TopDB * m.TopDB * m.squares / float64(m.elements) }

// LogMelMSE returns the squared error (dB²) of the published log-mel features
// ([features.Reference]: each recording scaled to its own peak and floored 80 dB
// under its own maximum) of two recordings, over all frames and bands.
func LogMelMSE(reference, estimate []float32, rate int) (Mean, error) {
	r, e, err := common(reference, estimate, rate)
	if err != nil {
		return Mean{}, err
	}
	cfg := features.Default(features.Reference)
	want, got, err := mels(r, e, rate, cfg, features.LogMel)
	if err != nil {
		return Mean{}, err
	}
	m := MelMSE{TopDB: cfg.TopDB}
	m.Add(got, want)
	return Mean{Sum: m.TopDB * m.TopDB * m.squares, N: m.elements}, nil
}

// mels returns what extract makes of both recordings at cfg.SampleRate: mel
// [T, M] each.
func mels(reference, estimate []float32, rate int, cfg features.Config,
	extract func(*audio.Clip, features.Config) ([]float32, error)) (r, e []float32, err error) {
	reference, estimate, err = both(reference, estimate, rate, cfg.SampleRate)
	if err != nil {
		return nil, nil, err
	}
	if r, err = extract(&audio.Clip{Samples: reference, SampleRate: cfg.SampleRate}, cfg); err == nil {
		e, err = extract(&audio.Clip{Samples: estimate, SampleRate: cfg.SampleRate}, cfg)
	}
	return r, e, err
}
