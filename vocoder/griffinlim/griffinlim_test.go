package griffinlim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"vqspeech/audio"
	"vqspeech/features"
	"vqspeech/vocoder"
)

// voice returns n samples of a gliding harmonic tone with pauses, breath noise
// and a formant that moves.
func voice(n int) []float32 {
	rng := rand.New(rand.NewPCG(7, 7))
	x := make([]float32, n)
	phase := 0.0
	for i := range x {
		s := float64(i) / 16000
		f0 := 130 + 40*math.Sin(2*math.Pi*0.7*s)
		formant := 900 + 500*math.Sin(2*math.Pi*1.3*s)
		phase += 2 * math.Pi * f0 / 16000
		var v float64
		for h := 1; float64(h)*f0 < 7000; h++ {
			f := float64(h) * f0
			v += math.Sin(phase*float64(h)) / (1 + math.Abs(f-formant)/200)
		}
		x[i] = float32(0.05*v*math.Sqrt(max(0, math.Sin(2*math.Pi*1.1*s))) + 0.003*rng.NormFloat64())
	}
	return x
}

func logMel(t testing.TB, x []float32, cfg features.Config) []float32 {
	t.Helper()
	mel, err := features.LogMel(&audio.Clip{Samples: x, SampleRate: cfg.SampleRate}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return mel
}

func mustNew(t testing.TB, cfg features.Config) *GriffinLim {
	t.Helper()
	g, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// synthesise cuts mel after each of the frames given.
func synthesise(t testing.TB, g *GriffinLim, mel []float32, bands int, cuts ...int) []float32 {
	t.Helper()
	var out []float32
	from := 0
	for _, to := range append(cuts, len(mel)/bands) {
		samples, err := g.Push(vocoder.Conditioning{Mel: mel[from*bands : to*bands]})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, samples...)
		from = to
	}
	samples, err := g.Flush()
	if err != nil {
		t.Fatal(err)
	}
	return append(out, samples...)
}

func TestChunkedEqualsWhole(t *testing.T) {
	cfg := features.Default(features.Stream)
	all := logMel(t, voice(24000), cfg)
	again := mustNew(t, cfg) // one utterance after the other
	rng := rand.New(rand.NewPCG(3, 3))
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, frames := range []int{1, 2, 3, lookahead, blockFrames, blockFrames + lookahead - 1, blockFrames + lookahead, blockFrames + lookahead + 1, 2*blockFrames + lookahead} {
		mel := all[:frames*cfg.NMels]
		whole := synthesise(t, mustNew(t, cfg), mel, cfg.NMels)
		if len(whole) != frames*cfg.HopLength {
			t.Fatalf("%d frames give %d samples, want %d", frames, len(whole), frames*cfg.HopLength)
		}
		cuts := []int{rng.IntN(frames + 1), rng.IntN(frames + 1), rng.IntN(frames + 1), frames}
		slices.Sort(cuts)
		runtime.GOMAXPROCS(1 + rng.IntN(3))
		if !slices.Equal(synthesise(t, again, mel, cfg.NMels, cuts...), whole) {
			t.Errorf("%d frames cut at %v: samples differ from the whole", frames, cuts)
		}
	}
}

// Features → samples → features comes close to where it began, and no worse
// where two blocks meet. Ten voices of LibriSpeech give 0.9 dB².
func TestRoundTrip(t *testing.T) {
	for _, front := range []features.FrontEnd{features.Stream, features.Reference} {
		cfg := features.Default(front)
		x := voice(64000)
		want := logMel(t, x, cfg)
		y := synthesise(t, mustNew(t, cfg), want, cfg.NMels)
		got := logMel(t, y[:len(x)], cfg)
		var all, seam mean
		frames := len(want) / cfg.NMels
		for f := range frames {
			for m := range cfg.NMels {
				d := float64(got[f*cfg.NMels+m]-want[f*cfg.NMels+m]) * cfg.TopDB
				all.add(d * d)
				if near := (f + 2) % blockFrames; f > 2 && near < 4 {
					seam.add(d * d)
				}
			}
		}
		t.Logf("%s: log-mel error %.2f dB², where blocks meet %.2f dB²", front, all.value(), seam.value())
		if all.value() > 2 {
			t.Errorf("%s: log-mel error is %.2f dB², want at most 2", front, all.value())
		}
		if seam.value() > 2*all.value()+0.5 {
			t.Errorf("%s: log-mel error where blocks meet is %.2f dB², elsewhere %.2f", front, seam.value(), all.value())
		}
	}
}

type mean struct {
	sum float64
	n   int
}

func (m *mean) add(v float64)  { m.sum += v; m.n++ }
func (m *mean) value() float64 { return m.sum / float64(m.n) }

// The stream level is absolute: what comes out is as loud as what went in.
func TestLevelIsKept(t *testing.T) {
	cfg := features.Default(features.Stream)
	x := voice(32000)
	y := synthesise(t, mustNew(t, cfg), logMel(t, x, cfg), cfg.NMels)
	var before, after mean
	for i := 1; i < len(x); i++ { // differences, since phases of the lowest bins do not survive
		before.add(math.Pow(float64(x[i]-x[i-1]), 2))
		after.add(math.Pow(float64(y[i]-y[i-1]), 2))
	}
	if db := 10 * math.Log10(after.value()/before.value()); math.Abs(db) > 1 {
		t.Errorf("the level changes by %.2f dB", db)
	}
}

func TestAnyFeaturesGiveFiniteSamples(t *testing.T) {
	small := features.Default(features.Stream)
	small.NFFT, small.WinLength, small.HopLength, small.NMels = 64, 64, 64, 128
	for _, cfg := range []features.Config{features.Default(features.Stream), features.Default(features.Reference), small} {
		g := mustNew(t, cfg)
		rng := rand.New(rand.NewPCG(1, 2))
		for _, fill := range []func() float32{
			func() float32 { return 0 },
			func() float32 { return math.MaxFloat32 },
			func() float32 { return -math.MaxFloat32 },
			func() float32 { return float32(rng.NormFloat64()) },
			func() float32 { return float32(rng.NormFloat64() * 1e3) },
		} {
			mel := make([]float32, 80*cfg.NMels)
			for i := range mel {
				mel[i] = fill()
			}
			for i, v := range synthesise(t, g, mel, cfg.NMels) {
				if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
					t.Fatalf("features like %g: sample %d is %v", mel[0], i, v)
				}
			}
		}
	}
}

