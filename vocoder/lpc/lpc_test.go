package lpc

import (
	"math"
	"math/rand/v2"
	"testing"

	"vqspeech/audio"
	"vqspeech/features"
)

func config() features.Config { return features.Default(features.Stream) }

// The residual of speech-like noise (white noise through two resonances) must
// have the power that the filter promises, and much less than the signal.
func TestResidualOfResonances(t *testing.T) {
	cfg := config()
	r := rand.New(rand.NewPCG(1, 2))
	x := make([]float32, 3*cfg.SampleRate)
	pole := func(hz, radius float64) (a1, a2 float64) {
		return 2 * radius * math.Cos(2*math.Pi*hz/float64(cfg.SampleRate)), -radius * radius
	}
	a1, a2 := pole(600, 0.97)
	b1, b2 := pole(1800, 0.95)
	var u, v [2]float64
	for i := range x {
		u0 := 0.01*r.NormFloat64() + a1*u[0] + a2*u[1]
		v0 := u0 + b1*v[0] + b2*v[1]
		u, v = [2]float64{u0, u[0]}, [2]float64{v0, v[0]}
		x[i] = float32(0.1 * v0)
	}
	mel, err := features.LogMel(&audio.Clip{Samples: x, SampleRate: cfg.SampleRate}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	y := make([]float32, len(x))
	y[0] = x[0]
	for i := 1; i < len(x); i++ {
		y[i] = x[i] - float32(cfg.PreEmphasis)*x[i-1]
	}
	var signal, left, promised float64
	for frame := 2; frame < len(mel)/cfg.NMels-2; frame++ {
		f := a.Filter(mel[frame*cfg.NMels:][:cfg.NMels])
		for n := range cfg.HopLength {
			i := frame*cfg.HopLength + n
			e := y[i] - f.Predict(y[i-Order:i])
			signal += float64(y[i]) * float64(y[i])
			left += float64(e) * float64(e)
			promised += float64(f.Gain) * float64(f.Gain)
		}
	}
	gain := 10 * math.Log10(signal/left)
	t.Logf("prediction gain %.1f dB, residual %.2f dB above the promised power", gain, 10*math.Log10(left/promised))
	if gain < 12 {
		t.Errorf("the prediction gains %.1f dB, want at least 12", gain)
	}
	if off := 10 * math.Log10(left/promised); math.Abs(off) > 3 {
		t.Errorf("the residual is %.1f dB off its promised power", off)
	}
}

// A filter made from any features is finite and stable: its impulse response
// dies away.
// Features of speech at 8 kHz have a transform shorter than the usual one.
func TestShortTransform(t *testing.T) {
	cfg := config()
	cfg.SampleRate, cfg.NFFT, cfg.WinLength, cfg.HopLength, cfg.NMels, cfg.FMax = 8000, 256, 200, 80, 40, 4000
	if _, err := New(cfg); err != nil {
		t.Error(err)
	}
}

func TestFiltersAreStable(t *testing.T) {
	cfg := config()
	a, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	mel := make([]float32, cfg.NMels)
	for trial := range 200 {
		for i := range mel {
			mel[i] = 3*r.Float32() - 1
			if trial%3 == 0 && r.IntN(4) > 0 {
				mel[i] = -2
			}
		}
		f := a.Filter(mel)
		if !(f.Gain > 0) || math.IsInf(float64(f.Gain), 0) {
			t.Fatalf("trial %d: gain %v", trial, f.Gain)
		}
		y := make([]float32, Order, 8000+Order)
		y = append(y, 1)
		var tail float64
		for len(y) < cap(y) {
			v := f.Predict(y)
			y = append(y, v)
			if len(y) > 7000 {
				tail = max(tail, math.Abs(float64(v)))
			}
		}
		if !(tail < 1e-3) {
			t.Fatalf("trial %d: the impulse response is still %v after 7000 samples", trial, tail)
		}
	}
}
