package wavenet_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"vqspeech/features"
	"vqspeech/vocoder/wavenet"
)

func TestPresets(t *testing.T) {
	// Multiply-adds of a sample without conditioning: the project's reference,
	// less the residual map of the last layer, which nothing reads.
	for name, want := range map[string]struct {
		field int
		mmac  float64
	}{
		"tiny":      {127, 0.086 + 0.0205 - 0.032*0.032},
		"small":     {511, 0.459 + 0.049 - 0.064*0.064},
		"chorowski": {2047, 10.73 + 0.13 - 0.368*0.256},
	} {
		c, err := wavenet.Preset(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := c.ReceptiveField(); got != want.field {
			t.Errorf("%s: receptive field of %d samples, want %d", name, got, want.field)
		}
		if got := float64(c.Work().Sample) / 1e6; math.Abs(got-want.mmac) > 0.01*want.mmac {
			t.Errorf("%s: %.4f million multiply-adds, want %.4f", name, got, want.mmac)
		}
		n := 0
		for _, p := range c.Params() {
			n += p.Size()
		}
		if c.Parameters() != n || len(c.Trained()) != len(c.Params())-2 {
			t.Errorf("%s: %d parameters, want %d; %d of %d tensors trained", name, c.Parameters(), n, len(c.Trained()), len(c.Params()))
		}
	}
	if _, err := wavenet.Preset("huge"); err == nil || !strings.Contains(err.Error(), "tiny, small, chorowski") {
		t.Errorf("unknown preset: %v", err)
	}
}

func TestWorkOfLearnedUpsampling(t *testing.T) {
	c, err := wavenet.Preset("small")
	if err != nil {
		t.Fatal(err)
	}
	repeated := c.Work()
	c.Strides = []int{5, 4, 4, 4}
	learned := c.Work()
	if repeated.Sample != learned.Sample || learned.Latent < 320*16*64*128 {
		t.Errorf("work is %+v, with learned upsampling %+v", repeated, learned)
	}
	if got, want := repeated.PerSample(), float64(repeated.Sample)+(3*64*64+64*16*128)/320.; got != want {
		t.Errorf("%g multiply-adds per sample, want %g", got, want)
	}
}

func TestValidate(t *testing.T) {
	c, err := wavenet.Preset("chorowski")
	if err != nil {
		t.Fatal(err)
	}
	c.Strides, c.Kernel, c.Gate = []int{5, 4, 1}, 1, 0
	err = c.Validate()
	for _, want := range []string{"wavenet.strides[2]: must be between 2 and 64 (got 1)", "product of [5 4 1]", "wavenet.kernel", "wavenet.gate"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q in it", err, want)
		}
	}
	if _, err := wavenet.New(c, nil); err == nil {
		t.Error("an invalid configuration is taken")
	}
	c, _ = wavenet.Preset("tiny")
	if _, err := wavenet.New(c, nil); err == nil || !strings.Contains(err.Error(), "cond.conv.weight is missing") {
		t.Errorf("no weights: %v", err)
	}
}

// With as many units as make the same work, the recurrent layer has its tensors
// in the place of the dilated ones, and what describes those is not read.
func TestRecurrentConfig(t *testing.T) {
	c := recurrentOfEqualWork()
	c.Cycles, c.CycleLayers, c.Kernel, c.Gate, c.Skip = 0, 0, 0, 0, 0
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	if got, want := c.Work(), residual().Work(); math.Abs(got.PerSample()-want.PerSample()) > 0.04*want.PerSample() {
		t.Errorf("%.0f multiply-adds per sample, %.0f with dilated layers", got.PerSample(), want.PerSample())
	}
	shapes := map[string][]int{}
	for _, p := range c.Trained() {
		shapes[p.Name] = p.Shape
	}
	for name, want := range map[string][]int{
		"gru.ih.weight": {816, 160}, "gru.hh.weight": {816, 272}, "gru.ih.bias": {816}, "gru.hh.bias": {816}, "head1.weight": {128, 272, 1},
	} {
		if !slices.Equal(shapes[name], want) {
			t.Errorf("%s has shape %v, want %v", name, shapes[name], want)
		}
	}
	if _, ok := shapes["layers.0.conv.weight"]; ok || len(shapes) != 15 {
		t.Errorf("%d tensors: %v", len(shapes), shapes)
	}
	c.GRU = 4097
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "wavenet.gru: must be between 0 and 4096") {
		t.Errorf("4097 units: %v", err)
	}
}

// residual returns a network of the size of the recipes' default, for the
// residual of linear prediction.
func residual() wavenet.Config {
	f := features.Default(features.Stream)
	return wavenet.Config{
		Dim: f.NMels + wavenet.PitchDims, Upsampling: f.HopLength, Speakers: 3, Features: f,
		CondChannels: 64, CondReLU: true, SpeakerDim: 32, Cycles: 1, CycleLayers: 10, Kernel: 2,
		Residual: 64, Gate: 64, Skip: 64, Post: 128, Prediction: true,
	}
}

// recurrentOfEqualWork returns residual with a recurrent layer.
func recurrentOfEqualWork() wavenet.Config {
	c := residual()
	c.GRU = 272
	return c
}
