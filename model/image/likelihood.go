package image

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"vqspeech/internal/bessel"
	"vqspeech/internal/simd"
)

// ImageBits is an upper bound on -log2 p(x) of one image x (bits): the sum of its
// parts.
type ImageBits struct {
	Pixels  float64 // -log2 p(x|latents)
	Latents float64 // what it takes to tell the latents
}

// Total is the bound.
func (b ImageBits) Total() float64 { return b.Pixels + b.Latents }

// LikelihoodOptions say what the likelihood is measured with besides the model.
type LikelihoodOptions struct {
	// Training are the images that the model was trained on. They are read where
	// Config.Decoder.LikelyVariance, and must not be the measured ones.
	Training Set

	// CodeNats returns what the codes [n, h, w] of n images cost, -ln p(codes) of
	// each (nats), by a prior; first is the number of the first image in the
	// measured set. nil is the uniform prior, ln K a code. Not called for vae.
	CodeNats func(codes []uint16, first int) ([]float64, error)

	Seed     uint64           // of the draws of vae
	Progress func(images int) // told how many of Training and the measured set are done; may be nil
}

// LikelyVariance says that the model has no variance of its own for the decoder:
// it is the most likely one for a set of images (AR-ELBO).
func (d DecoderConfig) LikelyVariance() bool { return d.Kind == GaussianDecoder && !d.LearnVariance }

// Likelihood returns an upper bound on -log2 p(x) for every image x of s, and the
// variance of a gaussian decoder, 0 for the others. Divided by
// Config.PixelValues a bound is in bits per dimension.
//
// A gaussian decoder's density becomes probabilities of the 256 levels (logMass);
// a categorical one has probabilities of classes, and those of a vmf decoder are
// softmax(kappa cosine) over the classes, without its extra axis.
//
// With codes c the model is p(x) = sum_c p(c) p(x|c), of which the bound takes
// the one term of the most probable codes: it holds for codes that are chosen
// without chance, which those of an SQ-VAE are too where it is used, although
// it was trained on a bound that averages over its posterior. For vae it is the
// evidence bound, E_q[-log2 p(x|z)] + KL(q(z|x)||N(0, I)): the divergence is
// exact, the mean is over one draw of z, which depends on the seed and the number
// of the image in s alone, so that it holds for the mean of many images, not for
// each of them.
//
// The most likely variance for Training is the mean squared error of what the
// decoder makes of latents taken in the same way. Likelihood fails for images
// that do not fit the model and when ctx ends.
func (m *Model) Likelihood(ctx context.Context, s Set, o LikelihoodOptions) (bits []ImageBits, variance float64, err error) {
	if err := s.Check(m.Config); err != nil {
		return nil, 0, err
	}
	done := 0
	progress := func(n int) {
		if done += n; o.Progress != nil {
			o.Progress(done)
		}
	}
	if m.Config.Decoder.Kind == GaussianDecoder {
		if variance, err = m.decoderVariance(ctx, o, progress); err != nil {
			return nil, 0, err
		}
	}
	err = m.decodeEach(ctx, s, o.Seed, func(first int, b batch, r Result) error {
		latents, err := m.latentNats(r, first, b.n, o.CodeNats)
		if err != nil {
			return err
		}
		for i, pixels := range m.pixelNats(s.Slice(first, first+b.n), b, r.Output, math.Sqrt(variance)) {
			one := ImageBits{Pixels: pixels / math.Ln2, Latents: latents[i] / math.Ln2}
			if t := one.Total(); math.IsNaN(t) || math.IsInf(t, 0) {
				return fmt.Errorf("image: image %d takes %g bits, want a finite number", first+i, t)
			}
			bits = append(bits, one)
		}
		progress(b.n)
		return nil
	})
	return bits, variance, err
}

