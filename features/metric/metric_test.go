package metric

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// measures are all measures of two recordings.
var measures = map[string]func(reference, estimate []float32, rate int) (float64, error){
	"mse": func(r, e []float32, rate int) (float64, error) {
		m, err := LogMelMSE(r, e, rate)
		return m.Value(), err
	},
	"mcd": func(r, e []float32, rate int) (float64, error) { m, err := MCD(r, e, rate); return m.Value(), err },
	"dtw": func(r, e []float32, rate int) (float64, error) {
		m, err := AlignedMCD(r, e, rate)
		return m.Value(), err
	},
	"f0": func(r, e []float32, rate int) (float64, error) {
		f, err := F0Errors(r, e, rate, DefaultF0())
		return f.RMSECents(), err
	},
	"stoi":  STOI,
	"sisdr": SISDR,
}

// spoken is a voice with rests and a little noise.
func spoken(samples, rate int) []float32 { return spokenAt(1, samples, rate) }

// spokenAt is spoken at another pace, with the same pitch.
func spokenAt(pace float64, samples, rate int) []float32 {
	return noise(voice(samples, rate, func(s float64) float64 {
		s *= pace
		if math.Mod(s, 0.7) > 0.5 {
			return 0
		}
		return 140 + 30*math.Sin(3*s)
	}), 40, 5)
}

func TestIdentical(t *testing.T) {
	want := map[string]float64{"mse": 0, "mcd": 0, "dtw": 0, "f0": 0, "stoi": 1, "sisdr": math.Inf(1)}
	for _, rate := range []int{8000, 16000, 44100} {
		x := spoken(rate, rate)
		for name, measure := range measures {
			got, err := measure(x, x, rate)
			if err != nil || got != want[name] && !(math.Abs(got-want[name]) < 1e-9) {
				t.Errorf("%s at %d Hz: %v, %v, want %v", name, rate, got, err, want[name])
			}
		}
	}
}

// More noise is worse, whatever the measure.
func TestOrder(t *testing.T) {
	const rate = 16000
	x := spoken(2*rate, rate)
	for name, measure := range measures {
		if name == "f0" {
			continue // counts frames voiced in both only
		}
		last := math.NaN()
		for _, db := range []float64{40, 20, 10, 0} {
			got, err := measure(x, noise(x, db, 9), rate)
			if err != nil {
				t.Fatal(err)
			}
			better := got < last
			if name == "stoi" || name == "sisdr" {
				better = got > last
			}
			if better {
				t.Errorf("%s: %v at a noise of -%v dB, %v with less", name, got, db, last)
			}
			last = got
		}
	}
}

func TestRefusals(t *testing.T) {
	const rate = 16000
	x := spoken(rate, rate)
	bad := func(v float32) []float32 {
		y := append([]float32(nil), x...)
		y[700] = v
		return y
	}
	bias := make([]float32, rate)
	for i := range bias {
		bias[i] = 0.1
	}
	for _, c := range []struct {
		name                string
		reference, estimate []float32
		want                string
		not                 string // measures that have a figure
	}{
		{"empty reference", nil, x, "reference has no samples", ""},
		{"empty estimate", x, nil, "estimate has no samples", ""},
		{"NaN", x, bad(float32(math.NaN())), "estimate: sample 700 is NaN, want a finite number", ""},
		{"infinite", bad(float32(math.Inf(1))), x, "reference: sample 700 is +Inf", ""},
		{"longer", x[:rate-1601], x, "reference of 14399 samples and estimate of 16000, want a difference of at most 1600", "dtw"},
		{"short and longer", x[:449], x[:500], "want a difference of at most 50", "dtw"},
		{"silent reference", make([]float32, rate), x, "reference is digital silence", ""},
		{"constant reference", bias, x, "reference is constant", "mse mcd dtw f0 stoi"},
		{"silent estimate", x, make([]float32, rate), "estimate is constant", "mse mcd dtw f0 stoi"},
		{"too short", x[:5000], x[:5000], "22 frames are left without silence, STOI wants at least 30", "mse mcd dtw f0 sisdr"},
	} {
		for name, measure := range measures {
			_, err := measure(c.reference, c.estimate, rate)
			if strings.Contains(c.not, name) {
				if err != nil {
					t.Errorf("%s: %s: %v", c.name, name, err)
				}
				continue
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %s: %v, want %q", c.name, name, err, c.want)
			}
		}
	}
	for name, measure := range measures {
		if _, err := measure(x, x, 0); err == nil {
			t.Errorf("%s: no error for a rate of 0", name)
		}
	}
}

// Within the limit the shorter recording counts.
func TestShorterCounts(t *testing.T) {
	const rate = 16000
	x := spoken(rate, rate)
	y := noise(x, 20, 3)
	for name, measure := range measures {
		if name == "dtw" {
			continue
		}
		want, err := measure(x[:rate-1600], y[:rate-1600], rate)
		if err != nil {
			t.Fatal(err)
		}
		for _, pair := range [][2][]float32{{x[:rate-1600], y}, {x, y[:rate-1600]}} {
			if got, err := measure(pair[0], pair[1], rate); err != nil || got != want {
				t.Errorf("%s: %v, %v, want %v", name, got, err, want)
			}
		}
	}
}

