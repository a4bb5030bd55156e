package train

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"vqspeech/internal/training"
	"vqspeech/model/image/prior"
	"vqspeech/model/train"
)

// field is a Markov field: a code depends on its class, the code to its left and
// the code above it.
type field struct {
	cfg   prior.Config
	table []float64 // [class, above, left, K]; codes outside the grid are K
}

func newField(cfg prior.Config) field {
	rng := rand.New(rand.NewPCG(3, 0))
	k := cfg.CodebookSize
	f := field{cfg, make([]float64, max(cfg.Net.Classes, 1)*(k+1)*(k+1)*k)}
	for i := 0; i < len(f.table); i += k {
		total := 0.0
		for j := range k {
			f.table[i+j] = math.Exp(1.5 * rng.NormFloat64())
			total += f.table[i+j]
		}
		for j := range k {
			f.table[i+j] /= total
		}
	}
	return f
}

// at returns the distribution of the code at position p of a grid.
func (f field) at(grid []uint16, class uint8, p int) []float64 {
	k := f.cfg.CodebookSize
	above, left := k, k
	if p >= f.cfg.Width {
		above = int(grid[p-f.cfg.Width])
	}
	if p%f.cfg.Width > 0 {
		left = int(grid[p-1])
	}
	row := (int(class)*(k+1)+above)*(k+1) + left
	return f.table[row*k : (row+1)*k]
}

// draw returns n grids and the entropy rate (nats per code): the mean entropy of
// the distributions that the codes were drawn from.
func (f field) draw(n int, seed uint64) (s prior.Set, entropy float64) {
	rng := rand.New(rand.NewPCG(seed, 0))
	size := f.cfg.Positions()
	s = prior.Set{N: n, Codes: make([]uint16, n*size)}
	for i := range n {
		class := uint8(0)
		if f.cfg.Net.Classes > 0 {
			class = uint8(i % f.cfg.Net.Classes)
			s.Classes = append(s.Classes, class)
		}
		grid := s.Codes[i*size : (i+1)*size]
		for p := range grid {
			u, code := rng.Float64(), -1
			for c, q := range f.at(grid, class, p) {
				entropy -= q * math.Log(q)
				if u -= q; u < 0 && code < 0 {
					code = c
				}
			}
			grid[p] = uint16(max(code, 0))
		}
	}
	return s, entropy / float64(n*size)
}

// score returns the mean negative log-likelihood of grids under the field
// itself (nats per code).
func (f field) score(s prior.Set) float64 {
	size, nll := f.cfg.Positions(), 0.0
	for i := range s.N {
		class := uint8(0)
		if s.Classes != nil {
			class = s.Classes[i]
		}
		grid := s.Codes[i*size : (i+1)*size]
		for p, c := range grid {
			nll -= math.Log(f.at(grid, class, p)[c])
		}
	}
	return nll / float64(len(s.Codes))
}

// options are a short run on a Markov field.
func options(t *testing.T, cfg prior.Config, n, valid int) Options {
	t.Helper()
	f := newField(cfg)
	o := Options{Prior: cfg, Train: DefaultConfig(), Dir: filepath.Join(t.TempDir(), "run")}
	o.Train.Seed = 5
	o.Training, _ = f.draw(n, 1)
	o.Valid, _ = f.draw(valid, 2)
	return o
}

// TestMarkovField learns a field whose entropy is known, and draws from what it
// has learned.
func TestMarkovField(t *testing.T) {
	for name, classes := range map[string]int{"plain": 0, "two classes": 2} {
		t.Run(name, func(t *testing.T) {
			cfg := prior.Config{Net: prior.NetConfig{Channels: 16, Layers: 2, Head: 16, Classes: classes}, CodebookSize: 3, Height: 3, Width: 4}
			f := newField(cfg)
			o := options(t, cfg, 5000, 500)
			o.Train.Epochs, o.Train.BatchSize, o.Train.LearningRate = 6, 100, 1e-2
			test, entropy := f.draw(4000, 3)
			o.Test = test
			e, err := Run(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%.4f nats per code, %.4f the grids' own, entropy %.4f", e.Nats, f.score(test), entropy)
			if math.Abs(e.Nats-entropy) > 0.02*entropy {
				t.Errorf("%.4f nats per code, want the field's entropy %.4f within 2 %%", e.Nats, entropy)
			}
			m, err := prior.Load(filepath.Join(o.Dir, PriorFile))
			if err != nil {
				t.Fatal(err)
			}
			drawn := prior.Set{N: test.N, Classes: test.Classes}
			if drawn.Codes, err = m.Sample(t.Context(), prior.SampleOptions{N: drawn.N, Classes: drawn.Classes, Temperature: 1}); err != nil {
				t.Fatal(err)
			}
			if nll := f.score(drawn); math.Abs(nll-entropy) > 0.04*entropy {
				t.Errorf("drawn grids have %.4f nats per code under the field, want about %.4f", nll, entropy)
			}
		})
	}
}

// checkpointOf trains on the given number of threads and returns the last
// checkpoint.
func checkpointOf(t *testing.T, o Options, threads int) []byte {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
	if _, err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	return contents(t, o.Dir, train.LatestFile)
}

func contents(t *testing.T, dir, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestSameBytes trains on other numbers of threads, and stops and resumes within
// an epoch.
func TestSameBytes(t *testing.T) {
	cfg := prior.Config{Net: prior.NetConfig{Channels: 8, Layers: 3, Head: 8, Classes: 2}, CodebookSize: 6, Height: 4, Width: 3, ImageModel: "5e"}
	o := options(t, cfg, 20, 9)
	o.Train.Epochs, o.Train.BatchSize, o.Train.LogEvery = 3, 8, 1
	want := checkpointOf(t, o, 1)
	finished := contents(t, o.Dir, PriorFile)
	o.Dir = t.TempDir()
	if !bytes.Equal(checkpointOf(t, o, 5), want) {
		t.Error("5 threads give another checkpoint than 1")
	}
	for _, stop := range []int{2, 3, 4} { // epochs have 3 steps
		o.Dir, o.Resume = t.TempDir(), false
		ctx, cancel := context.WithCancel(t.Context())
		o.Progress = func(p Progress) {
			if p.Step == stop {
				cancel()
			}
		}
		if _, err := Run(ctx, o); !errors.Is(err, context.Canceled) {
			t.Fatalf("a run that was stopped ends with %v", err)
		}
		o.Resume, o.Progress = true, nil
		if _, err := Run(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(contents(t, o.Dir, train.LatestFile), want) || !bytes.Equal(contents(t, o.Dir, PriorFile), finished) {
			t.Errorf("a run resumed at step %d ends with another checkpoint", stop)
		}
		lines, err := training.ReadMetrics(filepath.Join(o.Dir, training.MetricsFile))
		if err != nil || len(lines) != 9+3 {
			t.Errorf("resumed at step %d: %d lines of metrics, want 12 (%v)", stop, len(lines), err)
		}
	}
	o.Prior.ImageModel = "77"
	if _, err := Run(t.Context(), o); err == nil {
		t.Error("resumed with the codes of another model")
	}
}