// decodeEach decodes the latents that a likelihood is measured with, some images at
// a time and in their order: those of the most probable codes, or draws of the
// posterior of vae.
func (m *Model) decodeEach(ctx context.Context, s Set, seed uint64, visit func(first int, b batch, r Result) error) error {
	for first := 0; first < s.N; first += chunk {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := newBatch(s.Slice(first, min(first+chunk, s.N)), m.Config.Labels())
		r := m.encode(b)
		if m.Config.Codes() {
			m.assign(&r)
		} else {
			r.Vectors = posteriorDraws(r, b.n, func(i int) rand.Source { return rand.NewPCG(seed, uint64(first+i)) })
		}
		r.Output = m.output(r.Vectors, b.n)
		if err := visit(first, b, r); err != nil {
			return err
		}
	}
	return nil
}

// decoderVariance is that of a gaussian decoder.
func (m *Model) decoderVariance(ctx context.Context, o LikelihoodOptions, progress func(images int)) (float64, error) {
	v := math.Exp(m.decoderScalar)
	if m.Config.Decoder.LikelyVariance() {
		if err := o.Training.Check(m.Config); err != nil {
			return 0, err
		}
		if o.Training.N == 0 {
			return 0, errors.New("image: no training images for the decoder's variance")
		}
		sum := 0.0
		err := m.decodeEach(ctx, o.Training, o.Seed, func(_ int, b batch, r Result) error {
			sum += simd.SquaredDistance(r.Output, b.pixels)
			progress(b.n)
			return nil
		})
		if err != nil {
			return 0, err
		}
		v = sum / float64(len(o.Training.Images))
	}
	if !(v > 0) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("image: the decoder's variance is %g, want a positive number", v)
	}
	return v, nil
}

// latentNats returns what the latents of every image of a batch cost.
func (m *Model) latentNats(r Result, first, n int, prior func([]uint16, int) ([]float64, error)) ([]float64, error) {
	nats := make([]float64, n)
	size := len(r.Mean) / n
	switch {
	case !m.Config.Codes():
		for i := range nats {
			nats[i] = gaussianKL(r.Mean[i*size:(i+1)*size], r.LogVar[i*size:(i+1)*size])
		}
	case prior == nil:
		for i := range nats {
			nats[i] = m.Config.CodeBits() * math.Ln2
		}
	default:
		given, err := prior(r.Codes, first)
		if err != nil {
			return nil, err
		}
		if len(given) != n {
			return nil, fmt.Errorf("image: the prior gives %d costs of codes for %d images", len(given), n)
		}
		return given, nil
	}
	return nats, nil
}

// pixelNats returns -ln p(x|latents) of every image x of a batch, of which set
// are the levels and output is what the decoder makes of their latents.
func (m *Model) pixelNats(set Set, b batch, output []float32, deviation float64) []float64 {
	c := m.Config
	nats, values := make([]float64, b.n), c.PixelValues()
	if !c.Labels() {
		simd.Parallel(b.n, 1, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				means := output[i*values : (i+1)*values]
				for k, level := range set.Image(i) {
					nats[i] -= logMass(level, float64(means[k]), deviation)
				}
			}
		})
		return nats
	}
	f, classes, n := c.OutputChannels(), c.Net.Channels, len(b.labels)
	logits := output
	if c.Decoder.Kind == VMFDecoder {
		directions := make([]float32, n*f)
		simd.NormalizeRows(directions, output, n, f)
		kappa := float32(bessel.VMFKappa(m.decoderScalar))
		logits = make([]float32, n*classes)
		for i := range n {
			row := logits[i*classes : (i+1)*classes]
			if c.Decoder.OrderedClasses {
				for k := range row {
					row[k] = kappa * float32(c.Arc().Cosine(directions[2*i], directions[2*i+1], int32(k)))
				}
				continue
			}
			for k, v := range directions[i*f : i*f+classes] {
				row[k] = kappa * v
			}
		}
	}
	rows, p := make([]float32, n), simd.Borrow(n*classes)
	defer simd.Return(p)
	simd.CrossEntropy(rows, p, logits, b.labels, n, classes)
	for i := range nats {
		nats[i] = total(rows[i*values : (i+1)*values])
	}
	return nats
}
