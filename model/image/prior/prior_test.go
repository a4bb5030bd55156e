package prior_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"vqspeech/internal/golden"
	"vqspeech/internal/training"
	"vqspeech/model"
	"vqspeech/model/checkpoint"
	"vqspeech/model/image/prior"
	"vqspeech/model/image/prior/priortest"
	"vqspeech/quant"
)

func weights(cfg prior.Config) model.Weights {
	rng, w := training.Random(11, 0, 0), model.Weights{}
	for _, p := range cfg.Params() {
		w[p.Name] = p.Init(rng)
		if strings.HasSuffix(p.Name, ".bias") { // zero otherwise
			training.Normal(w[p.Name], rng)
		}
	}
	return w
}

// untrained returns a prior of random weights.
func untrained(t testing.TB, cfg prior.Config) *prior.Model {
	t.Helper()
	m, err := prior.New(cfg, weights(cfg))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// configs have grids of several shapes, and widths that fill no vector of the
// kernels.
func configs() (all []prior.Config) {
	for i, size := range [][2]int{{1, 1}, {1, 6}, {6, 1}, {7, 7}, {3, 9}, {9, 4}} {
		all = append(all, prior.Config{
			Net:          prior.NetConfig{Channels: 5 + 4*i, Layers: 1 + i, Head: 11 + i, Classes: i % 3},
			CodebookSize: 4 + 5*i, Height: size[0], Width: size[1],
		})
	}
	return all
}

func random(cfg prior.Config, n int) prior.Set {
	rng := training.Random(12, 0, 0)
	s := prior.Set{N: n}
	for range n * cfg.Positions() {
		s.Codes = append(s.Codes, uint16(rng.IntN(cfg.CodebookSize)))
	}
	if cfg.Net.Classes > 0 {
		for range n {
			s.Classes = append(s.Classes, uint8(rng.IntN(cfg.Net.Classes)))
		}
	}
	return s
}

func logits(t testing.TB, m *prior.Model, s prior.Set) []float32 {
	t.Helper()
	x, err := m.Logits(s)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// TestSamplerIsForward wants the logits of the sampler to be those of whole
// grids, bit for bit.
func TestSamplerIsForward(t *testing.T) {
	wide := prior.Config{Net: prior.NetConfig{Channels: 96, Layers: 4, Head: 512}, CodebookSize: 300, Height: 5, Width: 6}
	for _, cfg := range append(configs(), wide) {
		t.Run(fmt.Sprintf("%dx%d", cfg.Height, cfg.Width), func(t *testing.T) {
			m := untrained(t, cfg)
			for _, n := range []int{1, 3, 35} {
				set := random(cfg, n)
				want := logits(t, m, set)
				s, err := m.NewSampler(n, set.Classes)
				if err != nil {
					t.Fatal(err)
				}
				k, size := cfg.CodebookSize, cfg.Positions()
				codes := make([]uint16, n)
				for p := range size {
					s.Logits() // asking twice changes nothing
					got := s.Logits()
					for i := range codes {
						if !slices.Equal(got[i*k:(i+1)*k], want[(i*size+p)*k:][:k]) {
							t.Fatalf("%d grids: other logits of grid %d at position %d", n, i, p)
						}
						codes[i] = set.Codes[i*size+p]
					}
					s.Push(codes)
				}
			}
		})
	}
}

// TestCausality changes each code in turn: what comes before it must stay as it
// is, and what comes after it must change where its path through the kernels is
// long enough, also in the corner that square masked kernels are blind to.
func TestCausality(t *testing.T) {
	for _, cfg := range configs() {
		m := untrained(t, cfg)
		depends := dependency(t, m, random(cfg, 1))
		n, w := cfg.Positions(), cfg.Width
		for i := range n {
			for j := range n {
				up, aside := i/w-j/w, i%w-j%w // how far j is above i, and to its left
				// Mask A reaches 3 rows up and 3 columns aside, each layer more 1.
				deep := cfg.Net.Layers - 1
				sees := up == 0 && aside >= 1 && aside <= 3+deep ||
					up >= 1 && up <= 3+deep && aside <= 3+deep && -aside <= 3+deep
				if got := depends[i*n+j] == 1; got != sees {
					t.Errorf("%d×%d, %d layers: position %d depends on %d: %v, want %v", cfg.Height, w, cfg.Net.Layers, i, j, got, sees)
				}
			}
		}
	}
}

// dependency tells for positions i and j of one grid whether the logits at i
// change with the code at j, [H*W, H*W].
func dependency(t *testing.T, m *prior.Model, s prior.Set) []int32 {
	n, k := m.Config.Positions(), m.Config.CodebookSize
	base := logits(t, m, s)
	depends := make([]int32, n*n)
	for j := range n {
		was := s.Codes[j]
		for other := range k {
			s.Codes[j] = uint16(other)
			for i, v := range logits(t, m, s) {
				if v != base[i] {
					depends[i/k*n+j] = 1
				}
			}
		}
		s.Codes[j] = was
	}
	return depends
}

// TestGoldenPixelCNN compares what depends on what, and the codes drawn with
// given uniform numbers, with PyTorch.
func TestGoldenPixelCNN(t *testing.T) {
	for _, file := range golden.Glob(t, "pixelcnn*.safetensors") {
		t.Run(file, func(t *testing.T) {
			f := golden.Open(t, file)
			cfg := priortest.Config(t, f)
			m, err := prior.New(cfg, priortest.Weights(f, cfg))
			if err != nil {
				t.Fatal(err)
			}
			set := priortest.Set(f, cfg).Slice(0, 1)
			f.CheckInts("out.dependency", dependency(t, m, set))
			s, err := m.NewSampler(1, set.Classes)
			if err != nil {
				t.Fatal(err)
			}
			var codes []int32
			for _, u := range f.F32("sample.noise.u") {
				c := uint16(quant.SampleLogits(make([]float32, cfg.CodebookSize), s.Logits(), 1, float64(u)))
				s.Push([]uint16{c})
				codes = append(codes, int32(c))
			}
			f.CheckInts("sample.out.code", codes)
		})
	}
}

// TestSampleIsNaive wants Sample to draw what recomputing whole grids at every
// position draws, whatever the number of grids and threads.
func TestSampleIsNaive(t *testing.T) {
	cfg := prior.Config{Net: prior.NetConfig{Channels: 12, Layers: 3, Head: 16, Classes: 4}, CodebookSize: 19, Height: 4, Width: 5}
	m := untrained(t, cfg)
	o := prior.SampleOptions{N: 37, Classes: random(cfg, 37).Classes, Seed: 3, Temperature: 0.8}
	want := naive(t, m, o)
	for _, threads := range []int{1, 3} {
		before := runtime.GOMAXPROCS(threads)
		got, err := m.Sample(t.Context(), o)
		runtime.GOMAXPROCS(before)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%d threads: other codes than without the cache (%v)", threads, err)
		}
	}
	few := o
	few.N, few.Classes = 5, o.Classes[:5]
	if got, err := m.Sample(t.Context(), few); err != nil || !slices.Equal(got, want[:5*cfg.Positions()]) {
		t.Errorf("5 grids: other codes than the first of 37 (%v)", err)
	}
	o.Seed++
	if got, err := m.Sample(t.Context(), o); err != nil || slices.Equal(got, want) {
		t.Errorf("another seed draws the same (%v)", err)
	}
	o.Temperature = 1e-3 // as good as the most likely code
	a, _ := m.Sample(t.Context(), o)
	o.Seed++
	if b, err := m.Sample(t.Context(), o); err != nil || !slices.Equal(a, b) {
		t.Errorf("a low temperature leaves a choice (%v)", err)
	}
}

// naive draws as Sample does, and runs the whole network for every position.
func naive(t testing.TB, m *prior.Model, o prior.SampleOptions) []uint16 {
	cfg := m.Config
	size, k := cfg.Positions(), cfg.CodebookSize
	s := prior.Set{N: o.N, Classes: o.Classes, Codes: make([]uint16, o.N*size)}
	draws := prior.Uniforms(o)
	for p := range size {
		x := logits(t, m, s)
		for i := range o.N {
			s.Codes[i*size+p] = uint16(quant.SampleLogits(make([]float32, k), x[(i*size+p)*k:][:k], o.Temperature, draws[i].Float64()))
		}
	}
	return s.Codes
}

func TestSampleErrors(t *testing.T) {
	cfg := configs()[4]
	m := untrained(t, cfg)
	classes := random(cfg, 2).Classes
	for want, o := range map[string]prior.SampleOptions{
		"prior: -1 grids, want at least 0":                       {N: -1, Classes: classes, Temperature: 1},
		"prior: temperature is 0, want between 0.001 and 1000":   {N: 2, Classes: classes},
		"prior: temperature is NaN, want between 0.001 and 1000": {N: 2, Classes: classes, Temperature: math.NaN()},
		"prior: 2 classes for 3 grids":                           {N: 3, Classes: classes, Temperature: 1},
		"prior: grid 1 has the class 1, want less than 1":        {N: 2, Classes: []uint8{0, 1}, Temperature: 1},
	} {
		if _, err := m.Sample(t.Context(), o); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Sample(ctx, prior.SampleOptions{N: 2, Classes: classes, Temperature: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("after an interrupt: %v", err)
	}
	if codes, err := m.Sample(t.Context(), prior.SampleOptions{Temperature: 1}); err != nil || len(codes) != 0 {
		t.Errorf("no grids: %v, %v", codes, err)
	}
}

func TestSetErrors(t *testing.T) {
	cfg := configs()[3] // without classes
	m := untrained(t, cfg)
	for want, change := range map[string]func(*prior.Set){
		"prior: 98 codes for 3 grids of 7×7":                         func(s *prior.Set) { s.N = 3 },
		"prior: grid 1 has the code 19, want less than 19":           func(s *prior.Set) { s.Codes[60] = 19 },
		"prior: classes for a prior that is not conditioned on them": func(s *prior.Set) { s.Classes = []uint8{0, 0} },
		"prior: no grids to measure":                                 func(s *prior.Set) { *s = prior.Set{} },
	} {
		s := random(cfg, 2)
		change(&s)
		if _, err := m.Evaluate(s); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	cfg := prior.Config{Net: prior.NetConfig{Classes: 300}, CodebookSize: 0, Height: 300, Width: 1}
	want := []string{
		"prior.channels: must be between 1 and 4096 (got 0)", "prior.layers: must be between 1 and 256 (got 0)", "prior.head: must be between 1 and 65536 (got 0)",
		"prior.classes: must be between 0 and 256 (got 300)", "codebook_size: must be between 1 and 65536 (got 0)", "height: must be between 1 and 256 (got 300)",
	}
	if err := cfg.Validate(); err == nil || err.Error() != strings.Join(want, "\n") {
		t.Errorf("%v", err)
	}
}

// FuzzLoad changes prior files.
func FuzzLoad(f *testing.F) {
	cfg := prior.Config{Net: prior.NetConfig{Channels: 2, Layers: 2, Head: 3, Classes: 2}, CodebookSize: 3, Height: 2, Width: 3}
	path := filepath.Join(f.TempDir(), "seed.safetensors")
	if err := checkpoint.SaveFinished(path, cfg, weights(cfg), nil); err != nil {
		f.Fatal(err)
	}
	seed, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add(seed[:len(seed)/2])
	f.Add(bytes.Replace(seed, []byte(`\"channels\":2`), []byte(`\"channels\":9`), 1))
	f.Add(bytes.Replace(seed, []byte(`\"height\":2`), []byte(`\"height\":0`), 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "p")
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
		m, err := prior.Load(path)
		if err != nil {
			if strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), path+": ") {
				t.Errorf("error %v", err)
			}
			return
		}
		if m.Config.Positions()*m.Config.Net.Channels > 1<<12 {
			return
		}
		if _, err := m.Sample(t.Context(), prior.SampleOptions{N: 1, Classes: make([]uint8, min(m.Config.Net.Classes, 1)), Temperature: 1}); err != nil && m.Config.Net.Classes > 0 {
			t.Error(err)
		}
	})
}
