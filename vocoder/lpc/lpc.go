// Package lpc predicts speech samples linearly from log-mel features, without
// side information: the filter of a frame follows from its spectral envelope
// (Valin & Skoglund 2019, LPCNet, who start from cepstra). An autoregressive
// decoder then models what the prediction leaves, which is white and of known
// power.
//
//	mel [M] → magnitudes [bins] → autocorrelation [Order+1] → Levinson-Durbin → Filter
//
// Samples are those after the pre-emphasis of the features.
package lpc

import (
	"math"

	"vqspeech/features"
)

// Order is the number of past samples that a prediction uses.
const Order = 16

// A Filter predicts the next sample from the last ones.
type Filter struct {
	Coef [Order]float32 // Coef[i] weighs the sample i+1 steps back
	Gain float32        // expected RMS of what the prediction leaves; positive
}

// Predict returns the prediction from past, the latest sample last.
//
//	past [≥ Order] float32
func (f *Filter) Predict(past []float32) float32 {
	past = past[len(past)-Order:]
	var sum float32
	for i, c := range f.Coef {
		sum += float32(c * past[Order-1-i])
	}
	return sum
}

// transform is the length of the transform whose bins carry the envelope.
const transform = 512

// The envelope of a decoded frame is a guess: a noise floor 40 dB below its
// power and a window over the lags (60 Hz, Gaussian) keep its filter from
// ringing.
const (
	noiseFloor = 1e-4
	lagHz      = 60
)

// An Analyzer computes filters for features of one Config. It must not be used
// by two goroutines at a time.
type Analyzer struct {
	level   features.Level
	inverse *features.Inverse
	cos     []float64 // [Order+1, bins], with the lag window and the window's power
	mel     []float64 // [M] amplitudes
	power   []float64 // [bins]
}

// New returns an Analyzer. It fails only on an invalid Config.
func New(cfg features.Config) (*Analyzer, error) {
	inverse, err := features.NewInverse(cfg, min(cfg.NFFT, max(transform, powerOfTwo(cfg.WinLength))))
	if err != nil {
		return nil, err
	}
	bins := inverse.Bins()
	a := &Analyzer{
		level: cfg.StreamLevel(), inverse: inverse,
		cos: make([]float64, (Order+1)*bins), mel: make([]float64, cfg.NMels), power: make([]float64, bins),
	}
	var windowPower float64
	for _, w := range features.Window(cfg.WinLength) {
		windowPower += w * w
	}
	n := 2 * (bins - 1)
	for k := range Order + 1 {
		lag := 2 * math.Pi * lagHz * float64(k) / float64(cfg.SampleRate)
		scale := math.Exp(-lag*lag/2) / (float64(n) * windowPower)
		for j := range bins {
			both := 2.0 // a bin stands for its mirror image too
			if j == 0 || j == bins-1 {
				both = 1
			}
			a.cos[k*bins+j] = both * scale * math.Cos(2*math.Pi*float64(k*j%n)/float64(n))
		}
	}
	return a, nil
}

// minGain keeps the Filter of silence usable: -100 dB re full scale.
const minGain = 1e-5

// Filter returns the filter of one frame of features.
//
//	mel [M] float32, features under the Config's stream level
func (a *Analyzer) Filter(mel []float32) Filter {
	for i, v := range mel {
		db := float64(v-1) * float64(a.level.TopDB)
		a.mel[i] = math.Pow(10, min(max(db, features.RawFloorDB), 100)/20)
	}
	a.inverse.Magnitudes(a.power, a.mel)
	for j, m := range a.power {
		a.power[j] = m * m
	}
	var r [Order + 1]float64
	bins := len(a.power)
	for k := range r {
		var sum float64
		cos := a.cos[k*bins : (k+1)*bins]
		for j, p := range a.power {
			sum += p * cos[j]
		}
		r[k] = sum
	}
	r[0] = r[0]*(1+noiseFloor) + minGain*minGain
	coef, left := levinson(r)
	f := Filter{Gain: float32(math.Sqrt(left))}
	for i, c := range coef {
		f.Coef[i] = float32(c)
	}
	return f
}

// levinson solves the normal equations of the autocorrelation r by the
// Levinson-Durbin recursion and returns the power that is left.
func levinson(r [Order + 1]float64) (coef [Order]float64, left float64) {
	left = r[0]
	for i := range Order {
		k := r[i+1]
		for j := range i {
			k -= coef[j] * r[i-j]
		}
		k /= left
		before := coef
		coef[i] = k
		for j := range i {
			coef[j] = before[j] - k*before[i-1-j]
		}
		left *= 1 - k*k
	}
	return coef, left
}

func powerOfTwo(n int) int {
	p := 1
	for p < n {
		p *= 2
	}
	return p
}
