package unitprior_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vqspeech/internal/safetensors"
	"vqspeech/model"
	"vqspeech/model/checkpoint"
	"vqspeech/model/unitprior"
)

var small = unitprior.Config{Net: unitprior.NetConfig{Embedding: 5, Hidden: 7}, CodebookSize: 9, Model: "0123456789abcdef"}

func weights(cfg unitprior.Config, seed uint64) model.Weights {
	w, rng := model.Weights{}, rand.New(rand.NewPCG(seed, 1))
	for _, p := range cfg.Params() {
		w[p.Name] = p.Init(rng)
		for i := range w[p.Name] {
			w[p.Name][i] *= 2 // so that what was before matters
		}
	}
	return w
}

func newModel(t *testing.T, cfg unitprior.Config, w model.Weights) *unitprior.Model {
	t.Helper()
	m, err := unitprior.New(cfg, w)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func units(n, k int, seed uint64) []uint16 {
	rng, codes := rand.New(rand.NewPCG(seed, 2)), make([]uint16, n)
	for i := range codes {
		codes[i] = uint16(rng.IntN(k))
	}
	return codes
}

// plain is Surprisal by the equations of a gated recurrent unit, in float64.
func plain(cfg unitprior.Config, w model.Weights, codes []uint16) (nats []float64) {
	e, h, symbols := cfg.Net.Embedding, cfg.Net.Hidden, cfg.Symbols()
	product := func(x []float64, name string, out int) []float64 {
		y := make([]float64, out)
		for i, v := range x {
			for o := range y {
				y[o] += v * float64(w[name][i*out+o])
			}
		}
		return y
	}
	sigmoid := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	state, before := make([]float64, h), cfg.CodebookSize
	for t := range len(codes) + 1 {
		x := make([]float64, e)
		for i := range x {
			x[i] = float64(w[unitprior.Embedding][before*e+i])
		}
		gi, gh := product(x, unitprior.InputGates, 3*h), product(state, unitprior.StateGates, 3*h)
		for i := range gi {
			gi[i], gh[i] = gi[i]+float64(w[unitprior.InputBias][i]), gh[i]+float64(w[unitprior.StateBias][i])
		}
		for i := range state {
			r, z := sigmoid(gi[i]+gh[i]), sigmoid(gi[h+i]+gh[h+i])
			n := math.Tanh(gi[2*h+i] + r*gh[2*h+i])
			state[i] = (1-z)*n + z*state[i]
		}
		logits, sum := product(state, unitprior.Head, symbols), 0.0
		for i := range logits {
			logits[i] += float64(w[unitprior.HeadBias][i])
			sum += math.Exp(logits[i])
		}
		before = cfg.CodebookSize
		if t < len(codes) {
			before = int(codes[t])
		}
		nats = append(nats, math.Log(sum)-logits[before])
	}
	return nats
}

// TestSurprisal compares with the equations, for nothing, one unit, and more than
// are scored at a time.
func TestSurprisal(t *testing.T) {
	w := weights(small, 3)
	m := newModel(t, small, w)
	for _, n := range []int{0, 1, 2, 511, 512, 1100} {
		codes := units(n, small.CodebookSize, 4)
		got, err := m.Surprisal(codes)
		if err != nil || len(got) != n+1 {
			t.Fatalf("%d values for %d units, %v", len(got), n, err)
		}
		for i, want := range plain(small, w, codes) {
			if math.Abs(float64(got[i])-want) > 2e-5 {
				t.Fatalf("%d units: unit %d costs %g nats, want %g", n, i, got[i], want)
			}
		}
	}
	if _, err := m.Surprisal([]uint16{1, 9}); err == nil || err.Error() != "unitprior: unit 1 is 9, want less than 9" {
		t.Error(err)
	}
}

// TestCausality wants a unit to change what it and later ones cost, and nothing
// before.
func TestCausality(t *testing.T) {
	m := newModel(t, small, weights(small, 5))
	codes := units(40, small.CodebookSize, 6)
	was, err := m.Surprisal(codes)
	if err != nil {
		t.Fatal(err)
	}
	for at := range codes {
		other := slices.Clone(codes)
		other[at] = (other[at] + 1) % uint16(small.CodebookSize)
		is, err := m.Surprisal(other)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(was[:at], is[:at]) {
			t.Errorf("unit %d changes one before it", at)
		}
		if was[at] == is[at] || was[at+1] == is[at+1] {
			t.Errorf("unit %d changes nothing", at)
		}
	}
}

// TestStepsAreSurprisal wants the logits that units are drawn from to be those of
// whole utterances.
func TestStepsAreSurprisal(t *testing.T) {
	m := newModel(t, small, weights(small, 7))
	codes := units(30, small.CodebookSize, 8)
	want, err := m.Surprisal(codes)
	if err != nil {
		t.Fatal(err)
	}
	for i, got := range unitprior.Steps(m, codes) {
		if math.Abs(got-float64(want[i])) > 1e-5 {
			t.Errorf("unit %d costs %g nats by steps, %g at once", i, got, want[i])
		}
	}
}

func TestEvaluate(t *testing.T) {
	m := newModel(t, small, weights(small, 9))
	sets := [][]uint16{units(20, 9, 1), {}, units(3, 9, 2)}
	total := 0.0
	for _, codes := range sets {
		nats, err := m.Surprisal(codes)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range nats {
			total += float64(v)
		}
	}
	e, err := m.Evaluate(sets)
	if err != nil || math.Abs(e.Nats-total/23) > 1e-9 || math.Abs(e.Bits-total/23/math.Ln2) > 1e-9 {
		t.Errorf("%+v, %v, want %g nats", e, err, total/23)
	}
	if _, err := m.Evaluate([][]uint16{{}}); err == nil {
		t.Error("a set without units is measured")
	}
	if _, err := m.Evaluate([][]uint16{{1}, {200}}); err == nil || !strings.Contains(err.Error(), "unit 0 is 200") {
		t.Error(err)
	}
}

func TestSample(t *testing.T) {
	m := newModel(t, small, weights(small, 11))
	draw := func(o unitprior.SampleOptions) []uint16 {
		codes, err := m.Sample(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		return codes
	}
	o := unitprior.SampleOptions{Most: 300, Seed: 1, Temperature: 1}
	var all [][]uint16
	ended := 0
	for o.Index = range 60 {
		codes := draw(o)
		if again := draw(o); !slices.Equal(codes, again) {
			t.Fatal("the same seed draws other units")
		}
		if len(codes) == 0 {
			t.Errorf("utterance %d has no units", o.Index)
		}
		if len(codes) < o.Most {
			ended++
		}
		all = append(all, codes)
	}
	if ended < 50 {
		t.Errorf("%d of 60 utterances end within %d units, want nearly all of a network that has not learned", ended, o.Most)
	}
	if slices.Equal(all[0], all[1]) {
		t.Error("another index draws the same units")
	}
	// What is drawn costs as much as is expected of it: the mean surprisal of
	// drawn units is an estimate of the entropy, below that of random ones.
	drawn, err := m.Evaluate(all)
	if err != nil {
		t.Fatal(err)
	}
	random, err := m.Evaluate([][]uint16{units(1000, 9, 3)})
	if err != nil || drawn.Nats > random.Nats {
		t.Errorf("drawn units cost %g nats, random ones %g (%v)", drawn.Nats, random.Nats, err)
	}
	o.Index, o.Most = 0, 2
	if codes := draw(o); !slices.Equal(codes, all[0][:len(codes)]) || len(codes) > 2 {
		t.Errorf("at most 2 units: %v", codes)
	}
	for _, bad := range []unitprior.SampleOptions{{Most: -1, Temperature: 1}, {Most: 1}, {Most: 1, Temperature: math.NaN()}} {
		if _, err := m.Sample(t.Context(), bad); err == nil {
			t.Errorf("%+v is drawn", bad)
		}
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Sample(over, unitprior.SampleOptions{Most: 5, Temperature: 1}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.safetensors")
	w := weights(small, 13)
	for name, x := range w {
		for i := range x {
			w[name][i] = float32(math.Round(float64(x[i])*64) / 64) // float16 holds it
		}
	}
	if err := checkpoint.SaveFinished(path, small, w, nil); err != nil {
		t.Fatal(err)
	}
	m, err := unitprior.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	codes := units(20, 9, 5)
	got, err := m.Surprisal(codes)
	want, _ := newModel(t, small, w).Surprisal(codes)
	if err != nil || !slices.Equal(got, want) || m.Config != small {
		t.Errorf("%+v gives %v, want %v (%v)", m.Config, got, want, err)
	}
	if err := safetensors.Save(path, nil, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := unitprior.Load(path); err == nil || !strings.Contains(err.Error(), "tensors of another program, want a prior over units") {
		t.Error(err)
	}
	for _, bad := range []unitprior.Config{{}, {Net: small.Net}, {Net: small.Net, CodebookSize: 1<<16 + 1}, {Net: unitprior.NetConfig{Embedding: 1, Hidden: 5000}, CodebookSize: 2}} {
		if _, err := unitprior.New(bad, w); err == nil {
			t.Errorf("%+v is accepted", bad)
		}
	}
	delete(w, unitprior.Head)
	if _, err := unitprior.New(small, w); err == nil || !strings.Contains(err.Error(), "tensor head.weight is missing") {
		t.Error(err)
	}
}
