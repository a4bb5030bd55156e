package metric

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

// A voice is a pulse train through formants: pitch (Hz) at time s (s), 0 where
// the voice rests.
func voice(samples, rate int, pitch func(s float64) float64) []float32 {
	return voiceOf(1, samples, rate, pitch)
}

// voiceOf is voice with formants so many times as high.
func voiceOf(scale float64, samples, rate int, pitch func(s float64) float64) []float32 {
	x := make([]float64, samples)
	phase := 0.0
	for i := range x {
		f := pitch(float64(i) / float64(rate))
		if f == 0 {
			continue
		}
		if phase += f / float64(rate); phase >= 1 {
			phase--
			// The pulse lies between samples: linear interpolation.
			late := phase * float64(rate) / f
			x[i] += 1 - late
			if i > 0 {
				x[i-1] += late
			}
		}
	}
	for _, formant := range [][2]float64{{600, 80}, {1200, 100}, {2500, 150}} { // centre, bandwidth (Hz)
		r := math.Exp(-math.Pi * formant[1] / float64(rate))
		a, b := 2*r*math.Cos(2*math.Pi*scale*formant[0]/float64(rate)), -r*r
		var y1, y2 float64
		for i, v := range x {
			v += a*y1 + b*y2
			x[i], y1, y2 = v, v, y1
		}
	}
	loudest := 0.0
	for _, v := range x {
		loudest = max(loudest, math.Abs(v))
	}
	out := make([]float32, samples)
	for i, v := range x {
		if loudest > 0 {
			out[i] = float32(0.5 * v / loudest)
		}
	}
	return out
}

func steady(hz float64) func(float64) float64 { return func(float64) float64 { return hz } }

func tone(samples, rate int, hz float64) []float32 {
	x := make([]float32, samples)
	for i := range x {
		x[i] = float32(0.3 * math.Sin(2*math.Pi*hz*float64(i)/float64(rate)))
	}
	return x
}

// noise adds white noise so many dB below the mean power of x.
func noise(x []float32, db float64, seed uint64) []float32 {
	rng := rand.New(rand.NewPCG(seed, 1))
	power := 0.0
	for _, v := range x {
		power += float64(v) * float64(v)
	}
	scale := math.Sqrt(power/float64(len(x))) * math.Pow(10, -db/20)
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = v + float32(scale*rng.NormFloat64())
	}
	return y
}

func mustTrack(t testing.TB, x []float32, rate int) []float32 {
	t.Helper()
	f0, err := TrackF0(x, rate, DefaultF0())
	if err != nil {
		t.Fatal(err)
	}
	return f0
}

// errorsOf returns the comparison with the true pitch, frames of the ends left
// out.
func errorsOf(f0 []float32, pitch func(s float64) float64, ends int) F0Error {
	truth := make([]float32, len(f0))
	for t := range truth {
		truth[t] = float32(pitch(float64(t) / 100))
	}
	var e F0Error
	e.Add(truth[ends:len(truth)-ends], f0[ends:len(f0)-ends])
	return e
}

func TestTrackKnownPitch(t *testing.T) {
	glide := func(from, to float64) func(float64) float64 {
		return func(s float64) float64 { return from * math.Pow(to/from, s) } // over 1 s
	}
	phrases := func(s float64) float64 { // rests between 0.3 and 0.5 s of every 0.5 s
		if math.Mod(s, 0.5) > 0.3 {
			return 0
		}
		return 130 + 40*math.Sin(2*math.Pi*1.5*s)
	}
	for _, c := range []struct {
		name    string
		pitch   func(s float64) float64
		noiseDB float64 // 0: none
		cents   float64 // largest root mean squared error
		voicing float64 // largest voicing error
	}{
		{"70 Hz", steady(70), 0, 1, 0},
		{"110 Hz", steady(110), 0, 1, 0},
		{"211.3 Hz", steady(211.3), 0, 1, 0},
		{"390 Hz", steady(390), 0, 1, 0},
		{"up", glide(90, 250), 0, 6, 0},
		{"down an octave and a half", glide(330, 110), 0, 6, 0},
		{"vibrato", func(s float64) float64 { return 180 * (1 + 0.05*math.Sin(2*math.Pi*5*s)) }, 0, 5, 0},
		{"phrases", phrases, 0, 12, 0.07},
		{"in noise of -20 dB", steady(110), 20, 2, 0},
		{"in noise of -10 dB", steady(211.3), 10, 5, 0},
		{"phrases in noise of -20 dB", phrases, 20, 12, 0.07},
	} {
		for _, rate := range []int{16000, 22050, 48000, 8000} {
			x := voice(rate, rate, c.pitch)
			if c.noiseDB > 0 {
				x = noise(x, c.noiseDB, 1)
			}
			f0 := mustTrack(t, x, rate)
			if len(f0) != 101 {
				t.Fatalf("%s, %d Hz: %d frames, want 101", c.name, rate, len(f0))
			}
			e := errorsOf(f0, c.pitch, 3)
			if !(e.RMSECents() <= c.cents && e.VDE() <= c.voicing) || e.Gross > 0 {
				t.Errorf("%s, %d Hz: %.2f cents, %d gross errors, voicing error %.3f, want %v, 0, %v",
					c.name, rate, e.RMSECents(), e.Gross, e.VDE(), c.cents, c.voicing)
			}
		}
	}
}

