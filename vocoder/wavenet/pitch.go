package wavenet

import (
	"math"

	"vqspeech/vocoder/lpc"
)

// PitchDims is the number of values by which a latent tells the pitch.
const PitchDims = 2

// pitchCentre is the pitch whose height is zero (Hz).
const pitchCentre = 150

// Pitch returns the two values for a fundamental frequency (Hz), 0 where the
// frame is not voiced: 1 or 0, and the height above 150 Hz (octaves).
func Pitch(hz float32) [PitchDims]float32 {
	if hz <= 0 {
		return [PitchDims]float32{}
	}
	return [PitchDims]float32{1, float32(math.Log2(float64(hz) / pitchCentre))}
}

// frames makes of latents what prediction needs: filters and pitch periods.
type frames struct {
	analyzer *lpc.Analyzer
	mels     int
	rate     float64
}

func newFrames(cfg Config) (*frames, error) {
	a, err := lpc.New(cfg.Features)
	return &frames{analyzer: a, mels: cfg.Features.NMels, rate: float64(cfg.Features.SampleRate)}, err
}

// append appends the filters and the periods (samples, 0 where not voiced) of a
// latent x whose successor is next.
func (f *frames) append(filters []lpc.Filter, periods []int, x, next []float32) ([]lpc.Filter, []int) {
	filters = f.analyzer.Filters(filters, x[:f.mels], next[:f.mels])
	for part := range lpc.PerFrame {
		periods = append(periods, f.period(x[f.mels:], next[f.mels:], (float64(part)+0.5)/lpc.PerFrame))
	}
	return filters, periods
}

// period is that at a point between two latents; the height is on a straight
// line where both are voiced, else that of the nearer, if it is voiced.
func (f *frames) period(pitch, next []float32, at float64) int {
	voiced := func(p []float32) bool { return p[0] > 0.5 }
	height := float64(pitch[1])
	switch {
	case voiced(pitch) && voiced(next):
		height += at * (float64(next[1]) - height)
	case at >= 0.5:
		if pitch, height = next, float64(next[1]); !voiced(pitch) {
			return 0
		}
	case !voiced(pitch):
		return 0
	}
	hz := pitchCentre * math.Exp2(min(max(height, -3), 3))
	return min(max(int(math.Round(f.rate/hz)), 16), lpc.MaxPeriod)
}

// Frames makes what prediction needs of whole utterances, for training.
type Frames struct{ frames }

// NewFrames returns the Frames of a network with Prediction.
func NewFrames(cfg Config) (*Frames, error) {
	f, err := newFrames(cfg)
	if err != nil {
		return nil, err
	}
	return &Frames{*f}, nil
}

// Append is what generation does with a latent x whose successor is next (x
// itself after the last): lpc.PerFrame filters and pitch periods (samples).
func (f *Frames) Append(filters []lpc.Filter, periods []int, x, next []float32) ([]lpc.Filter, []int) {
	return f.append(filters, periods, x, next)
}
