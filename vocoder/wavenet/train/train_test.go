package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"vqspeech/audio/mulaw"
	"vqspeech/internal/graph/graphtest"
	"vqspeech/model"
	"vqspeech/model/train"
	"vqspeech/vocoder/wavenet"
	"vqspeech/vocoder/wavenet/wavenettest"
)

func tiny(t *testing.T) wavenet.Config {
	cfg, err := wavenet.Preset("tiny")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Dim, cfg.Upsampling, cfg.Speakers = 3, 40, 2
	return cfg
}

// melody is an utterance whose latents say which of four tones sounds, the
// speaker how loud.
func melody(cfg wavenet.Config, latents, speaker int) Utterance {
	rng := rand.New(rand.NewPCG(uint64(speaker), 1))
	u := Utterance{Speaker: speaker}
	phase := 0.0
	for range latents {
		tone := rng.IntN(4)
		u.Latents = append(u.Latents, float32(tone)-1.5, float32(tone%2), 1)
		for range cfg.Upsampling {
			phase += 0.1 * float64(1+tone)
			u.Samples = append(u.Samples, mulaw.Decode(uint8(128+50*float64(1+speaker)*math.Sin(phase))))
		}
	}
	return u
}

// codes are the samples of u as a network without Prediction sees them.
func codes(u Utterance) []uint8 {
	c := make([]uint8, len(u.Samples))
	for i, x := range u.Samples {
		c[i] = mulaw.Encode(x)
	}
	return c
}