func TestPushErrors(t *testing.T) {
	cfg := features.Default(features.Stream)
	g := mustNew(t, cfg)
	if _, err := g.Push(vocoder.Conditioning{Mel: make([]float32, 5*80)}); err != nil {
		t.Fatal(err)
	}
	bad := make([]float32, 4*80)
	bad[2*80+7] = float32(math.NaN())
	for want, mel := range map[string][]float32{
		"griffinlim: 79 features, want a multiple of the 80 bands": make([]float32, 79),
		"griffinlim: frame 7, band 7 is NaN, want a finite number": bad,
	} {
		if _, err := g.Push(vocoder.Conditioning{Mel: mel}); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if samples, _ := g.Flush(); len(samples) != 5*cfg.HopLength {
		t.Errorf("%d samples after refused pushes, want %d", len(samples), 5*cfg.HopLength)
	}
	if samples, _ := g.Flush(); len(samples) != 0 {
		t.Errorf("an empty utterance has %d samples", len(samples))
	}
	cfg.NMels = 0
	if _, err := New(cfg); err == nil {
		t.Error("New takes an invalid Config")
	}
}

// No buffer grows with the length of the utterance.
func TestMemoryIsBounded(t *testing.T) {
	cfg := features.Default(features.Stream)
	g := mustNew(t, cfg)
	mel := logMel(t, voice(16000), cfg)
	size := func() int {
		e := g.est
		return cap(e.mags) + cap(e.x) + cap(e.norm) + cap(e.frames) + 2*(cap(e.spec)+cap(e.prev)+cap(e.goal)) + cap(g.out)
	}
	early := 0
	for i := range 8 {
		if _, err := g.Push(vocoder.Conditioning{Mel: mel}); err != nil {
			t.Fatal(err)
		}
		if i == 3 {
			early = size()
		}
	}
	if late := size(); late > early {
		t.Errorf("buffers grow from %d to %d numbers", early, late)
	}
}

func BenchmarkGriffinLim(b *testing.B) {
	cfg := features.Default(features.Stream)
	const seconds = 2
	mel := logMel(b, voice(seconds*cfg.SampleRate), cfg)
	g := mustNew(b, cfg)
	for _, procs := range []int{1, runtime.NumCPU()} {
		b.Run(fmt.Sprintf("cores-%d", procs), func(b *testing.B) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			for b.Loop() {
				synthesise(b, g, mel, cfg.NMels)
			}
			b.ReportMetric(seconds*float64(b.N)/b.Elapsed().Seconds(), "x_realtime")
		})
	}
}
