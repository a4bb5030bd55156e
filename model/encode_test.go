package model_test

import (
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"vqspeech/audio"
	"vqspeech/features"
	"vqspeech/model"
	"vqspeech/model/embedded"
	"vqspeech/model/modeltest"
)

const recording = "../testdata/118-47824-0040.flac"

func speech(t testing.TB) *audio.Clip {
	t.Helper()
	clip, err := audio.Load(recording)
	if err != nil {
		t.Fatal(err)
	}
	return clip
}

func defaultModel(t testing.TB) *model.Model {
	t.Helper()
	m, err := embedded.Default()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// forEachModel runs f with the default model and with all tiny ones.
func forEachModel(t *testing.T, f func(t *testing.T, m *model.Model)) {
	t.Run("default", func(t *testing.T) { f(t, defaultModel(t)) })
	modeltest.ForEach(t, f)
}

// level returns the level that encodes clip with m.
func level(t testing.TB, m *model.Model, clip *audio.Clip) features.Level {
	t.Helper()
	cfg := m.Config.Features
	db, err := features.LogMelDB(clip, cfg)
	if err != nil {
		t.Fatal(err)
	}
	var peak float32
	for _, x := range clip.Samples {
		peak = max(peak, float32(math.Abs(float64(x))))
	}
	return cfg.Level(db, peak)
}

func encodeClip(t testing.TB, m *model.Model, clip *audio.Clip) []uint16 {
	t.Helper()
	var codes []uint16
	samples, err := m.EncodeClip(clip, func(c []uint16) error { codes = append(codes, c...); return nil })
	if err != nil {
		t.Fatal(err)
	}
	if clip.SampleRate == m.Config.Features.SampleRate && samples != int64(len(clip.Samples)) {
		t.Fatalf("%d samples, want %d", samples, len(clip.Samples))
	}
	return codes
}

// TestUnitsAreVaried guards the other tests: units that are all the same would
// agree whatever is wrong, and near ties are allowed to differ.
func TestUnitsAreVaried(t *testing.T) {
	clip := speech(t)
	modeltest.ForEach(t, func(t *testing.T, m *model.Model) {
		codes := encodeClip(t, m, clip)
		seen := map[uint16]bool{}
		for _, c := range codes {
			seen[c] = true
		}
		if len(seen) < 3 {
			t.Errorf("only %d different units of %d", len(seen), len(codes))
		}
		mel, err := features.LogMel(clip, m.Config.Features)
		if err != nil {
			t.Fatal(err)
		}
		latents, logVar := m.Latents(mel)
		ties := 0
		for i := range codes {
			if nearTie(m, latents, logVar, i) {
				ties++
			}
		}
		if ties > len(codes)/10 {
			t.Errorf("%d of %d units are near ties", ties, len(codes))
		}
	})
}

// TestEncodeAgrees holds all ways to encode a recording equal: from a file,
// from memory, sample by sample in pieces, and from its features at once.
func TestEncodeAgrees(t *testing.T) {
	clip := speech(t)
	forEachModel(t, func(t *testing.T, m *model.Model) {
		want := encodeClip(t, m, clip)
		frames := 1 + len(clip.Samples)/m.Config.Features.HopLength
		if len(want) != frames/2-1 {
			t.Fatalf("%d units for %d frames, want %d", len(want), frames, frames/2-1)
		}

		var fromFile []uint16
		samples, err := m.EncodeFile(recording, func(c []uint16) error { fromFile = append(fromFile, c...); return nil })
		if err != nil {
			t.Fatal(err)
		}
		if samples != int64(len(clip.Samples)) || !slices.Equal(fromFile, want) {
			t.Errorf("EncodeFile: %d samples, units %v, want %d, %v", samples, fromFile, len(clip.Samples), want)
		}

		mel, err := features.LogMel(clip, m.Config.Features)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.EncodeMel(mel); !slices.Equal(got, want) {
			t.Errorf("EncodeMel: units %v, want %v", got, want)
		}

		single := push(t, m, level(t, m, clip), slices.Chunk(clip.Samples, 1))
		if !slices.Equal(single, want) {
			t.Errorf("one sample at a time: units %v, want %v", single, want)
		}
	})
}

// TestEncodeMelLong encodes features of a recording that is long enough to be taken
// in pieces.
func TestEncodeMelLong(t *testing.T) {
	clip := speech(t)
	clip.Samples = slices.Repeat(clip.Samples, 14)[:len(clip.Samples)*13+70] // 42 s, an odd number of frames
	forEachModel(t, func(t *testing.T, m *model.Model) {
		mel, err := features.LogMel(clip, m.Config.Features)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := m.EncodeMel(mel), encodeClip(t, m, clip); !slices.Equal(got, want) {
			t.Errorf("%d units, want %d, or others", len(got), len(want))
		}
	})
}

// push encodes the pieces of an utterance.
func push(t interface{ Fatal(...any) }, m *model.Model, l features.Level, pieces func(yield func([]float32) bool)) []uint16 {
	e, err := m.NewEncoder(l)
	if err != nil {
		t.Fatal(err)
	}
	var codes []uint16
	for piece := range pieces {
		c, err := e.Push(piece)
		if err != nil {
			t.Fatal(err)
		}
		codes = append(codes, c...)
	}
	c, err := e.Flush()
	if err != nil {
		t.Fatal(err)
	}
	return append(codes, c...)
}

func TestEncodeChunks(t *testing.T) {
	clip := speech(t)
	for name, m := range map[string]*model.Model{
		"vq/stream":            modeltest.New(t, model.VQ, features.Stream),
		"gaussian-3/reference": modeltest.New(t, model.Gaussian3, features.Reference),
	} {
		t.Run(name, func(t *testing.T) {
			want := encodeClip(t, m, clip)
			l := level(t, m, clip)
			rapid.Check(t, func(rt *rapid.T) {
				sizes := rapid.SliceOfN(rapid.IntRange(1, m.Config.Features.SampleRate), 1, 20).Draw(rt, "sizes")
				got := push(rt, m, l, cut(clip.Samples, sizes))
				if !slices.Equal(got, want) {
					rt.Fatalf("units %v, want %v", got, want)
				}
			})
		})
	}
	m := defaultModel(t)
	want := encodeClip(t, m, clip)
	for _, sizes := range [][]int{{7, 160, 1}, {159}, {161}, {4000, 1}, {16000}, {len(clip.Samples)}} {
		if got := push(t, m, level(t, m, clip), cut(clip.Samples, sizes)); !slices.Equal(got, want) {
			t.Errorf("default model, pieces of %v samples: units %v, want %v", sizes, got, want)
		}
	}
}

// cut yields x in pieces of the given sizes, over and over.
func cut[T any](x []T, sizes []int) func(yield func([]T) bool) {
	return func(yield func([]T) bool) {
		for i := 0; len(x) > 0; i++ {
			n := min(sizes[i%len(sizes)], len(x))
			if !yield(x[:n]) {
				return
			}
			x = x[n:]
		}
	}
}

func TestEncodeThreads(t *testing.T) {
	clip := speech(t)
	forEachModel(t, func(t *testing.T, m *model.Model) {
		var want []uint16
		for _, threads := range []int{1, 2, 5} {
			before := runtime.GOMAXPROCS(threads)
			got := encodeClip(t, m, clip)
			runtime.GOMAXPROCS(before)
			if want == nil {
				want = got
			}
			if !slices.Equal(got, want) {
				t.Errorf("%d threads: units %v, want %v", threads, got, want)
			}
		}
	})
}

// TestConcurrentUse encodes and decodes with one model on several goroutines.
func TestConcurrentUse(t *testing.T) {
	clip := speech(t)
	m := modeltest.New(t, model.Gaussian4, features.Stream)
	want := encodeClip(t, m, clip)
	wantMel := m.DecodeAll(want, 1)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			var got []uint16
			if _, err := m.EncodeClip(clip, func(c []uint16) error { got = append(got, c...); return nil }); err != nil {
				t.Error(err)
			}
			if !slices.Equal(got, want) || !slices.Equal(m.DecodeAll(got, 1), wantMel) {
				t.Error("another result than alone")
			}
		})
	}
	wg.Wait()
}

