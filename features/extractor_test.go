package features

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"vqspeech/audio"
	"vqspeech/audio/wav"
)

// speechLike returns n samples of a gliding harmonic tone with pauses and noise.
func speechLike(n int, seed uint64) []float32 {
	rng := rand.New(rand.NewPCG(seed, 2))
	x := make([]float32, n)
	phase := 0.0
	for i := range x {
		s := float64(i) / 16000
		phase += 2 * math.Pi * (120 + 40*math.Sin(2*math.Pi*s)) / 16000
		v := 0.0
		for h := 1; h < 20; h++ {
			v += math.Sin(phase*float64(h)) / float64(h)
		}
		x[i] = float32(0.1*v*max(0, math.Sin(2*math.Pi*1.5*s)) + 0.001*rng.NormFloat64())
	}
	return x
}

func mustExtractor(t testing.TB, cfg Config) *Extractor {
	t.Helper()
	e, err := NewExtractor(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func mustLogMelDB(t testing.TB, x []float32, cfg Config) []float32 {
	t.Helper()
	db, err := LogMelDB(&audio.Clip{Samples: x, SampleRate: cfg.SampleRate}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func TestChunkedEqualsWhole(t *testing.T) {
	cfg := Default(Stream)
	e := mustExtractor(t, cfg) // used for one signal after the other
	rapid.Check(t, func(rt *rapid.T) {
		x := speechLike(rapid.IntRange(1, 40000).Draw(rt, "samples"), 3)
		want := mustLogMelDB(t, x, cfg)
		var got []float32
		largest := rapid.SampledFrom([]int{1, 2, 159, 161, 400, 16000}).Draw(rt, "largest chunk")
		for rest := x; len(rest) > 0; {
			n := min(rapid.IntRange(1, largest).Draw(rt, "chunk"), len(rest))
			if largest == 1 {
				n = min(len(rest), 1)
			}
			got = append(got, e.Push(rest[:n])...)
			rest = rest[n:]
			if len(x) > 4000 && largest < 100 { // enough small chunks
				got = append(got, e.Push(rest)...)
				rest = nil
			}
		}
		got = append(got, e.Flush()...)
		if !slices.Equal(got, want) {
			rt.Fatalf("%d samples in chunks up to %d: features differ from the whole", len(x), largest)
		}
		if e.Peak() != peak(&audio.Clip{Samples: x}) {
			rt.Fatalf("peak is %g", e.Peak())
		}
	})
}

func TestSameForAnyGOMAXPROCS(t *testing.T) {
	x := speechLike(100000, 1)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	one := mustLogMelDB(t, x, Default(Stream))
	for _, n := range []int{2, 3, 7} {
		runtime.GOMAXPROCS(n)
		if !slices.Equal(mustLogMelDB(t, x, Default(Stream)), one) {
			t.Errorf("GOMAXPROCS %d changes the features", n)
		}
	}
}

// A frame comes out as soon as the samples under its window allow.
func TestLatency(t *testing.T) {
	cfg := Default(Stream)
	e := mustExtractor(t, cfg)
	frames := 0
	for i, s := range speechLike(8000, 1) {
		frames += len(e.Push([]float32{s})) / cfg.NMels
		n := i + 1
		want := 0
		if n > cfg.WinLength/2 { // the first frame is reflected
			want = (n-cfg.WinLength/2)/cfg.HopLength + 1
		}
		if frames != want {
			t.Fatalf("%d frames after %d samples, want %d", frames, n, want)
		}
	}
}

func TestFrameCountAndShortSignals(t *testing.T) {
	cfg := Default(Reference)
	for _, n := range []int{1, 2, 3, 100, 159, 160, 161, 199, 200, 201, 319, 320, 399, 400, 401, 1024, 1025} {
		db := mustLogMelDB(t, speechLike(n, 1), cfg)
		if len(db) != (1+n/cfg.HopLength)*cfg.NMels {
			t.Errorf("%d samples give %d values, want %d frames", n, len(db), 1+n/cfg.HopLength)
		}
		// The definition: pad by NFFT/2, then cut frames of NFFT.
		x := speechLike(n, 1)
		y := make([]float64, n)
		for i := range y {
			y[i] = float64(x[i])
			if i > 0 {
				y[i] -= cfg.PreEmphasis * float64(x[i-1])
			}
		}
		fb := newFilterBank(cfg.SampleRate, cfg.NFFT, cfg.NMels, cfg.FMin, cfg.FMax)
		dft := NewDFT(cfg.NFFT)
		win := Window(cfg.WinLength)
		for f := range 1 + n/cfg.HopLength {
			frame := make([]float64, cfg.NFFT)
			for i, w := range win {
				j := f*cfg.HopLength - cfg.WinLength/2 + i
				for n > 1 && (j < 0 || j >= n) { // reflect back and forth
					if j < 0 {
						j = -j
					} else {
						j = 2*(n-1) - j
					}
				}
				if n == 1 {
					j = 0
				}
				frame[(cfg.NFFT-cfg.WinLength)/2+i] = y[j] * w
			}
			mag := make([]float64, dft.Bins())
			dft.pair(make([]complex128, cfg.NFFT), frame, nil, func(k int, a, _ complex128) { mag[k] = math.Hypot(real(a), imag(a)) })
			mel := make([]float64, cfg.NMels)
			fb.apply(mel, mag)
			top := slices.Max(mag)
			for m, v := range mel {
				want, got := max(v, 1e-10), math.Pow(10, float64(db[f*cfg.NMels+m])/20)
				// 1e-4 dB, but no less than float32 can tell beside the largest
				// magnitude: here nearly all lies at 0 Hz, outside the bands.
				limit := 1.15e-5 * want
				for _, w := range fb.weights[m] {
					limit += 1e-7 * top * w
				}
				if math.Abs(got-want) > limit {
					t.Fatalf("%d samples, frame %d, band %d: amplitude %g, want %g within %g", n, f, m, got, want, limit)
				}
			}
		}
	}
}

func TestSilenceIsFinite(t *testing.T) {
	for _, f := range []FrontEnd{Reference, Stream} {
		for _, tiny := range []float32{0, math.SmallestNonzeroFloat32, 1e-20} {
			x := make([]float32, 3200)
			x[100] = tiny
			mel, err := LogMel(&audio.Clip{Samples: x, SampleRate: 16000}, Default(f))
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range mel {
				if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) || tiny == 0 && v != mel[0] {
					t.Fatalf("%s, impulse of %g: feature %d is %g", f, tiny, i, v)
				}
			}
		}
	}
}

// Peak normalisation before the transform is an offset in dB after it.
func TestReferenceLevelIsGainInvariant(t *testing.T) {
	x := speechLike(16000, 5)
	cfg := Default(Reference)
	want, err := LogMel(&audio.Clip{Samples: x, SampleRate: 16000}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, gain := range []float32{0.01, 0.5, 3} {
		y := slices.Clone(x)
		for i := range y {
			y[i] *= gain
		}
		got, err := LogMel(&audio.Clip{Samples: y, SampleRate: 16000}, cfg)
		if err != nil {
			t.Fatal(err)
		}
		if d := largestDifference(got, want); d > 2e-6 {
			t.Errorf("gain %g: features move by %g", gain, d)
		}
		cfg.ReferenceLevel(max(slices.Max(y), -slices.Min(y)), 0).Scale(y)
		if top := max(slices.Max(y), -slices.Min(y)); math.Abs(float64(top)-PeakLevel) > 1e-6 {
			t.Errorf("gain %g: scaled to a peak of %g, want %g", gain, top, PeakLevel)
		}
	}
}

func TestLogMelErrors(t *testing.T) {
	nan := speechLike(2000, 1)
	nan[1234] = float32(math.NaN())
	inf := speechLike(2000, 1)
	inf[7] = float32(math.Inf(-1))
	bad := Default(Stream)
	bad.NFFT = 1000
	for name, c := range map[string]struct {
		clip audio.Clip
		cfg  Config
		want string
	}{
		"rate":   {audio.Clip{Samples: nan, SampleRate: 8000}, Default(Stream), "features: clip is at 8000 Hz, want 16000 Hz"},
		"empty":  {audio.Clip{SampleRate: 16000}, Default(Stream), "features: clip has no samples, want at least 1"},
		"nan":    {audio.Clip{Samples: nan, SampleRate: 16000}, Default(Stream), "features: sample 1234 is NaN, want a finite number"},
		"inf":    {audio.Clip{Samples: inf, SampleRate: 16000}, Default(Reference), "features: sample 7 is -Inf, want a finite number"},
		"config": {audio.Clip{Samples: nan, SampleRate: 16000}, bad, "features.n_fft: must be a power of two"},
	} {
		if _, err := LogMel(&c.clip, c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// The sample buffer does not grow with the signal.
func TestExtractorIsBounded(t *testing.T) {
	cfg := Default(Stream)
	for _, chunk := range []int{1000, 400000} {
		e := mustExtractor(t, cfg)
		x := speechLike(chunk, 1)
		for range 1600000 / chunk {
			e.Push(x)
		}
		if limit := 2 * (blockFrames*cfg.HopLength + 4*cfg.WinLength); cap(e.y) > limit {
			t.Errorf("chunks of %d: the buffer holds %d samples, want at most %d", chunk, cap(e.y), limit)
		}
	}
}

// BenchmarkLogMel takes ten minutes of 16-bit WAV, in memory, to features: the
// peer of bench/torch_features.py.
func BenchmarkLogMel(b *testing.B) {
	const seconds = 600
	var file bytes.Buffer
	if err := wav.Encode(&file, speechLike(seconds*16000, 1), 16000); err != nil {
		b.Fatal(err)
	}
	for _, frontEnd := range []FrontEnd{Reference, Stream} {
		cfg := Default(frontEnd)
		for _, procs := range []int{1, runtime.NumCPU()} {
			b.Run(fmt.Sprintf("%s/cores-%d", frontEnd, procs), func(b *testing.B) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
				for b.Loop() {
					r, err := audio.NewStream(bytes.NewReader(file.Bytes()))
					if err != nil {
						b.Fatal(err)
					}
					clip := &audio.Clip{Samples: make([]float32, r.Len()), SampleRate: r.SampleRate()}
					if _, err := audio.ReadFull(r, clip.Samples); err != nil {
						b.Fatal(err)
					}
					if _, err := LogMel(clip, cfg); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(seconds*float64(b.N)/b.Elapsed().Seconds(), "x_realtime")
			})
		}
	}
}

// BenchmarkNewTransform is what the first Extractor of a configuration costs.
func BenchmarkNewTransform(b *testing.B) {
	key := transformFor(Default(Reference)).key
	for b.Loop() {
		newTransform(key)
	}
}
