package image_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vqspeech/model"
	"vqspeech/model/image"
)

// constant makes the decoder ignore its latents: its last layer has no weights,
// so that the output of a channel is the activation of its bias.
func constant(cfg image.Config, w model.Weights, bias ...float32) {
	last := cfg.DecoderNet().Convs
	name := last[len(last)-1].Name
	clear(w[name+".weight"])
	copy(w[name+".bias"], bias)
}

func newModel(t *testing.T, cfg image.Config, w model.Weights) *image.Model {
	t.Helper()
	m, err := image.New(cfg, w)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// small28 is a model of 28×28 with few weights.
func small28(kind model.QuantizerKind, decoder image.DecoderKind, channels int) image.Config {
	cfg := image.DefaultConfig(image.Net28)
	cfg.Quantizer.Kind, cfg.Quantizer.CodebookDim, cfg.Quantizer.CodebookSize = kind, 4, 8
	cfg.Net.ResBlocks, cfg.Net.Channels, cfg.Decoder.Kind = 1, channels, decoder
	return cfg
}

func randomSet(n, levels int) image.Set {
	rng := rand.New(rand.NewPCG(7, 8))
	s := image.Set{N: n, Height: 28, Width: 28, Channels: 1, Images: make([]uint8, n*784)}
	for i := range s.Images {
		s.Images[i] = uint8(rng.IntN(levels))
	}
	return s
}

func likelihood(t *testing.T, m *image.Model, s image.Set, o image.LikelihoodOptions) ([]image.ImageBits, float64) {
	t.Helper()
	bits, v, err := m.Likelihood(t.Context(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	return bits, v
}

func near(t *testing.T, name string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*math.Abs(want)) {
		t.Errorf("%s is %.12g, want %.12g", name, got, want)
	}
}

// flat is an image of one level.
func flat(levels ...uint8) image.Set {
	s := image.Set{N: len(levels), Height: 28, Width: 28, Channels: 1}
	for _, v := range levels {
		for range 784 {
			s.Images = append(s.Images, v)
		}
	}
	return s
}

// TestLikelihoodByHand has a decoder that says 1/2 for every pixel, with the
// deviation 1/10. The mass of the levels 128 and 0 is a matter of a table of the
// normal distribution: 0.5 lies 0.5 bins below the middle of level 128, whose bin
// is from 0 to 1/25.5 deviations; level 0 is all below -4.98039 deviations.
func TestLikelihoodByHand(t *testing.T) {
	cfg := small28(model.Gaussian1, image.GaussianDecoder, 1)
	cfg.Decoder.LearnVariance = true
	w := weights(cfg)
	constant(cfg, w, 0)
	w["decoder.log_var"][0] = float32(math.Log(0.01))
	bits, v := likelihood(t, newModel(t, cfg, w), flat(128, 0), image.LikelihoodOptions{})
	near(t, "variance", v, 0.01, 1e-6)
	near(t, "level 128", bits[0].Pixels, -784*math.Log2(0.01564077), 1e-5)
	near(t, "level 0", bits[1].Pixels, -784*math.Log2(3.17275e-7), 1e-5)
	near(t, "codes", bits[0].Latents, 49*3, 1e-12)
	near(t, "sum", bits[1].Total(), bits[1].Pixels+147, 1e-12)
}

// TestLikelihoodOfConstantDecoder knows p(x), which does not depend on the
// latents: pixels must take just its -log2, the bound what the latents cost more.
func TestLikelihoodOfConstantDecoder(t *testing.T) {
	logits := []float32{0.4, 1.5, -0.7}
	softmax := func(x ...float64) (p []float64) {
		sum := 0.0
		for _, v := range x {
			sum += math.Exp(v)
		}
		for _, v := range x {
			p = append(p, math.Exp(v)/sum)
		}
		return p
	}
	var u []float64 // of the vmf decoder: softplus, and its axis without a class
	length := math.Pow(math.Log1p(math.Exp(2)), 2)
	for _, b := range logits {
		u = append(u, math.Log1p(math.Exp(float64(b))))
		length += u[len(u)-1] * u[len(u)-1]
	}
	const kappa = 20
	for i := range u {
		u[i] *= kappa / math.Sqrt(length)
	}
	// Ordered classes: at 0, 45 and 90 degrees.
	angle := math.Atan2(math.Log1p(math.Exp(1.5)), math.Log1p(math.Exp(0.4)))
	ordered := softmax(kappa*math.Cos(angle), kappa*math.Cos(angle-math.Pi/4), kappa*math.Cos(angle-math.Pi/2))
	set := randomSet(35, 3)
	for _, c := range []struct {
		decoder image.DecoderKind
		ordered bool
		outputs []float32
		p       []float64
	}{
		{image.CategoricalDecoder, false, logits, softmax(0.4, 1.5, -0.7)},
		{image.VMFDecoder, false, append(logits, 2), softmax(u...)}, {image.VMFDecoder, true, logits[:2], ordered},
	} {
		for _, kind := range image.QuantizerKinds {
			cfg := small28(kind, c.decoder, 3)
			cfg.Decoder.OrderedClasses = c.ordered
			w := weights(cfg)
			constant(cfg, w, c.outputs...)
			if x, ok := w["decoder.log_kappa_inv"]; ok {
				x[0] = float32(math.Log(1.0 / kappa))
			}
			m := newModel(t, cfg, w)
			bits, v := likelihood(t, m, set, image.LikelihoodOptions{Seed: 3})
			if v != 0 {
				t.Errorf("%s: the variance of classes is %g", c.decoder, v)
			}
			for i, b := range bits {
				want := 0.0
				for _, k := range set.Image(i) {
					want -= math.Log2(c.p[k])
				}
				near(t, string(kind)+" "+string(c.decoder)+" pixels", b.Pixels, want, 1e-5)
				if kind != image.VAE {
					near(t, "codes", b.Latents, 49*3, 1e-12)
				} else if !(b.Latents > 0) {
					t.Errorf("the latents of a vae cost %g bits", b.Latents)
				}
			}
		}
	}
}

// TestLikelihoodOfVAE holds the evidence bound, averaged over draws, against an
// importance-sampled estimate of -log2 p(x) from as many other draws of the same
// posterior (Burda et al. 2016), and its divergence against the mean over those.
func TestLikelihoodOfVAE(t *testing.T) {
	cfg := small28(image.VAE, image.CategoricalDecoder, 2)
	cfg.Quantizer.CodebookDim = 2
	w := weights(cfg)
	for name, x := range w { // latents that matter
		if strings.HasPrefix(name, "decoder.") && strings.HasSuffix(name, ".weight") {
			for i := range x {
				x[i] *= 3
			}
		}
	}
	m := newModel(t, cfg, w)
	s := randomSet(1, 2)
	labels := make([]int32, 784)
	image.Labels(labels, s.Images)
	r := m.Forward(1, nil, labels)

	const draws = 400
	var bound, kl float64
	for seed := range uint64(draws) {
		bits, _ := likelihood(t, m, s, image.LikelihoodOptions{Seed: seed})
		bound += bits[0].Total() / draws
		kl = bits[0].Latents
	}
	rng := rand.New(rand.NewPCG(5, 6))
	z := make([]float32, len(r.Mean))
	draw := func() (ratio float64) { // draws z and returns ln p(z)/q(z|x)
		for k := range z {
			e := rng.NormFloat64()
			z[k] = r.Mean[k] + float32(math.Exp(float64(r.LogVar[k])/2)*e)
			ratio += (e*e + float64(r.LogVar[k]) - float64(z[k])*float64(z[k])) / 2
		}
		return ratio
	}
	sampled := 0.0
	for range 100 * draws {
		sampled -= draw() / (100 * draws)
	}
	near(t, "divergence", kl*math.Ln2, sampled, 0.02)
	var logs []float64 // of p(x|z)p(z)/q(z|x)
	for range draws {
		ratio := draw()
		logs = append(logs, ratio-conditional(m, z, labels))
	}
	best, sum := slices.Max(logs), 0.0
	for _, l := range logs {
		sum += math.Exp(l - best)
	}
	if estimate := -(best + math.Log(sum/draws)); !(bound*math.Ln2 > estimate) || bound*math.Ln2 > estimate+2*sampled {
		t.Errorf("the bound is %g nats, want little above the estimate %g of -ln p(x)", bound*math.Ln2, estimate)
	}
}

// conditional is -ln p(labels|z) (nats).
func conditional(m *image.Model, z []float32, labels []int32) float64 {
	out, nll := m.Output(z, 1), 0.0
	for i, k := range labels {
		a, b := float64(out[2*i]), float64(out[2*i+1])
		nll += math.Log(math.Exp(a)+math.Exp(b)) - float64(out[2*i+int(k)])
	}
	return nll
}

// TestLikelyVariance wants the variance to be the mean squared error on the
// training images and nothing of the measured ones.
func TestLikelyVariance(t *testing.T) {
	cfg := small28(model.VQ, image.GaussianDecoder, 1)
	w := weights(cfg)
	constant(cfg, w, 0)
	m := newModel(t, cfg, w)
	o := image.LikelihoodOptions{Training: flat(0, 255, 102)} // errors of 1/2, 1/2 and 1/10
	done := []int{}
	o.Progress = func(n int) { done = append(done, n) }
	bits, v := likelihood(t, m, flat(128, 7), o)
	near(t, "variance", v, 0.51/3, 1e-6)
	if d := cmp.Diff([]int{3, 5}, done); d != "" {
		t.Error(d)
	}
	for i, level := range []uint8{128, 7} {
		near(t, "pixels", bits[i].Pixels, -784*image.LogMass(level, 0.5, math.Sqrt(0.51/3))/math.Ln2, 1e-6)
	}
	o.Progress = nil
	again, v2 := likelihood(t, m, flat(7), o)
	if v2 != v || again[0] != bits[1] {
		t.Errorf("an image alone takes %v with variance %g, among others %v with %g", again[0], v2, bits[1], v)
	}
	o.Training = flat(0, 0, 0)
	if _, v := likelihood(t, m, flat(128, 7), o); math.Abs(v-0.25) > 1e-6 {
		t.Errorf("variance %g, want that of other training images, 0.25", v)
	}
}

// TestLikelihoodWithPrior wants the costs that the prior says, in the order of
// the images, more of them than run at a time.
func TestLikelihoodWithPrior(t *testing.T) {
	cfg := small28(model.VQ, image.CategoricalDecoder, 3)
	m := newModel(t, cfg, weights(cfg))
	set := randomSet(70, 3)
	codes, err := m.Encode(set)
	if err != nil {
		t.Fatal(err)
	}
	o := image.LikelihoodOptions{CodeNats: func(part []uint16, first int) ([]float64, error) {
		nats := make([]float64, len(part)/49)
		if d := cmp.Diff(codes[first*49:first*49+len(part)], part); d != "" {
			t.Error(d)
		}
		for i := range nats {
			nats[i] = float64(first + i)
		}
		return nats, nil
	}}
	bits, _ := likelihood(t, m, set, o)
	uniform, _ := likelihood(t, m, set, image.LikelihoodOptions{})
	for i, b := range bits {
		if b.Latents != float64(i)/math.Ln2 || b.Pixels != uniform[i].Pixels {
			t.Fatalf("image %d takes %v, want %g bits of latents and %g of pixels", i, b, float64(i)/math.Ln2, uniform[i].Pixels)
		}
	}
}

func TestLikelihoodErrors(t *testing.T) {
	cfg := small28(model.VQ, image.GaussianDecoder, 1)
	w := weights(cfg)
	m := newModel(t, cfg, w)
	train := flat(3)
	fails := func(m *image.Model, s image.Set, o image.LikelihoodOptions, want string) {
		t.Helper()
		if _, _, err := m.Likelihood(t.Context(), s, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	wrong := image.Set{N: 1, Height: 28, Width: 27, Channels: 1, Images: make([]uint8, 28*27)}
	fails(m, wrong, image.LikelihoodOptions{Training: train}, "images are 28×27 with 1 channels, want 28×28")
	fails(m, train, image.LikelihoodOptions{Training: wrong}, "images are 28×27 with 1 channels, want 28×28")
	fails(m, train, image.LikelihoodOptions{Training: train.Slice(0, 0)}, "no training images for the decoder's variance")
	fails(m, train, image.LikelihoodOptions{Training: train, CodeNats: func([]uint16, int) ([]float64, error) { return nil, nil }}, "0 costs of codes for 1 images")
	fails(m, train, image.LikelihoodOptions{Training: train, CodeNats: func([]uint16, int) ([]float64, error) { return nil, errors.New("no") }}, "no")
	fails(m, train, image.LikelihoodOptions{Training: train, CodeNats: func([]uint16, int) ([]float64, error) { return []float64{math.Inf(1)}, nil }}, "image 0 takes +Inf bits, want a finite number")

	constant(cfg, w, 200) // white
	fails(newModel(t, cfg, w), train, image.LikelihoodOptions{Training: flat(255)}, "the decoder's variance is 0, want a positive number")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := m.Likelihood(ctx, train, image.LikelihoodOptions{Training: train}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v after the end", err)
	}
}
