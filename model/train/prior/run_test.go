package prior

import (
	"bytes"
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"vqspeech/internal/training"
	"vqspeech/model/unitprior"
)

// chain draws utterances of a Markov chain of k states that stays with the
// probability stay and else goes on to one of the next two, and returns its entropy
// rate (nats).
func chain(utterances, length, k int, stay float64, seed uint64) (set [][]uint16, rate float64) {
	rng := rand.New(rand.NewPCG(seed, 1))
	for range utterances {
		u, state := make([]uint16, length), rng.IntN(k)
		for i := range u {
			u[i] = uint16(state)
			if rng.Float64() >= stay {
				state = (state + 1 + rng.IntN(2)) % k
			}
		}
		set = append(set, u)
	}
	move := (1 - stay) / 2
	return set, -stay*math.Log(stay) - 2*move*math.Log(move)
}

func options(t *testing.T) Options {
	training, _ := chain(30, 60, 6, 0.6, 1)
	holdout, _ := chain(5, 60, 6, 0.6, 2)
	valid, _ := chain(5, 60, 6, 0.6, 3)
	c := DefaultConfig()
	c.MaxSteps, c.BatchSize, c.CropUnits, c.LogEvery, c.EvalEvery, c.CheckpointEvery = 6, 3, 11, 1, 2, 3
	return Options{
		Prior: unitprior.Config{Net: unitprior.NetConfig{Embedding: 4, Hidden: 6}, CodebookSize: 6},
		Train: c, Training: training, Holdout: holdout, Valid: valid, Dir: t.TempDir(),
	}
}

// TestMarkovChain learns a chain whose entropy rate is known; by their frequencies
// alone its units would cost ln 6 nats.
func TestMarkovChain(t *testing.T) {
	o := options(t)
	var rate float64
	o.Training, _ = chain(40, 400, 6, 0.6, 4)
	o.Valid, rate = chain(10, 1000, 6, 0.6, 5)
	o.Prior.Net = unitprior.NetConfig{Embedding: 8, Hidden: 16}
	o.Train.MaxSteps, o.Train.BatchSize, o.Train.CropUnits, o.Train.LearningRate, o.Train.EvalEvery = 250, 8, 40, 1e-2, 50
	e, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%.4f nats a unit, entropy rate %.4f, ln 6 is %.4f", e.Nats, rate, math.Log(6))
	if e.Nats > 1.03*rate || e.Nats < 0.97*rate {
		t.Errorf("units cost %g nats, want the entropy rate %g within 3 %%", e.Nats, rate)
	}
}

// TestGradients compares gradients with central differences.
func TestGradients(t *testing.T) {
	o := options(t)
	r, err := newRun(o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.net.machine.Close()
	r.net.fill(r.stream, o.Train.CropUnits, training.Random(1, streamCrop, 0).IntN)
	loss := func() float64 {
		if err := r.net.machine.Run(); err != nil {
			t.Fatal(err)
		}
		return r.net.nats()
	}
	loss()
	grads := make([][]float32, len(r.net.machine.Params))
	for i, p := range r.net.machine.Params {
		g, _ := p.Grad()
		grads[i] = append([]float32{}, g.Data().([]float32)...)
	}
	for i, p := range o.Prior.Params() {
		w := r.state.Weights[p.Name]
		for j := 0; j < len(w); j += 1 + len(w)/7 {
			const h = 1e-2
			was := w[j]
			w[j] = was + h
			up := loss()
			w[j] = was - h
			down := loss()
			w[j] = was
			if want := (up - down) / (2 * h); math.Abs(float64(grads[i][j])-want) > 1e-4+0.02*math.Abs(want) {
				t.Errorf("%s[%d]: gradient %g, by differences %g", p.Name, j, grads[i][j], want)
			}
		}
	}
}

// TestLossIsSurprisal wants a crop that begins an utterance to cost what Model says.
func TestLossIsSurprisal(t *testing.T) {
	o := options(t)
	o.Training = [][]uint16{{0, 3, 2, 5, 1}}
	o.Train.BatchSize, o.Train.CropUnits = 1, 6
	r, err := newRun(o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.net.machine.Close()
	r.net.fill(r.stream, 6, func(n int) int { return n - 1 })
	if err := r.net.machine.Run(); err != nil {
		t.Fatal(err)
	}
	m, err := unitprior.New(o.Prior, r.state.Weights)
	if err != nil {
		t.Fatal(err)
	}
	e, err := m.Evaluate(o.Training)
	if err != nil || math.Abs(r.net.nats()*6-e.Nats*5) > 1e-4 {
		t.Errorf("the graph's loss is %g for 6 symbols, the model's %g for 5 units (%v)", r.net.nats(), e.Nats, err)
	}
}

// TestResume wants a run in two parts, on another number of threads, to end in the
// bytes of one without a pause.
func TestResume(t *testing.T) {
	files := func(dir string) (all []byte) {
		for _, name := range []string{training.LatestFile, training.BestFile, File, training.MetricsFile} {
			b, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, b...)
		}
		return all
	}
	whole := options(t)
	if _, err := Run(t.Context(), whole); err != nil {
		t.Fatal(err)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	parts := options(t)
	ctx, stop := context.WithCancel(t.Context())
	parts.Progress = func(p Progress) {
		if p.Step == 4 {
			stop()
		}
	}
	if _, err := Run(ctx, parts); err == nil {
		t.Fatal("the run was not stopped")
	}
	parts.Resume, parts.Progress = true, nil
	e, err := Run(t.Context(), parts)
	if err != nil || e == nil || !(e.Bits > 0) {
		t.Fatal(e, err)
	}
	if !bytes.Equal(files(whole.Dir), files(parts.Dir)) {
		t.Error("a run in two parts ends in other bytes")
	}
	parts.Prior.Net.Hidden = 9
	if _, err := Run(t.Context(), parts); err == nil || !strings.Contains(err.Error(), "unit_prior.hidden was 6, is 9") {
		t.Error(err)
	}
}

func TestErrors(t *testing.T) {
	for want, change := range map[string]func(*Options){
		"prior: 1 symbols in 0 training utterances, want more than the 11 of a crop": func(o *Options) { o.Training = nil },
		"unitprior: unit 1 is 6, want less than 6":                                   func(o *Options) { o.Valid = [][]uint16{{1, 6}} },
		"train.crop_units: must be between 1 and 8192 (got 0)":                       func(o *Options) { o.Train.CropUnits = 0 },
		"unit_prior.hidden: must be between 1 and 4096 (got 0)":                      func(o *Options) { o.Prior.Net.Hidden = 0 },
	} {
		o := options(t)
		change(&o)
		if _, err := Run(t.Context(), o); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
