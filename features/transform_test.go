package features

import (
	"math"
	"slices"
	"testing"

	"vqspeech/audio"
)

// slowMagnitudes returns |DFT| [bins] of a frame y [WinLength] by go-dsp's FFT
// in float64: what the matrix products stand for.
func slowMagnitudes(cfg Config, y []float64) []float64 {
	d := NewDFT(cfg.NFFT)
	frame := make([]float64, len(y))
	for i, w := range Window(len(y)) {
		frame[i] = y[i] * w
	}
	mag := make([]float64, d.Bins())
	d.pair(make([]complex128, cfg.NFFT), frame, nil, func(k int, a, _ complex128) { mag[k] = math.Hypot(real(a), imag(a)) })
	return mag
}

// apply sets dst [M] to the mel amplitudes of the magnitudes mag [bins].
func (fb *filterBank) apply(dst, mag []float64) {
	for m, ws := range fb.weights {
		dst[m] = 0
		for j, w := range ws {
			dst[m] += w * mag[fb.first[m]+j]
		}
	}
}

// fastMagnitudes returns the magnitudes [bins] of frame t, those that no band
// needs from slowMagnitudes, and its mel amplitudes [M].
func fastMagnitudes(e *Extractor, t int) (mag []float64, mel []float32) {
	tr := e.transform
	mag = slowMagnitudes(e.cfg, e.window(t))
	folded := make([]float32, e.cfg.WinLength)
	e.fold(folded, t)
	scratch := make([]float32, tr.scratch())
	tr.magnitudes(scratch, folded, 1)
	mel = make([]float32, e.cfg.NMels)
	tr.amplitudes(mel, scratch, 1)
	for j := range tr.columns {
		mag[tr.lowest+j] = float64(scratch[j])
		mag[e.cfg.NFFT/2-tr.lowest-j] = float64(scratch[tr.columns+j])
	}
	return mag, mel
}

// Geometries that a recipe may ask for, the smallest and the largest windows
// among them.
func TestTransformEqualsFFT(t *testing.T) {
	x := speechLike(30000, 1)
	for name, change := range map[string]func(*Config){
		"default":       func(*Config) {},
		"all bins":      func(c *Config) { c.FMin = 0 },
		"few bins":      func(c *Config) { c.FMin, c.FMax = 3000, 3500 },
		"no bin":        func(c *Config) { c.NFFT, c.WinLength, c.HopLength, c.FMin, c.FMax = 64, 64, 32, 10, 11 },
		"512, 20 bands": func(c *Config) { c.NFFT, c.NMels = 512, 20 },
		"window of 2":   func(c *Config) { c.WinLength, c.HopLength = 2, 1 },
		"window of 4":   func(c *Config) { c.WinLength, c.HopLength = 4, 3 },
		"window of 26":  func(c *Config) { c.WinLength, c.HopLength = 26, 26 },
		"full window":   func(c *Config) { c.NFFT, c.WinLength, c.NMels = 1024, 1024, 200 },
		"smallest":      func(c *Config) { c.NFFT, c.WinLength, c.HopLength, c.NMels = 64, 64, 16, 8 },
	} {
		cfg := Default(Stream)
		change(&cfg)
		e := mustExtractor(t, cfg)
		e.append(x)
		bank := newFilterBank(cfg.SampleRate, cfg.NFFT, cfg.NMels, cfg.FMin, cfg.FMax)
		var worst, worstMel float64
		for f := 0; f <= len(x)/cfg.HopLength; f += 1 + len(x)/cfg.HopLength/50 {
			want := slowMagnitudes(cfg, e.window(f))
			got, gotMel := fastMagnitudes(e, f)
			var top float64
			for _, v := range want {
				top = max(top, v)
			}
			for k, w := range want {
				worst = max(worst, math.Abs(got[k]-w)/top)
			}
			mel := make([]float64, cfg.NMels)
			bank.apply(mel, want)
			floor := max(slices.Max(mel)/1e4, math.SmallestNonzeroFloat32) // 80 dB below
			for m, w := range mel {
				worstMel = max(worstMel, math.Abs(float64(gotMel[m])-w)/max(w, floor))
			}
		}
		t.Logf("%s: error %.2g of the largest magnitude, %.2g of a mel amplitude", name, worst, worstMel)
		if worst > 4e-7 || worstMel > 1e-4 {
			t.Errorf("%s: error %.2g of the largest magnitude, %.2g of a mel amplitude", name, worst, worstMel)
		}
	}
}

// Levels beyond those of audio, where squares leave the range of float32.
func TestLoudAndQuietSignals(t *testing.T) {
	cfg := Default(Stream)
	want := mustLogMelDB(t, speechLike(8000, 1), cfg)
	for _, gain := range []float64{1e-6, 1e15, 1e25, 1e38} {
		x := speechLike(8000, 1)
		for i := range x {
			x[i] = float32(float64(x[i]) * gain)
		}
		got, err := LogMelDB(&audio.Clip{Samples: x, SampleRate: cfg.SampleRate}, cfg)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range got {
			if w := max(float64(want[i])+20*math.Log10(gain), RawFloorDB); math.Abs(float64(v)-w) > 0.01 {
				t.Fatalf("gain %g: value %d is %g dB, want %g", gain, i, v, w)
			}
		}
	}
}