// Tones have no harmonics to help, and those at the ends no lags beyond.
func TestTrackTones(t *testing.T) {
	for _, hz := range []float64{60, 61, 100, 250, 399, 400} {
		f0 := mustTrack(t, tone(16000, 16000, hz), 16000)
		e := errorsOf(f0, steady(hz), 3)
		if !(e.RMSECents() < 1) || e.Voicing > 0 {
			t.Errorf("%v Hz: %.2f cents, %d unvoiced", hz, e.RMSECents(), e.Voicing)
		}
	}
	for _, hz := range []float64{20, 40, 52} {
		if f0 := mustTrack(t, tone(16000, 16000, hz), 16000); voiced(f0[4:97]) > 0 {
			t.Errorf("%v Hz, below the range: %d frames are voiced", hz, voiced(f0[4:97]))
		}
	}
}

func voiced(f0 []float32) (n int) {
	for _, v := range f0 {
		if v > 0 {
			n++
		}
	}
	return n
}

func TestTrackUnvoiced(t *testing.T) {
	click := make([]float32, 16000)
	click[8000] = 1
	offset := make([]float32, 16000)
	for i := range offset {
		offset[i] = 0.5
	}
	rng := rand.New(rand.NewPCG(2, 2))
	hiss := make([]float32, 32000)
	for i := range hiss {
		hiss[i] = float32(0.1 * rng.NormFloat64())
	}
	for _, c := range []struct {
		name string
		x    []float32
		most int
	}{
		{"silence", make([]float32, 16000), 0},
		{"constant", offset, 0},
		{"click", click, 0},
		{"one sample", []float32{1}, 0},
		{"100 samples", tone(100, 16000, 200), 1},
		{"noise", hiss, 5},
	} {
		if f0 := mustTrack(t, c.x, 16000); voiced(f0) > c.most || len(f0) != 1+len(c.x)/160 {
			t.Errorf("%s: %d of %d frames are voiced, want at most %d", c.name, voiced(f0), len(f0), c.most)
		}
	}
	// Hum in the pauses of speech is no voice.
	x := voice(32000, 16000, func(s float64) float64 {
		if s > 1 {
			return 0
		}
		return 140
	})
	for i, v := range tone(32000, 16000, 100) {
		x[i] += v / 100
	}
	if f0 := mustTrack(t, x, 16000); voiced(f0[110:]) > 0 || voiced(f0[5:95]) < 90 {
		t.Errorf("hum 36 dB below speech: %d of %d frames are voiced; of the speech %d of 90",
			voiced(f0[110:]), len(f0)-110, voiced(f0[5:95]))
	}
}

func TestTrackLevel(t *testing.T) {
	x := voice(16000, 16000, func(s float64) float64 { return 100 + 80*s })
	want := mustTrack(t, x, 16000)
	for _, gain := range []float32{1.0 / 1024, 64} {
		y := make([]float32, len(x))
		for i, v := range x {
			y[i] = gain * v
		}
		if got := mustTrack(t, y, 16000); !slices.Equal(got, want) {
			t.Errorf("times %v: the pitch changes", gain)
		}
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if got := mustTrack(t, x, 16000); !slices.Equal(got, want) {
		t.Error("on one thread: the pitch changes")
	}
}

func TestTrackRange(t *testing.T) {
	x := voice(16000, 16000, steady(500))
	f0, err := TrackF0(x, 16000, F0Config{FMin: 200, FMax: 800})
	if err != nil {
		t.Fatal(err)
	}
	if e := errorsOf(f0, steady(500), 3); !(e.RMSECents() < 1) || e.Voicing > 0 {
		t.Errorf("500 Hz in 200 to 800 Hz: %.2f cents, %d unvoiced", e.RMSECents(), e.Voicing)
	}
	for _, cfg := range []F0Config{{}, {FMin: 100, FMax: 150}, {FMin: 10, FMax: 400}, {FMin: 60, FMax: 2000}, {FMin: math.NaN(), FMax: 400}, {FMin: 60, FMax: math.Inf(1)}} {
		if _, err := TrackF0(x, 16000, cfg); err == nil {
			t.Errorf("%+v: no error", cfg)
		}
	}
}

func BenchmarkTrackF0(b *testing.B) {
	const seconds = 10
	x := voice(seconds*16000, 16000, func(s float64) float64 { return 120 + 40*math.Sin(s) })
	for _, procs := range []int{1, runtime.NumCPU()} {
		b.Run(fmt.Sprintf("cores-%d", procs), func(b *testing.B) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			for b.Loop() {
				mustTrack(b, x, 16000)
			}
			b.ReportMetric(seconds*float64(b.N)/b.Elapsed().Seconds(), "x_realtime")
		})
	}
}
