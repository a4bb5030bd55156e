// Package griffinlim turns log-mel features into samples without any trained
// weights.
//
//	mel [T, M] → mel amplitude → magnitudes [T, bins] → phases → de-emphasis → samples [T*HopLength]
//
// Magnitudes come from the pseudo-inverse of the mel filter bank
// ([features.Inverse]) at the bins of the shortest transform that holds a
// window. Phases come from fast Griffin-Lim (Griffin & Lim 1984; Perraudin,
// Balazs & Søndergaard 2013), begun from single-pass spectrogram inversion
// (Beauregard, Harish & Wyse 2015), which is worth about ten rounds.
//
// # Streaming
//
// Frames are taken in blocks of 64 at fixed positions, each with 4 frames of
// look-ahead that the next block estimates again. Samples once returned are
// constraints of the next block, which is why nothing clicks at the joins. The
// samples do not depend on how the features are cut, nor memory on their
// length.
package griffinlim

import (
	"fmt"
	"math"

	"vqspeech/features"
	"vqspeech/vocoder"
)

const (
	blockFrames = 64
	lookahead   = 4

	// Levels outside this range (dB re 1.0) count as its ends: no speech is
	// there, and the arithmetic stays finite.
	lowestDB, highestDB = features.RawFloorDB, 100
)

// GriffinLim is a vocoder.Vocoder for features of one Config.
type GriffinLim struct {
	cfg     features.Config
	inverse *features.Inverse
	est     *estimator
	taken   int       // frames of this utterance
	mel     []float64 // [M] amplitudes of one frame
	last    float64   // last sample, after de-emphasis
	out     []float32
}

var _ vocoder.Vocoder = (*GriffinLim)(nil)

// New returns a GriffinLim for features under cfg. It fails only on an invalid
// Config.
func New(cfg features.Config) (*GriffinLim, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	n := 4
	for n < cfg.WinLength {
		n *= 2
	}
	inverse, err := features.NewInverse(cfg, n)
	if err != nil {
		return nil, err
	}
	return &GriffinLim{
		cfg: cfg, inverse: inverse, est: newEstimator(n, cfg.WinLength, cfg.HopLength),
		mel: make([]float64, cfg.NMels),
	}, nil
}

// Push takes c.Mel [T, M] (c.Codes is ignored) and returns the samples of the
// blocks that are complete. The level is that of the waveform the features
// were computed from, under the Reference front end that of its peak
// normalisation; samples are not clipped.
//
// It fails, and takes nothing, if the length of c.Mel is not a multiple of M
// or a feature is not a finite number.
func (g *GriffinLim) Push(c vocoder.Conditioning) ([]float32, error) {
	m := g.cfg.NMels
	if len(c.Mel)%m != 0 {
		return nil, fmt.Errorf("griffinlim: %d features, want a multiple of the %d bands", len(c.Mel), m)
	}
	for i, v := range c.Mel {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, fmt.Errorf("griffinlim: frame %d, band %d is %v, want a finite number", g.taken+i/m, i%m, v)
		}
	}
	g.out = g.out[:0]
	for row := c.Mel; len(row) > 0; row = row[m:] {
		for i, v := range row[:m] {
			db := max(lowestDB, min((float64(v)-1)*g.cfg.TopDB, highestDB))
			g.mel[i] = math.Pow(10, db/20)
		}
		g.inverse.Magnitudes(g.est.add(), g.mel)
		g.taken++
		if g.est.pending() == blockFrames+lookahead {
			g.emit(blockFrames)
		}
	}
	return g.out, nil
}

// Flush returns the samples of the remaining frames. The error is always nil.
func (g *GriffinLim) Flush() ([]float32, error) {
	g.out = g.out[:0]
	if n := g.est.pending(); n > 0 {
		g.emit(n)
	}
	g.est.reset()
	g.taken, g.last = 0, 0
	return g.out, nil
}

// emit appends the samples of the next n frames, undoing the pre-emphasis.
func (g *GriffinLim) emit(n int) {
	for _, y := range g.est.block(n) {
		g.last = y + g.cfg.PreEmphasis*g.last
		g.out = append(g.out, float32(g.last))
	}
}