func TestEncodeResamples(t *testing.T) {
	clip := speech(t)
	m := modeltest.New(t, model.Gaussian4, features.Stream)
	for _, rate := range []int{8000, 22050, 44100} {
		other := &audio.Clip{SampleRate: rate, Samples: make([]float32, 2*rate)}
		copy(other.Samples, clip.Samples)
		var units int
		samples, err := m.EncodeClip(other, func(c []uint16) error { units += len(c); return nil })
		if err != nil {
			t.Fatal(err)
		}
		if samples != 32000 || units != 201/2-1 {
			t.Errorf("2 s at %d Hz: %d samples at the model's rate, %d units, want 32000, %d", rate, samples, units, 201/2-1)
		}
		path := filepath.Join(t.TempDir(), "other.wav")
		if err := audio.Save(path, other); err != nil {
			t.Fatal(err)
		}
		saved, err := audio.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		var fromFile []uint16
		if _, err := m.EncodeFile(path, func(c []uint16) error { fromFile = append(fromFile, c...); return nil }); err != nil {
			t.Fatal(err)
		}
		if want := encodeClip(t, m, saved); !slices.Equal(fromFile, want) {
			t.Errorf("%d Hz: units of the file %v, of its clip %v", rate, fromFile, want)
		}
	}
}

