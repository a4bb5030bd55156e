package train

import (
	"testing"

	"vqspeech/model"
	"vqspeech/model/image"
)

// BenchmarkStep times one training step of gaussian-1 with the published sizes
// on batches of 32 images: forward, backward and Adam. bench/torch_image.py is
// the same in PyTorch.
func BenchmarkStep(b *testing.B) {
	for _, net := range []image.NetKind{image.Net28, image.Net32, image.Net64, image.Net64Label} {
		b.Run(string(net), func(b *testing.B) { benchmarkStep(b, image.DefaultConfig(net)) })
	}
}

func benchmarkStep(b *testing.B, cfg image.Config) {
	tc := DefaultConfig()
	r, err := newRun(Options{Model: cfg, Train: tc, Training: blobs(cfg, 2*tc.BatchSize, 1), Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer r.graphs.Close()
	step := func() {
		if err := r.Step(); err != nil {
			b.Fatal(err)
		}
	}
	step() // the first takes the memory that later ones use again
	b.ReportAllocs()
	for b.Loop() {
		step()
	}
}

// BenchmarkCategoricalStep times one training step of the systems that take
// MNIST as 256 unordered grey values.
func BenchmarkCategoricalStep(b *testing.B) {
	for _, system := range []string{"vmf", "nc", "vae", "vq-ema"} {
		b.Run(system, func(b *testing.B) { benchmarkStep(b, categorical(system)) })
	}
}

// categorical returns the model of recipes/mnist/vmf.yaml, nc.yaml, vae-256.yaml
// or vq-ema-256.yaml.
func categorical(system string) image.Config {
	cfg := image.DefaultConfig(image.Net28)
	cfg.Net.Channels, cfg.Quantizer.Kind, cfg.Decoder.Kind = 256, model.QuantizerKind(system), image.CategoricalDecoder
	switch system {
	case "vmf":
		cfg.Decoder.Kind = image.VMFDecoder
	case "nc":
		cfg.Quantizer.Kind = image.VMF
	}
	if cfg.Quantizer.Kind == image.VMF {
		cfg.Quantizer.InitialScale = 0.05
	}
	return cfg
}
