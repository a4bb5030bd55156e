package examples

import (
	"math"
	"path/filepath"
	"testing"

	"vqspeech/internal/synthetic"
	"vqspeech/model"
	"vqspeech/model/checkpoint"
	"vqspeech/model/image"
	imagetrain "vqspeech/model/image/train"
	"vqspeech/model/train"
)

// shapes are images [n, 64, 64, 3].
func shapes(n int, seed uint64) image.Set {
	return image.Set{Images: synthetic.Shapes(n, seed), N: n, Height: 64, Width: 64, Channels: 3}
}

// trained runs a model to its end and returns what it reaches on the test set, and
// its weights.
func trained(t *testing.T, cfg image.Config, training, test image.Set, epochs int, rate float64) (image.Evaluation, model.Weights) {
	t.Helper()
	o := imagetrain.Options{Model: cfg, Train: imagetrain.DefaultConfig(), Training: training, Test: test, Dir: t.TempDir()}
	o.Train.Epochs, o.Train.BatchSize, o.Train.LearningRate, o.Train.Seed = epochs, 8, rate, 1
	e, err := imagetrain.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	run, err := checkpoint.LoadRun[image.Config](filepath.Join(o.Dir, train.LatestFile))
	if err != nil {
		t.Fatal(err)
	}
	return *e, run.Weights
}

// TestShapes compares reconstructions of shapes with the best constant one.
func TestShapes(t *testing.T) {
	skipSlow(t)
	training, test := shapes(64, 1), shapes(24, 2)
	var sum, squares float64
	for _, v := range test.Images {
		sum, squares = sum+float64(v)/255, squares+float64(v)*float64(v)/255/255
	}
	n := float64(len(test.Images))
	constant := 1000 * (squares/n - sum/n*sum/n)
	for _, kind := range []model.QuantizerKind{image.VAE, model.VQEMA, model.Gaussian1} {
		cfg := image.DefaultConfig(image.Net64)
		cfg.Net.ResBlocks, cfg.Quantizer.Kind, cfg.Quantizer.CodebookDim, cfg.Quantizer.CodebookSize = 2, kind, 16, 64
		cfg.Quantizer.InitialScale = 2
		e, _ := trained(t, cfg, training, test, 8, 3e-3)
		t.Logf("%s: MSE × 10³ %.1f, of a constant %.1f", kind, e.MSE, constant)
		if !(e.MSE < 0.85*constant) {
			t.Errorf("want less than 0.85 of it")
		}
	}
}

// TestDecoderConcentration compares the decoders of label maps behind the same
// latents (Takida et al. 2022, Figure 4): the concentration of the quantiser grows
// more where the decoder has one of its own.
func TestDecoderConcentration(t *testing.T) {
	skipSlow(t)
	training, test := grayStrokes(128, 1), grayStrokes(32, 2)
	kappa := map[image.DecoderKind]float64{}
	for _, decoder := range []image.DecoderKind{image.VMFDecoder, image.CategoricalDecoder} {
		cfg := image.DefaultConfig(image.Net28)
		cfg.Net.Channels, cfg.Quantizer.Kind, cfg.Quantizer.InitialScale = grayLevels, image.VMF, 1
		cfg.Decoder.Kind, cfg.Quantizer.CodebookDim, cfg.Quantizer.CodebookSize = decoder, 16, 32
		e, w := trained(t, cfg, training, test, 12, 1e-2)
		kappa[decoder] = math.Exp(float64(w["quantizer.log_kappa"][0])) + 1
		t.Logf("%s: kappa from 2 to %.2f, pixel error %.1f %%, perplexity %.1f", decoder, kappa[decoder], e.PixelError, e.Perplexity)
	}
	if !(kappa[image.VMFDecoder] > 1.5*kappa[image.CategoricalDecoder]) {
		t.Error("want the first at 1.5 times the second at least")
	}
}

const grayLevels = 5

// grayStrokes are maps [n, 28, 28] of grey levels as classes.
func grayStrokes(n int, seed uint64) image.Set {
	s := image.Set{Images: synthetic.Strokes(n, seed), N: n, Height: synthetic.StrokesSide, Width: synthetic.StrokesSide, Channels: 1}
	for i, v := range s.Images {
		s.Images[i] = uint8(int(v) * grayLevels / 256)
	}
	return s
}
