package lpc

import (
	"math"
	"testing"

	"vqspeech/audio"
	"vqspeech/features"
)

// Coding a recording in a closed loop and decoding the codes must give it back
// but for the µ-law's rounding, and the inputs must be those of the samples.
func TestCodesOfSpeech(t *testing.T) {
	cfg := config()
	clip, err := audio.Load("../../testdata/118-47824-0040.flac")
	if err != nil {
		t.Fatal(err)
	}
	mel, err := features.LogMel(clip, cfg)
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	m := cfg.NMels
	frames := len(mel)/m - 1
	var filters []Filter
	for i := range frames {
		filters = a.Filters(filters, mel[i*m:(i+1)*m], mel[(i+1)*m:(i+2)*m])
	}
	span := cfg.HopLength / PerFrame
	x := clip.Samples[:frames*cfg.HopLength]
	var enc, dec Coder
	out := make([]float32, len(x))
	var power, noise, residual float64
	last := float32(0)
	clipped := 0
	for n, v := range x {
		f := &filters[n/span]
		y := v - float32(cfg.PreEmphasis)*last
		last = v
		in, p := enc.Next(f, 160)
		code := Code(f, y, p)
		if code == 0 || code == 255 {
			clipped++
		}
		enc.Put(f, p, code)
		again, q := dec.Next(f, 160)
		if again != in || q != p {
			t.Fatalf("sample %d: inputs %v, want %v", n, again, in)
		}
		out[n] = dec.Put(f, q, code)
		power += float64(y) * float64(y)
		noise += float64(out[n]-y) * float64(out[n]-y)
		residual += float64(y-p) * float64(y-p)
	}
	snr, gain := 10*math.Log10(power/noise), 10*math.Log10(power/residual)
	t.Logf("signal to noise %.1f dB, prediction gain %.1f dB, %d of %d samples clipped", snr, gain, clipped, len(x))
	if snr < 30 {
		t.Errorf("signal to noise is %.1f dB, want at least 30", snr)
	}
	if gain < 6 {
		t.Errorf("prediction gain is %.1f dB, want at least 6", gain)
	}
	if clipped > len(x)/1000 {
		t.Errorf("%d of %d residuals are clipped", clipped, len(x))
	}
	d := NewDeEmphasis(cfg.PreEmphasis)
	var worst float64
	for n, v := range x {
		worst = max(worst, math.Abs(float64(v-d.Next(out[n]))))
	}
	if worst > 0.1 {
		t.Errorf("a sample is off by %v after de-emphasis", worst)
	}
}

func BenchmarkCoder(b *testing.B) {
	f := Filter{Gain: 0.01}
	for i := range f.Coef {
		f.Coef[i] = 0.05
	}
	var c Coder
	for b.Loop() {
		_, p := c.Next(&f, 100)
		c.Put(&f, p, 130)
	}
}

// The code of a period ago is that of three samples less than a period before
// the sample to come.
func TestPeriod(t *testing.T) {
	f := Filter{Gain: 0.01}
	var c Coder
	for n := range 1200 {
		for _, period := range []int{0, 4, 100, MaxPeriod} {
			in, _ := c.Next(&f, period)
			want := silence
			if at := n - period + periodLead; period > 0 && at >= 0 {
				want = uint8(at % 251)
			}
			if in.Period != want {
				t.Fatalf("sample %d, period %d: code %d, want %d", n, period, in.Period, want)
			}
		}
		c.Put(&f, 0, uint8(n%251))
	}
}
