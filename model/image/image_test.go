package image_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"vqspeech/model"
	"vqspeech/model/image"
)

func weights(cfg image.Config) model.Weights {
	rng := rand.New(rand.NewPCG(1, 2))
	w := model.Weights{}
	for _, p := range append(cfg.Params(), cfg.Buffers()...) {
		w[p.Name] = p.Init(rng)
	}
	return w
}

// TestPublishedSizes compares the numbers of parameters with those of sony/sqvae
// vision.
func TestPublishedSizes(t *testing.T) {
	size := func(net image.NetKind, kind model.QuantizerKind, codes int) (n int) {
		cfg := image.DefaultConfig(net)
		cfg.Quantizer.Kind, cfg.Quantizer.CodebookSize = kind, codes
		if err := cfg.Validate(); err != nil {
			t.Fatal(err)
		}
		for _, p := range cfg.Params() {
			n += p.Size()
		}
		return n
	}
	for _, c := range []struct {
		net   image.NetKind
		kind  model.QuantizerKind
		codes int
		want  int
	}{
		{image.Net28, model.Gaussian1, 128, 240386}, {image.Net28, model.Gaussian1, 256, 248578}, {image.Net32, model.Gaussian1, 512, 341252},
		{image.Net64, model.Gaussian1, 512, 630532}, {image.Net64, image.Gaussian2, 512, 671876}, {image.Net64Label, image.VMF, 64, 354989},
	} {
		if got := size(c.net, c.kind, c.codes); got != c.want {
			t.Errorf("%s %s with %d codes has %d parameters, want %d", c.net, c.kind, c.codes, got, c.want)
		}
	}
}

// TestBatchIsLoop holds a batch against its images one by one, and Decode against
// Encode's codes.
func TestBatchIsLoop(t *testing.T) {
	for _, kind := range image.QuantizerKinds {
		cfg := image.DefaultConfig(image.Net28)
		cfg.Quantizer.Kind, cfg.Quantizer.CodebookDim, cfg.Quantizer.CodebookSize = kind, 6, 9
		m, err := image.New(cfg, weights(cfg))
		if err != nil {
			t.Fatal(err)
		}
		s := image.Set{Images: make([]uint8, 35*28*28), N: 35, Height: 28, Width: 28, Channels: 1}
		rng := rand.New(rand.NewPCG(3, 4))
		for i := range s.Images {
			s.Images[i] = uint8(rng.Uint32())
		}
		codes, err := m.Encode(s)
		if kind == image.VAE {
			if err == nil {
				t.Error("a vae has codes")
			}
			continue
		}
		if err != nil || len(codes) != 35*49 {
			t.Fatalf("%s: %d codes, %v", kind, len(codes), err)
		}
		whole := m.Decode(codes)
		if whole.N != 35 || whole.Check(cfg) != nil {
			t.Errorf("%s: decodes to %d images, %v", kind, whole.N, whole.Check(cfg))
		}
		for i := range s.N {
			one, err := m.Encode(s.Slice(i, i+1))
			if err != nil || string(bytesOf(one)) != string(bytesOf(codes[i*49:(i+1)*49])) {
				t.Fatalf("%s: image %d alone has other codes (%v)", kind, i, err)
			}
			if string(m.Decode(one).Images) != string(whole.Image(i)) {
				t.Fatalf("%s: image %d alone decodes to another image", kind, i)
			}
		}
	}
}

func bytesOf(codes []uint16) []byte {
	var b []byte
	for _, c := range codes {
		b = append(b, byte(c), byte(c>>8))
	}
	return b
}

func TestSetsThatDoNotFit(t *testing.T) {
	images, labels := image.DefaultConfig(image.Net28), image.DefaultConfig(image.Net64Label)
	for _, c := range []struct {
		cfg  image.Config
		set  image.Set
		want string
	}{
		{images, image.Set{N: 1, Height: 27, Width: 28, Channels: 1, Images: make([]uint8, 27*28)}, "images are 27×28 with 1 channels, want 28×28 with 1"},
		{images, image.Set{N: 2, Height: 28, Width: 28, Channels: 1, Images: make([]uint8, 28*28)}, "784 values for 2 images of 784"},
		{labels, image.Set{N: 1, Height: 64, Width: 64, Channels: 1, Images: append(make([]uint8, 64*64-1), 19)}, "image 0 has the label 19, want less than 19"},
	} {
		if err := c.set.Check(c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	c := image.DefaultConfig(image.Net32)
	c.Net.Kind, c.Net.Channels, c.Quantizer.Kind, c.Quantizer.Variance = "33", 0, "gaussian-5", "two"
	c.Decoder.Kind, c.Decoder.InitialSpread, c.Decoder.OrderedClasses = "poisson", 0, true
	err := c.Validate()
	for _, field := range []string{"model.kind", "model.channels", "quantizer.kind", "quantizer.variance", "decoder.kind", "decoder.initial_spread", "decoder.ordered_classes"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("no error for %s in: %v", field, err)
		}
	}
}

// TestEvaluate holds an evaluation against what its parts say of the same images.
func TestEvaluate(t *testing.T) {
	for _, net := range []image.NetKind{image.Net28, image.Net64Label} {
		cfg := image.DefaultConfig(net)
		cfg.Quantizer.CodebookDim, cfg.Quantizer.CodebookSize = 6, 9
		m, err := image.New(cfg, weights(cfg))
		if err != nil {
			t.Fatal(err)
		}
		side := cfg.Side()
		s := image.Set{Images: make([]uint8, 3*side*side), N: 3, Height: side, Width: side, Channels: 1}
		rng := rand.New(rand.NewPCG(3, 4))
		for i := range s.Images {
			s.Images[i] = uint8(rng.IntN(19))
		}
		e, err := m.Evaluate(s)
		if err != nil {
			t.Fatal(err)
		}
		pixels, labels := make([]float32, len(s.Images)), make([]int32, len(s.Images))
		image.Pixels(pixels, s.Images)
		image.Labels(labels, s.Images)
		if cfg.Labels() {
			pixels = nil
		} else {
			labels = nil
		}
		r := m.Forward(3, pixels, labels)
		near := func(name string, got, want float64) {
			if !(math.Abs(got-want) <= 1e-9*math.Abs(want)) {
				t.Errorf("%s: %s is %g, want %g", net, name, got, want)
			}
		}
		near("loss", e.Loss, r.Losses.Total)
		near("perplexity", e.BatchPerplexity, r.Losses.Perplexity)
		if cfg.Labels() {
			near("pixel error", e.PixelError, 100*(1-r.Losses.Accuracy))
		} else {
			near("mse", e.MSE, 1000*r.Losses.SSE/float64(side*side))
		}
	}
	if e, err := new(image.Model).Evaluate(image.Set{}); err == nil {
		t.Errorf("a set without a size gives %+v", e)
	}
}
