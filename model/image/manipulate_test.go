package image_test

import (
	"bytes"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"vqspeech/model"
	"vqspeech/model/image"
)

// random returns a small model of a kind and n random images, or label maps,
// for it.
func random(t *testing.T, kind model.QuantizerKind, decoder image.DecoderKind, n int) (*image.Model, image.Set) {
	t.Helper()
	cfg := image.DefaultConfig(image.Net28)
	cfg.Quantizer.Kind, cfg.Quantizer.CodebookDim, cfg.Quantizer.CodebookSize, cfg.Decoder.Kind = kind, 6, 9, decoder
	values := 256
	if cfg.Labels() {
		cfg.Net.Channels, values = 5, 5
	}
	w := weights(cfg)
	for i := range w["quantizer.codebook"] {
		w["quantizer.codebook"][i] *= 30 // so large that the decoder tells codes apart
	}
	m, err := image.New(cfg, w)
	if err != nil {
		t.Fatal(err)
	}
	s := image.Set{Images: make([]uint8, n*28*28), N: n, Height: 28, Width: 28, Channels: 1}
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range s.Images {
		s.Images[i] = uint8(rng.IntN(values))
	}
	return m, s
}

func TestReconstruct(t *testing.T) {
	for _, kind := range image.QuantizerKinds {
		m, s := random(t, kind, image.GaussianDecoder, 35)
		whole, err := m.Reconstruct(s)
		if err != nil || whole.N != 35 || whole.Check(m.Config) != nil {
			t.Fatalf("%s: %d images, %v, %v", kind, whole.N, err, whole.Check(m.Config))
		}
		if last, err := m.Reconstruct(s.Slice(34, 35)); err != nil || !bytes.Equal(last.Images, whole.Image(34)) {
			t.Errorf("%s: an image alone has another reconstruction (%v)", kind, err)
		}
		half, err := m.Interpolate(s, s)
		if err != nil || !bytes.Equal(half.Images, whole.Images) {
			t.Errorf("%s: half way from an image to itself is not its reconstruction (%v)", kind, err)
		}
		if kind == image.VAE {
			if _, err := m.Neighbors(s, 0, nil); err == nil {
				t.Error("a vae has codes to replace")
			}
			continue
		}
		codes, err := m.Encode(s)
		if err != nil || !bytes.Equal(m.Decode(codes).Images, whole.Images) {
			t.Errorf("%s: the codes decode to other images (%v)", kind, err)
		}
		if same, err := m.Neighbors(s, 0, nil); err != nil || !bytes.Equal(same.Images, whole.Images) {
			t.Errorf("%s: no neighbours, other images (%v)", kind, err)
		}
		first, err := m.Neighbors(s, 3, rand.New(rand.NewPCG(1, 1)))
		if err != nil || bytes.Equal(first.Images, whole.Images) {
			t.Errorf("%s: three neighbours leave the images as they are (%v)", kind, err)
		}
		second, err := m.Neighbors(s, 3, rand.New(rand.NewPCG(1, 1)))
		if err != nil || !bytes.Equal(first.Images, second.Images) {
			t.Errorf("%s: the same seed gives other images (%v)", kind, err)
		}
		if _, err := m.Neighbors(s, 9, nil); err == nil {
			t.Errorf("%s: nine neighbours among nine codes", kind)
		}
	}
}

// Half way is symmetric, and its images are in the order of the sets.
func TestInterpolate(t *testing.T) {
	for _, kind := range []model.QuantizerKind{model.Gaussian4, image.VMF, image.VAE} {
		m, s := random(t, kind, image.GaussianDecoder, 70)
		a, b := s.Slice(0, 35), s.Slice(35, 70)
		ab, err := m.Interpolate(a, b)
		if err != nil {
			t.Fatal(err)
		}
		ba, err := m.Interpolate(b, a)
		if err != nil || !bytes.Equal(ab.Images, ba.Images) {
			t.Errorf("%s: half way is not the same from both ends (%v)", kind, err)
		}
		last, err := m.Interpolate(a.Slice(34, 35), b.Slice(34, 35))
		if err != nil || !bytes.Equal(last.Images, ab.Image(34)) {
			t.Errorf("%s: the last pair alone gives another image (%v)", kind, err)
		}
		if _, err := m.Interpolate(a, s); err == nil || !strings.Contains(err.Error(), "35 and 70 images") {
			t.Errorf("%s: sets of unequal length: %v", kind, err)
		}
	}
}