// cropOf sets a crop without noise.
func cropOf(t *testing.T, cfg wavenet.Config, n *Net, i int, u Utterance, first int) {
	t.Helper()
	c, err := newCropper(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c.set(n, i, u, first, 0, 0, nil)
}

// Training lowers the loss far below that of guessing, the loss of the average
// follows, and the bits do not depend on the number of threads.
func TestTrainingLearns(t *testing.T) {
	for _, c := range []struct{ units, steps int }{{0, 60}, {40, 150}} {
		t.Run(fmt.Sprint("gru", c.units), func(t *testing.T) {
			cfg := tiny(t)
			cfg.GRU = c.units
			checkLearning(t, cfg, c.steps)
		})
	}
}

func checkLearning(t *testing.T, cfg wavenet.Config, steps int) {
	var first model.Weights
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, threads := range []int{2, 1} {
		runtime.GOMAXPROCS(threads)
		w := wavenettest.Random(cfg, 1)
		n, err := New(cfg, w, 2, 10)
		if err != nil {
			t.Fatal(err)
		}
		us := []Utterance{melody(cfg, 40, 0), melody(cfg, 40, 1)}
		rng := rand.New(rand.NewPCG(1, 2))
		adam := &train.Adam{LearningRate: 3e-3, ClipNorm: 1, Gamma: 1}
		avg := Average{Decay: 0.9}
		var loss Loss
		for range steps {
			for i := range us {
				cropOf(t, cfg, n, i, us[i], rng.IntN(31))
			}
			if loss, err = n.Step(adam); err != nil {
				t.Fatal(err)
			}
			avg.Update(w)
		}
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
		if loss.Bits > 5 {
			t.Errorf("%.2f bits per sample after %d steps, want less than 5", loss.Bits, steps)
		}
		g, err := wavenet.New(cfg, avg.Weights)
		if err != nil {
			t.Fatal(err)
		}
		nll, err := g.Score(us[0].Latents, 0, codes(us[0]))
		if err != nil {
			t.Fatal(err)
		}
		var sum float64
		for _, v := range nll {
			sum += float64(v)
		}
		if bits := sum / float64(len(nll)) / math.Ln2; bits > 5.5 {
			t.Errorf("the average has %.2f bits per sample, want less than 5.5", bits)
		}
		if first == nil {
			first = w
		}
		for name, x := range w {
			if !slices.Equal(x, first[name]) {
				t.Fatalf("%d threads: %s differs", threads, name)
			}
		}
	}
}

// The gradients are what the loss changes by, along a direction that every value
// of a tensor has a part in.
func TestGradients(t *testing.T) {
	for _, units := range []int{0, 24} {
		t.Run(fmt.Sprint("gru", units), func(t *testing.T) {
			cfg := predictive()
			cfg.GRU = units
			checkGradientsNumerically(t, cfg)
		})
	}
}

func checkGradientsNumerically(t *testing.T, cfg wavenet.Config) {
	const latents = 3
	w := wavenettest.Random(cfg, 1)
	n, err := New(cfg, w, 2, latents)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	rng := rand.New(rand.NewPCG(3, 4))
	copy(n.In.Latents, wavenettest.Latents(cfg, 2*latents, 2))
	for _, codes := range [][]int32{n.In.Codes, n.In.Previous, n.In.Signal, n.In.Prediction, n.In.Period} {
		for i := range codes {
			codes[i] = int32(rng.IntN(wavenet.Levels))
		}
	}
	n.In.Speaker[1] = 1
	nats := func() float64 {
		loss, err := n.Run()
		if err != nil {
			t.Fatal(err)
		}
		return loss.Nats
	}
	nats()
	gradients := map[string][]float32{}
	for i, p := range cfg.Trained() {
		g, err := n.machine.Params[i].Grad()
		if err != nil {
			t.Fatal(err)
		}
		gradients[p.Name] = slices.Clone(g.Data().([]float32))
	}
	for _, p := range cfg.Trained() {
		name, g := p.Name, gradients[p.Name]
		var norm float64
		for _, v := range g {
			norm += float64(v) * float64(v)
		}
		norm = math.Sqrt(norm)
		direction, slope := make([]float64, len(g)), 0.0
		for i, v := range g {
			direction[i] = float64(v)/norm + rng.NormFloat64()/math.Sqrt(float64(len(g)))
			slope += float64(v) * direction[i]
		}
		x, before := w[name], slices.Clone(w[name])
		const h = 0.002
		at := func(step float64) float64 {
			for i, v := range before {
				x[i] = float32(float64(v) + step*direction[i])
			}
			return nats()
		}
		got := (at(h) - at(-h)) / (2 * h)
		copy(x, before)
		if d := math.Abs(got - slope); !(norm > 0) || d > 2e-2*math.Abs(slope)+5e-5 {
			t.Errorf("%s: the loss changes by %g, the gradient says %g", name, got, slope)
		}
	}
}

func TestCrop(t *testing.T) {
	cfg := tiny(t)
	n, err := New(cfg, wavenettest.Random(cfg, 1), 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	u := melody(cfg, 7, 1)
	code := codes(u)
	cropOf(t, cfg, n, 0, u, 0)
	cropOf(t, cfg, n, 1, u, 4)
	if n.In.Previous[0] != wavenet.Start || n.In.Previous[120] != int32(code[159]) {
		t.Errorf("codes before the crops are %d and %d", n.In.Previous[0], n.In.Previous[120])
	}
	if n.In.Codes[0] != int32(code[0]) || n.In.Codes[239] != int32(code[279]) || n.In.Previous[239] != int32(code[278]) {
		t.Error("wrong codes")
	}
	if !slices.Equal(n.In.Latents[9:], u.Latents[12:21]) || n.In.Speaker[1] != 1 {
		t.Error("wrong latents or speaker")
	}
	defer func() {
		if recover() == nil {
			t.Error("a crop beyond the end is taken")
		}
	}()
	cropOf(t, cfg, n, 0, u, 5)
}

func TestLossOfACrop(t *testing.T) {
	cfg := tiny(t)
	n, err := New(cfg, wavenettest.Random(cfg, 1), 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	for i := range 2 {
		cropOf(t, cfg, n, i, melody(cfg, 5, i), 1)
	}
	loss, err := n.Run()
	if err != nil {
		t.Fatal(err)
	}
	if got := float64(graphtest.Floats(n.Nodes.Mean)[0]); math.Abs(got-loss.Nats) > 1e-5*got || math.Abs(loss.Bits*math.Ln2-loss.Nats) > 1e-9 {
		t.Errorf("the graph's mean is %g nats, that of the samples %g, %g bits", got, loss.Nats, loss.Bits)
	}
	if sum := loss.Sums[0] + loss.Sums[1]; math.Abs(sum-240*loss.Nats) > 1e-9*sum {
		t.Errorf("the crops have %v nats", loss.Sums)
	}
	n.In.Codes[0] = wavenet.Levels
	if _, err := n.Run(); err == nil {
		t.Error("a code that does not exist is taken")
	}
}

func TestBuildRefuses(t *testing.T) {
	cfg := tiny(t)
	w := wavenettest.Random(cfg, 1)
	if _, err := New(cfg, w, 1, 0); err == nil {
		t.Error("no latents are taken")
	}
	delete(w, "head1.bias")
	if _, err := New(cfg, w, 1, 1); err == nil {
		t.Error("missing weights are taken")
	}
	cfg.Kernel = 0
	if _, err := New(cfg, w, 1, 1); err == nil {
		t.Error("an invalid configuration is taken")
	}
}
