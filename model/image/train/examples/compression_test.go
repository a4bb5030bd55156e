package examples

import (
	"math"
	"path/filepath"
	"testing"

	"vqspeech/internal/synthetic"
	"vqspeech/model"
	"vqspeech/model/image"
	imagetrain "vqspeech/model/image/train"
	"vqspeech/model/train"
)

// TestCompression is the example of van den Oord et al. 2017, section 4.2:
// 128×128×3 bytes in 32×32 codes of K = 512 are 42.67 times fewer bits. The net
// learns four images, and its codes have that shape.
func TestCompression(t *testing.T) {
	skipSlow(t)
	cfg := image.DefaultConfig(image.Net128)
	raw, coded := float64(8*cfg.PixelValues()), cfg.CodeBits()
	if raw != 393216 || coded != 9216 || math.Abs(raw/coded-42.67) > 0.005 {
		t.Errorf("%g bits in %g: %.2f times less, want 393216, 9216 and 42.67", raw, coded, raw/coded)
	}

	cfg.Net.ResBlocks, cfg.Quantizer.Kind, cfg.Quantizer.CodebookDim = 2, model.VQEMA, 16
	set := enlarged(synthetic.Shapes(4, 1))
	o := imagetrain.Options{Model: cfg, Train: imagetrain.DefaultConfig(), Training: set, Valid: set, Dir: t.TempDir()}
	o.Train.Epochs, o.Train.BatchSize, o.Train.LearningRate = 12, 4, 3e-3
	var loss []float64
	o.Progress = func(p imagetrain.Progress) { loss = append(loss, p.Losses.SSE) }
	if _, err := imagetrain.Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if first, last := loss[0], loss[len(loss)-1]; !(last < 0.6*first) {
		t.Errorf("squared error %g at first, %g after %d steps", first, last, len(loss))
	}
	m, err := image.Load(filepath.Join(o.Dir, train.ModelFile))
	if err != nil {
		t.Fatal(err)
	}
	codes, err := m.Encode(set)
	if err != nil {
		t.Fatal(err)
	}
	if len(codes) != 4*32*32 {
		t.Errorf("%d codes for 4 images, want 32×32 each", len(codes))
	}
	if back := m.Decode(codes); back.Height != 128 || back.Width != 128 || back.Channels != 3 || back.N != 4 {
		t.Errorf("they decode to %d images of %d×%d×%d", back.N, back.Height, back.Width, back.Channels)
	}
}

// enlarged doubles the height and width of images [N, 64, 64, 3].
func enlarged(images []uint8) image.Set {
	const side = 2 * synthetic.ShapesSide
	s := image.Set{N: len(images) / (synthetic.ShapesSide * synthetic.ShapesSide * 3), Height: side, Width: side, Channels: 3}
	for i := range s.N * side * side {
		n, y, x := i/(side*side), i/side%side, i%side
		from := 3 * ((n*synthetic.ShapesSide+y/2)*synthetic.ShapesSide + x/2)
		s.Images = append(s.Images, images[from:from+3]...)
	}
	return s
}