// TestEvaluateAnneals compares what self-annealing is seen by with its
// definition.
func TestEvaluateAnneals(t *testing.T) {
	near := func(what string, got, want float64) {
		if math.Abs(got-want) > 1e-5*math.Abs(want) {
			t.Errorf("%s is %g, want %g", what, got, want)
		}
	}
	m, s := random(t, model.Gaussian1, image.GaussianDecoder, 40)
	e, err := m.Evaluate(s)
	if err != nil {
		t.Fatal(err)
	}
	near("the variance of 1 + exp(s)", e.Variance, 11)
	near("the decoder's variance", e.DecoderVariance, e.MSE/1000)
	if e.Entropy == nil || !(*e.Entropy > 0 && *e.Entropy <= math.Log(9)) {
		t.Fatalf("an entropy of %v of 9 codes", e.Entropy)
	}
	pixels := make([]float32, len(s.Images))
	image.Pixels(pixels, s.Images)
	near("the entropy", *e.Entropy, -m.Forward(40, pixels, nil).Losses.KLDiscrete/49)

	m, s = random(t, image.VMF, image.VMFDecoder, 3)
	if e, err = m.Evaluate(s); err != nil {
		t.Fatal(err)
	}
	near("kappa of the quantiser", e.Kappa, 11)
	near("kappa of the decoder", e.DecoderKappa, 100)
	if e.Variance != 0 || e.DecoderVariance != 0 {
		t.Errorf("a model on the sphere has the variances %g and %g", e.Variance, e.DecoderVariance)
	}
	m, s = random(t, model.VQEMA, image.GaussianDecoder, 3)
	if e, err = m.Evaluate(s); err != nil || e.Variance != 0 || e.Entropy != nil {
		t.Errorf("a vq-vae has the variance %g and the entropy %v (%v)", e.Variance, e.Entropy, err)
	}
}

func TestWriteGrid(t *testing.T) {
	m, s := random(t, image.VMF, image.VMFDecoder, 18)
	var b bytes.Buffer
	if err := image.WriteGrid(&b, m.Config, s, s); err != nil {
		t.Fatal(err)
	}
	pic, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	// Two groups of two rows; the 17th image is the first of the second group.
	if size := pic.Bounds().Size(); size.X != 16*58+2 || size.Y != 2*(2*58+8)-8+2 {
		t.Errorf("the picture is %v", size)
	}
	same := func(x, y, p, q int) bool { return pic.At(x, y) == pic.At(p, q) }
	seen := map[color.Color]uint8{}
	for i, label := range s.Image(16) {
		x, y := 2+i%28*2, 2+124+i/28*2
		if !same(x, y, x+1, y+1) || !same(x, y, x, y+58) {
			t.Fatalf("pixel %d differs within itself or between the rows", i)
		}
		if was, ok := seen[pic.At(x, y)]; ok && was != label {
			t.Fatalf("labels %d and %d have one colour", was, label)
		}
		seen[pic.At(x, y)] = label
	}
	if len(seen) != 5 {
		t.Errorf("%d colours of 5 labels", len(seen))
	}
	for _, sets := range [][]image.Set{nil, {s, s.Slice(0, 3)}, {{}}} {
		if image.WriteGrid(&b, m.Config, sets...) == nil {
			t.Errorf("a grid of %d sets that are none or not alike is drawn", len(sets))
		}
	}
}

// TestLabelColours wants the 19 classes of CelebAMask-HQ to be told apart.
func TestLabelColours(t *testing.T) {
	cfg := image.DefaultConfig(image.Net64Label)
	s := image.Set{N: 1, Height: 64, Width: 64, Channels: 1, Images: make([]uint8, 64*64)}
	for i := range s.Images {
		s.Images[i] = uint8(min(i, 19))
	}
	var b bytes.Buffer
	if err := image.WriteGrid(&b, cfg, s); err != nil {
		t.Fatal(err)
	}
	pic, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	var colours []color.RGBA
	for x := range 20 {
		r, g, b, _ := pic.At(2+x, 2).RGBA()
		colours = append(colours, color.RGBA{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), 255})
	}
	for i, a := range colours {
		for _, b := range colours[:i] {
			apart := 0
			for _, d := range [][2]uint8{{a.R, b.R}, {a.G, b.G}, {a.B, b.B}} {
				apart += int(max(d[0], d[1]) - min(d[0], d[1]))
			}
			if apart < 48 {
				t.Errorf("labels %d and %d are %v and %v", i, slices.Index(colours, b), a, b)
			}
		}
	}
}

func TestPartners(t *testing.T) {
	s := image.Set{N: 9, Height: 1, Width: 1, Channels: 1, Images: []uint8{0, 1, 2, 3, 4, 5, 6, 7, 8}}
	for seed := range uint64(20) {
		p := s.Partners(rand.New(rand.NewPCG(seed, 0)))
		for i, v := range p.Images {
			if int(v) == i {
				t.Errorf("seed %d: image %d is its own partner", seed, i)
			}
		}
		if slices.Sort(p.Images); !slices.Equal(p.Images, s.Images) {
			t.Errorf("seed %d: partners %v", seed, p.Images)
		}
	}
}