func TestEncodeSilence(t *testing.T) {
	forEachModel(t, func(t *testing.T, m *model.Model) {
		codes := encodeClip(t, m, &audio.Clip{SampleRate: 16000, Samples: make([]float32, 16000)})
		if len(codes) != 49 {
			t.Fatalf("%d units, want 49", len(codes))
		}
		for i, c := range codes[10:40] { // away from the padded edges
			if c != codes[10] {
				t.Errorf("unit %d is %d, unit 10 is %d", i+10, c, codes[10])
			}
		}
	})
}

func TestEncodeBadInput(t *testing.T) {
	noise := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = 0.1 * float32(i%7-3)
		}
		return x
	}
	with := func(i int, v float64) []float32 {
		x := noise(16000)
		x[i] = float32(v)
		return x
	}
	modeltest.ForEach(t, func(t *testing.T, m *model.Model) {
		for name, c := range map[string]struct {
			samples []float32
			want    string
		}{
			"empty":       {nil, "too short"},
			"8 ms":        {noise(128), "128 samples (8 ms) are too short: one unit needs at least 480 samples (30 ms)"},
			"479 samples": {noise(479), "too short"},
			"NaN":         {with(1234, math.NaN()), "sample 1234 is NaN, want a finite number"},
			"+Inf":        {with(0, math.Inf(1)), "sample 0 is +Inf, want a finite number"},
			"-Inf at end": {with(15999, math.Inf(-1)), "sample 15999 is -Inf, want a finite number"},
		} {
			_, err := m.EncodeClip(&audio.Clip{SampleRate: 16000, Samples: c.samples}, func([]uint16) error { return nil })
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: error %v, want one line with %q", name, err, c.want)
			}
		}
		codes := encodeClip(t, m, &audio.Clip{SampleRate: 16000, Samples: noise(480)})
		if len(codes) != 1 {
			t.Errorf("480 samples give %d units, want 1", len(codes))
		}
	})
}

func TestEncodeFileErrors(t *testing.T) {
	modeltest.ForEach(t, func(t *testing.T, m *model.Model) {
		emit := func([]uint16) error { return nil }
		if _, err := m.EncodeFile(filepath.Join(t.TempDir(), "absent.wav"), emit); err == nil {
			t.Error("a file that is not there: no error")
		}
		stop := errStop{}
		if _, err := m.EncodeFile(recording, func([]uint16) error { return stop }); err != stop {
			t.Errorf("error %v, want that of emit", err)
		}
	})
}

type errStop struct{}

func (errStop) Error() string { return "stop" }

// TestUnitCentre follows a unit through the convolutions to the mel frames that it
// sees.
func TestUnitCentre(t *testing.T) {
	centre, stride := 0.0, 1.0 // of the first output, and between two (mel frames)
	for _, g := range model.DefaultConfig().EncoderConvs() {
		centre += (float64(g.Kernel-1)/2 - float64(g.PadLeft)) * stride
		stride *= float64(g.Stride)
	}
	if got := centre / stride; got != model.UnitCentre {
		t.Errorf("the first unit is centred on mel frame %g, %g units, want %g", centre, got, model.UnitCentre)
	}
}
