package features

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// The magnitudes that a mel frame is turned into have that mel frame, at the
// full and at a shorter transform.
func TestInverseHasTheSameMel(t *testing.T) {
	cfg := Default(Stream)
	rng := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{512, 1024, 2048} {
		v, err := NewInverse(cfg, n)
		if err != nil {
			t.Fatal(err)
		}
		if v.Bins() != n/2+1 {
			t.Fatalf("%d bins for length %d", v.Bins(), n)
		}
		bank := newFilterBank(cfg.SampleRate, cfg.NFFT, cfg.NMels, cfg.FMin, cfg.FMax).coarse(cfg.NFFT / n)
		smooth := make([]float64, v.Bins())
		for k := range smooth {
			smooth[k] = 2 + math.Sin(float64(k)/float64(v.Bins())*20) + 0.1*rng.Float64()
		}
		want, got := make([]float64, cfg.NMels), make([]float64, cfg.NMels)
		bank.apply(want, smooth)
		mag := make([]float64, v.Bins())
		v.Magnitudes(mag, want)
		bank.apply(got, mag)
		for m := range want {
			if math.Abs(20*math.Log10(got[m]/want[m])) > 0.05 {
				t.Errorf("length %d, band %d: mel amplitude %g, want %g", n, m, got[m], want[m])
			}
		}
		for k, a := range mag {
			if !(a >= 0) {
				t.Errorf("length %d, bin %d: magnitude %g", n, k, a)
			}
		}
	}
}

// A coarse filter bank agrees with the full one on magnitudes that are
// straight lines between the coarse bins.
func TestCoarseFilterBank(t *testing.T) {
	full := newFilterBank(16000, 2048, 80, 50, 8000)
	coarse := full.coarse(4)
	rng := rand.New(rand.NewPCG(2, 1))
	few, many := make([]float64, coarse.bins), make([]float64, full.bins)
	for k := range few {
		few[k] = rng.Float64()
	}
	for k := range many {
		part := float64(k%4) / 4
		many[k] = few[k/4] * (1 - part)
		if part > 0 {
			many[k] += few[k/4+1] * part
		}
	}
	want, got := make([]float64, 80), make([]float64, 80)
	full.apply(want, many)
	coarse.apply(got, few)
	for m := range want {
		if math.Abs(got[m]-want[m]) > 1e-12 {
			t.Errorf("band %d: %g, want %g", m, got[m], want[m])
		}
	}
}

// More bands than bins leave filters empty; that is no reason to fail.
func TestInverseOfEmptyFilters(t *testing.T) {
	cfg := Default(Stream)
	cfg.NFFT, cfg.WinLength, cfg.HopLength, cfg.NMels = 128, 128, 64, 256
	v, err := NewInverse(cfg, 128)
	if err != nil {
		t.Fatal(err)
	}
	mel, mag := make([]float64, 256), make([]float64, 65)
	for i := range mel {
		mel[i] = 1
	}
	v.Magnitudes(mag, mel)
	for k, a := range mag {
		if !(a >= 0 && a < 1e4) {
			t.Errorf("bin %d: magnitude %g", k, a)
		}
	}
}

func TestNewInverseErrors(t *testing.T) {
	for _, n := range []int{0, 256, 400, 4096} {
		if _, err := NewInverse(Default(Stream), n); err == nil || !strings.Contains(err.Error(), "want a power of two from win_length 400 to n_fft 2048") {
			t.Errorf("length %d: %v", n, err)
		}
	}
}
