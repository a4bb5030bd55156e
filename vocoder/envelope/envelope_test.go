package envelope

import (
	"math"
	"math/rand/v2"
	"testing"

	"vqspeech/features"
)

func config() features.Config { return features.Default(features.Stream) }

// noise is pre-emphasised noise that fades in and out.
func noise(n int) []float32 {
	r := rand.New(rand.NewPCG(1, 2))
	y := make([]float32, n)
	for i := range y {
		y[i] = float32(0.05 * r.NormFloat64() * (1 + math.Sin(float64(i)/4000)))
	}
	return y
}

// measured returns the features of a pre-emphasised signal.
func measured(t *testing.T, y []float32) []float32 {
	t.Helper()
	cfg := config()
	cfg.PreEmphasis = 0
	e, err := features.NewExtractor(cfg)
	if err != nil {
		t.Fatal(err)
	}
	db := append([]float32(nil), e.Push(y)...)
	db = append(db, e.Flush()...)
	cfg.StreamLevel().Apply(db, db)
	return db
}

func shape(t *testing.T, o Options, y, mel []float32, cut int) []float32 {
	t.Helper()
	s, err := New(config(), o)
	if err != nil {
		t.Fatal(err)
	}
	s.Want(mel)
	var out []float32
	for rest := y; len(rest) > 0; {
		n := min(cut, len(rest))
		out = append(out, s.Push(rest[:n])...)
		rest = rest[n:]
	}
	return append(out, s.Flush()...)
}

// Where the envelope is as asked for, the waveform stays as it is.
func TestRightEnvelopeIsLeft(t *testing.T) {
	y := noise(16000)
	got := shape(t, Options{Most: 20, Passes: 2}, y, measured(t, y), 777)
	if len(got) != len(y) {
		t.Fatalf("%d samples, want %d", len(got), len(y))
	}
	for i := 200; i < len(y)-200; i++ { // the ends lack windows
		if d := math.Abs(float64(got[i] - y[i])); d > 2e-3 {
			t.Fatalf("sample %d is %v, want %v", i, got[i], y[i])
		}
	}
}

// Where windows only touch, a sample lies under none of them.
func TestWindowsThatTouch(t *testing.T) {
	cfg := config()
	cfg.HopLength = cfg.WinLength
	s, err := New(cfg, Options{Most: 20, Passes: 1})
	if err != nil {
		t.Fatal(err)
	}
	y := noise(16000)
	s.Want(make([]float32, (len(y)/cfg.HopLength+1)*cfg.NMels))
	for i, v := range append(s.Push(y), s.Flush()...) {
		if v != v {
			t.Fatalf("sample %d is %v", i, v)
		}
	}
}

// Another envelope is restored, but no farther than the bound.
func TestEnvelopeIsRestored(t *testing.T) {
	y := noise(16000)
	want := measured(t, y)
	m := config().NMels
	for i := range want {
		want[i] += float32(6*math.Sin(float64(i%m)/9)+4*math.Sin(float64(i/m)/7)) / 80
	}
	errorOf := func(y []float32) float64 {
		var sum float64
		n := 0
		for i, v := range measured(t, y) {
			if t := i / m; t > 3 && t < len(want)/m-4 {
				sum += math.Pow(80*float64(v-want[i]), 2)
				n++
			}
		}
		return sum / float64(n)
	}
	before := errorOf(y)
	last := before
	for passes := 1; passes <= 3; passes++ {
		e := errorOf(shape(t, Options{Most: 20, Passes: passes}, y, want, 1600))
		t.Logf("%d passes: %.2f dB²", passes, e)
		if e > 0.02*before || e > 1.02*last {
			t.Errorf("%d passes leave %.3f dB² of %.2f, one less %.3f", passes, e, before, last)
		}
		last = e
	}
	if bounded := errorOf(shape(t, Options{Most: 0, Passes: 1}, y, want, 1600)); math.Abs(bounded-before) > 0.05*before {
		t.Errorf("without gains the error changes from %.2f to %.2f dB²", before, bounded)
	}
}

func TestStreamIsWhole(t *testing.T) {
	y := noise(7003)
	mel := measured(t, noise(7003))
	for i := range mel {
		mel[i] += 0.02 * float32(i%7)
	}
	o := Options{Most: 12, Bands: 2, Frames: 1, Passes: 2}
	want := shape(t, o, y, mel, len(y))
	for _, cut := range []int{1, 160, 999} {
		got := shape(t, o, y, mel, cut)
		if len(got) != len(want) {
			t.Fatalf("pieces of %d: %d samples, want %d", cut, len(got), len(want))
		}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("pieces of %d: sample %d is %v, want %v", cut, i, got[i], want[i])
			}
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, o := range []Options{{Most: -1}, {Most: math.NaN()}, {Bands: -1}, {Frames: 1000}, {Passes: 17}} {
		if _, err := New(config(), o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}