// A gain changes nothing that has no level; a tenth slower, only the alignment
// stays small.
func TestMCDGainAndPace(t *testing.T) {
	const rate = 16000
	x := spoken(rate, rate)
	half := make([]float32, len(x))
	for i, v := range x {
		half[i] = v / 2
	}
	m, err := MCD(x, half, rate)
	if err != nil || m.Value() > 1e-3 || m.N != 101 {
		t.Errorf("half the amplitude: %v dB over %d frames, %v, want 0 over 101", m.Value(), m.N, err)
	}
	slow := spokenAt(10.0/11, rate*11/10, rate)
	d, err := AlignedMCD(x, x[:rate/2], rate)
	if err != nil || d.N < 101 {
		t.Errorf("half of it: %d steps, %v", d.N, err)
	}
	d, err = AlignedMCD(x, slow, rate)
	if err != nil {
		t.Fatal(err)
	}
	m, err = MCD(x, slow[:len(x)], rate)
	if err != nil || !(d.Value() < 0.6*m.Value()) {
		t.Errorf("a tenth slower: %v dB aligned, %v dB frame by frame, %v", d.Value(), m.Value(), err)
	}
}

// warpWhole is the recursion as it is written down, with a table and a walk back.
func warpWhole(d [][]float64) (cost float64, steps int) {
	n, m := len(d), len(d[0])
	c := make([][]float64, n)
	for i := range c {
		c[i] = make([]float64, m)
		for j := range c[i] {
			best := math.Inf(1)
			for _, s := range [][2]int{{1, 0}, {0, 1}, {1, 1}} {
				if i >= s[0] && j >= s[1] {
					best = min(best, c[i-s[0]][j-s[1]])
				}
			}
			if i == 0 && j == 0 {
				best = 0
			}
			c[i][j] = d[i][j] + best
		}
	}
	i, j := n-1, m-1
	for steps = 1; i > 0 && j > 0; steps++ {
		switch best := min(c[i-1][j-1], c[i][j-1], c[i-1][j]); best {
		case c[i-1][j-1]:
			i, j = i-1, j-1
		case c[i][j-1]:
			j--
		default:
			i--
		}
	}
	return c[n-1][m-1], steps + i + j
}

func TestWarp(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n, m := rapid.IntRange(1, 9).Draw(rt, "n"), rapid.IntRange(1, 9).Draw(rt, "m")
		d := make([][]float64, n)
		for i := range d {
			for range m {
				d[i] = append(d[i], float64(rapid.IntRange(0, 3).Draw(rt, "distance"))) // many ties
			}
		}
		cost, steps := warp(n, m, func(i, j int) float64 { return d[i][j] })
		if wantCost, wantSteps := warpWhole(d); cost != wantCost || steps != wantSteps {
			rt.Fatalf("%v over %d steps, want %v over %d", cost, steps, wantCost, wantSteps)
		}
	})
}

func TestF0Error(t *testing.T) {
	var e F0Error
	if !math.IsNaN(e.RMSEHz()) || !math.IsNaN(e.VDE()) || !math.IsNaN(e.CorrelationLog()) {
		t.Error("of nothing there is a figure")
	}
	e.Add([]float32{100, 100, 0, 0, 100}, []float32{100, 121, 0, 100, 0})
	if e.Frames != 5 || e.Both != 2 || e.Gross != 1 || e.Voicing != 2 {
		t.Errorf("counts %+v", e)
	}
	if e.GPE() != 0.5 || e.VDE() != 0.4 || math.Abs(e.FFE()-0.6) > 1e-15 || math.Abs(e.RMSEHz()-21/math.Sqrt2) > 1e-9 {
		t.Errorf("GPE %v, VDE %v, FFE %v, %v Hz", e.GPE(), e.VDE(), e.FFE(), e.RMSEHz())
	}
	if !math.IsNaN(e.CorrelationHz()) {
		t.Errorf("correlation with a constant is %v", e.CorrelationHz())
	}
	var parts, whole F0Error
	rng := rand.New(rand.NewPCG(1, 1))
	for range 3 {
		a, b := make([]float32, 50), make([]float32, 50)
		for t := range a {
			a[t], b[t] = float32(max(0, 300*rng.Float64()-50)), float32(max(0, 300*rng.Float64()-50))
		}
		var part F0Error
		part.Add(a, b)
		parts.Merge(part)
		whole.Add(a, b)
	}
	if math.Abs(parts.CorrelationHz()-whole.CorrelationHz()) > 1e-12 || math.Abs(parts.RMSECents()-whole.RMSECents()) > 1e-9 || parts.FFE() != whole.FFE() {
		t.Errorf("pooled %+v, at once %+v", parts, whole)
	}
}

func BenchmarkMeasures(b *testing.B) {
	const seconds, rate = 10, 16000
	x := spoken(seconds*rate, rate)
	y := noise(x, 20, 4)
	for _, name := range []string{"mse", "mcd", "dtw", "f0", "stoi", "sisdr"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := measures[name](x, y, rate); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(seconds*float64(b.N)/b.Elapsed().Seconds(), "x_realtime")
		})
	}
}
