package train

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"vqspeech/features"
	"vqspeech/internal/graph/graphtest"
	"vqspeech/internal/training"
	"vqspeech/model"
	"vqspeech/vocoder"
	"vqspeech/vocoder/wavenet"
	"vqspeech/vocoder/wavenet/wavenettest"
)

// predictive is a small network with Prediction.
func predictive() wavenet.Config {
	f := features.Default(features.Stream)
	return wavenet.Config{
		Dim: f.NMels + wavenet.PitchDims, Upsampling: f.HopLength, Features: f, Prediction: true, Speakers: 2,
		CondChannels: 8, CondReLU: true, SpeakerDim: 4, Cycles: 1, CycleLayers: 4, Kernel: 2, Residual: 16, Gate: 16, Skip: 16, Post: 16,
	}
}

// hum is a buzzing utterance of n frames whose features are a smooth envelope.
func hum(cfg wavenet.Config, n, speaker int) Utterance {
	rng := rand.New(rand.NewPCG(uint64(n), uint64(speaker)))
	u := Utterance{ID: "hum", Speaker: speaker}
	hz := 120 * float64(1+speaker)
	for t := range n {
		for b := range cfg.Features.NMels {
			u.Latents = append(u.Latents, float32(0.6-0.004*float64(b)+0.05*math.Sin(float64(t)/5)))
		}
		p := wavenet.Pitch(float32(hz))
		if t%7 == 6 {
			p = wavenet.Pitch(0)
		}
		u.Latents = append(u.Latents, p[:]...)
	}
	last := 0.0
	for i := range n * cfg.Upsampling {
		phase := math.Mod(float64(i)*hz/float64(cfg.Features.SampleRate), 1)
		last = 0.9*last + 0.02*rng.NormFloat64() + 0.2*math.Exp(-40*phase)
		u.Samples = append(u.Samples, float32(0.2*last))
	}
	return u
}

// What training is told of a recording's past without noise is what generation
// finds along the recording's codes, and both give the codes the same
// likelihood.
func TestPredictionGeneratesAsItTrains(t *testing.T) {
	for _, units := range []int{0, 48} {
		t.Run(fmt.Sprint("gru", units), func(t *testing.T) {
			cfg := predictive()
			cfg.GRU = units
			checkPrediction(t, cfg)
		})
	}
}

func checkPrediction(t *testing.T, cfg wavenet.Config) {
	const frames = 9
	w := wavenettest.Random(cfg, 1)
	n, err := New(cfg, w, 1, frames)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	u := hum(cfg, frames, 1)
	cropOf(t, cfg, n, 0, u, 0)
	if _, err := n.Run(); err != nil {
		t.Fatal(err)
	}
	codes := make([]uint8, len(n.In.Codes))
	for i, c := range n.In.Codes {
		codes[i] = uint8(c)
	}
	g, err := wavenet.New(cfg, w)
	if err != nil {
		t.Fatal(err)
	}
	got, err := g.Score(u.Latents, 1, codes)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range graphtest.Floats(n.Nodes.NLL) {
		if d := math.Abs(float64(got[i] - want)); !(d < 1e-4) {
			t.Fatalf("sample %d: %g nats, want %g", i, got[i], want)
		}
	}
}

// A run lowers the loss, can be stopped and resumed without a difference, and
// ends in a vocoder that synthesises, the same however its features are cut.
func TestRun(t *testing.T) {
	for _, units := range []int{0, 24} {
		t.Run(fmt.Sprint("gru", units), func(t *testing.T) {
			cfg := predictive()
			cfg.GRU = units
			checkRun(t, cfg)
		})
	}
}

func checkRun(t *testing.T, cfg wavenet.Config) {
	tc := DefaultConfig()
	tc.MaxSteps, tc.BatchSize, tc.CropFrames, tc.EvalEvery, tc.CheckpointEvery, tc.LogEvery, tc.PitchSteps = 40, 2, 6, 20, 4, 1, 30
	tc.LearningRate = 5e-3
	options := func(dir string) Options {
		return Options{
			Network: cfg, Train: tc, Speakers: []string{"a", "b"}, Model: "0123", Dir: dir, Resume: true,
			Training: []Utterance{hum(cfg, 110, 0), hum(cfg, 97, 1)}, Valid: []Utterance{hum(cfg, 20, 1)},
		}
	}
	whole, parts := t.TempDir(), t.TempDir()
	first := 0.0
	o := options(whole)
	o.Progress = func(p Progress) {
		if p.Step == 1 {
			first = p.Bits
		}
	}
	valid, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if !(valid < first-0.5) {
		t.Errorf("%.3f bits a sample after %.3f at first, want at least 0.5 less", valid, first)
	}
	ctx, stop := context.WithCancel(t.Context())
	o = options(parts)
	o.Progress = func(p Progress) {
		if p.Step == 15 {
			stop()
		}
	}
	if _, err := Run(ctx, o); err != context.Canceled && err == nil {
		t.Fatalf("a stopped run returns %v", err)
	}
	if _, err := Run(t.Context(), options(parts)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{training.ConfigFile, training.LatestFile, VoiceFile, training.MetricsFile} {
		a, err := os.ReadFile(filepath.Join(whole, name))
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(parts, name))
		if err != nil {
			t.Fatal(err)
		}
		if string(a) != string(b) {
			t.Errorf("%s of the resumed run differs", name)
		}
	}
	var given RunConfig
	if err := training.ReadJSON(filepath.Join(whole, training.ConfigFile), &given); err != nil || !reflect.DeepEqual(given.Vocoder.Network, cfg) || given.Train != tc || given.Training != 2 || given.Valid != 1 {
		t.Errorf("config.json: %+v, %v", given, err)
	}
	voice, g, err := wavenet.Load(filepath.Join(whole, VoiceFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := voice.Fits(&model.Model{Config: model.Config{Features: cfg.Features}}); err != nil || voice.Model != "0123" {
		t.Errorf("voice for model %q: %v", voice.Model, err)
	}
	mel := make([]float32, 0, 23*80)
	for i := range 23 * 80 {
		mel = append(mel, 0.5-0.004*float32(i%80))
	}
	synthesise := func(cut int) []float32 {
		o, err := voice.Options("b", 1)
		if err != nil {
			t.Fatal(err)
		}
		v, err := voice.NewVocoder(g, o)
		if err != nil {
			t.Fatal(err)
		}
		var out []float32
		for rest := mel; len(rest) > 0; {
			n := min(cut*80, len(rest))
			x, err := v.Push(vocoder.Conditioning{Mel: rest[:n]})
			if err != nil {
				t.Fatal(err)
			}
			out, rest = append(out, x...), rest[n:]
		}
		x, err := v.Flush()
		if err != nil {
			t.Fatal(err)
		}
		return append(out, x...)
	}
	want := synthesise(23)
	if len(want) != 23*160 {
		t.Fatalf("%d samples, want %d", len(want), 23*160)
	}
	for _, cut := range []int{1, 4, 7} {
		got := synthesise(cut)
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("features in pieces of %d frames: sample %d is %v, want %v", cut, i, got[i], want[i])
			}
		}
	}
	if _, err := voice.Options("c", 1); err == nil {
		t.Error("an unknown speaker is taken")
	}
}
