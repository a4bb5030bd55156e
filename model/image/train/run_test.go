package train

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"vqspeech/internal/training"
	"vqspeech/model"
	"vqspeech/model/checkpoint"
	"vqspeech/model/image"
	"vqspeech/model/train"
)

// blobs draws n images of one bright disc each, or label maps with its radius
// class inside.
func blobs(cfg image.Config, n int, seed uint64) image.Set {
	rng := training.Random(seed, 0, 0)
	side, c := cfg.Side(), cfg.Net.Channels
	if cfg.Labels() {
		c = 1
	}
	s := image.Set{N: n, Height: side, Width: side, Channels: c}
	for range n {
		x, y, r := rng.Float64()*float64(side), rng.Float64()*float64(side), 3+rng.Float64()*float64(side)/3
		for i := range side * side {
			inside := math.Hypot(float64(i%side)-x, float64(i/side)-y) < r
			for j := range c {
				v := 0
				switch {
				case inside && cfg.Labels():
					v = 1 + int(r)%(cfg.Net.Channels-1)
				case inside:
					v = 200 - 40*j
				}
				s.Images = append(s.Images, uint8(v))
			}
		}
	}
	return s
}

// small is a quick model of a kind.
func small(net image.NetKind, kind model.QuantizerKind, decoder image.DecoderKind) image.Config {
	cfg := image.DefaultConfig(net)
	cfg.Net.ResBlocks = 2
	cfg.Quantizer.Kind, cfg.Quantizer.CodebookSize, cfg.Quantizer.CodebookDim = kind, 12, 8
	cfg.Decoder.Kind = decoder
	if cfg.Labels() {
		cfg.Net.Channels = 5
	}
	return cfg
}

func options(t *testing.T, cfg image.Config) Options {
	tc := DefaultConfig()
	tc.Epochs, tc.BatchSize, tc.LogEvery, tc.Seed = 3, 8, 1, 7
	return Options{
		Model: cfg, Train: tc, Dir: filepath.Join(t.TempDir(), "run"),
		Training: blobs(cfg, 20, 1), Valid: blobs(cfg, 9, 2), Test: blobs(cfg, 5, 3),
	}
}

// TestEverySystemLearns trains each kind of bottleneck, decoder and net a little.
func TestEverySystemLearns(t *testing.T) {
	var configs []image.Config
	for _, kind := range image.QuantizerKinds {
		configs = append(configs, small(image.Net28, kind, image.GaussianDecoder))
	}
	configs = append(configs, small(image.Net28, image.VAE, image.CategoricalDecoder), small(image.Net28, model.Gaussian1, image.VMFDecoder),
		small(image.Net28, image.VMF, image.CategoricalDecoder), small(image.Net32, model.Gaussian1, image.GaussianDecoder),
		small(image.Net64, image.Gaussian2, image.GaussianDecoder), small(image.Net64Label, image.VMF, image.VMFDecoder))
	learned := small(image.Net28, model.Gaussian1, image.GaussianDecoder)
	learned.Decoder.LearnVariance = true
	fixed := small(image.Net28, model.Gaussian1, image.GaussianDecoder)
	fixed.Quantizer.Variance, fixed.Quantizer.InitialScale = image.Fixed, 0.3
	reset := small(image.Net28, model.VQEMA, image.GaussianDecoder)
	reset.Quantizer.DeadCodeThreshold, reset.Quantizer.DeadCodeInterval = 1, 5
	split := reset
	split.Quantizer.DeadCodeThreshold, split.Quantizer.DeadCodeFraction = 0, 0.03
	ordered := small(image.Net28, image.VMF, image.VMFDecoder)
	ordered.Decoder.OrderedClasses = true
	for _, cfg := range append(configs, learned, fixed, reset, split, ordered) {
		name := fmt.Sprintf("%s/%s/%s/%s", cfg.Net.Kind, cfg.Quantizer.Kind, cfg.Quantizer.Variance, cfg.Decoder.Kind)
		t.Run(name, func(t *testing.T) {
			o := options(t, cfg)
			var first, last float64
			o.Progress = func(p Progress) {
				if p.Valid != nil {
					if last = p.Valid.Loss; p.Step <= 3 {
						first = last
					}
				}
			}
			o.Train.Epochs, o.Train.LearningRate = 6, 3e-3
			test, err := Run(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if !(last < first) {
				t.Errorf("validation loss %g after one epoch, %g after the last", first, last)
			}
			if test == nil || math.IsNaN(test.Loss) || cfg.Codes() && !(test.Perplexity >= 1) {
				t.Errorf("test: %+v", test)
			}
			s, err := checkpoint.LoadRun[image.Config](filepath.Join(o.Dir, train.LatestFile))
			if err != nil {
				t.Fatal(err)
			}
			if s0 := float32(math.Log(0.3)); cfg.Quantizer.Variance == image.Fixed && s.Weights["quantizer.log_var_scalar"][0] != s0 {
				t.Errorf("the fixed variance has moved to %g", s.Weights["quantizer.log_var_scalar"][0])
			}
		})
	}
}

// run trains on the given number of threads and returns the last checkpoint.
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
	for _, kind := range []model.QuantizerKind{model.Gaussian4, model.VQEMA, image.VAE} {
		t.Run(string(kind), func(t *testing.T) {
			cfg := small(image.Net28, kind, image.GaussianDecoder)
			cfg.Quantizer.DeadCodeThreshold, cfg.Quantizer.DeadCodeInterval = 1, 4
			o := options(t, cfg)
			want := checkpointOf(t, o, 1)
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
				if !bytes.Equal(contents(t, o.Dir, train.LatestFile), want) {
					t.Errorf("a run resumed at step %d ends with another checkpoint", stop)
				}
			}
			o.Train.BatchSize++
			if _, err := Run(t.Context(), o); err == nil {
				t.Error("resumed with another batch size")
			}
		})
	}
}
