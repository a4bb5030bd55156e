package image

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"vqspeech/internal/safetensors"
	"vqspeech/internal/simd"
	"vqspeech/model"
	"vqspeech/quant"
)

// Model is an image model ready to encode and decode. It is safe for concurrent
// use.
type Model struct {
	Config   Config
	Codebook quant.Codebook // of unit vectors for vmf; Size 0 for vae

	convs          []*layer // of the encoder
	blocks         []*block
	mean, variance *block // variance: nil without such a head
	decoderBlocks  []*block
	decoderConvs   []*layer
	scalar         float64 // s
	decoderScalar  float64 // log variance or t of the decoder
	fingerprint    [8]byte
}

// Fingerprint identifies the model file: the first bytes of its SHA-256. It is
// zero for a model that was not read from a file.
func (m *Model) Fingerprint() [8]byte { return m.fingerprint }

// New builds a model on weights, of which it copies those of the networks, in
// the layout of the instruction set in use. w holds the tensors of cfg.Params()
// and cfg.Buffers(); one that is missing or has another size is an error.
func New(cfg Config, w model.Weights) (*Model, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := model.CheckWeights(w, append(cfg.Params(), cfg.Buffers()...)); err != nil {
		return nil, err
	}
	for _, p := range cfg.Buffers() {
		if v := w[p.Name]; strings.HasSuffix(p.Name, ".running_var") && slices.Min(v) < 0 {
			return nil, fmt.Errorf("image: tensor %s holds the variance %g, want at least 0", p.Name, slices.Min(v))
		}
	}
	m := &Model{Config: cfg}
	e, d := cfg.EncoderNet(), cfg.DecoderNet()
	layers := func(ls []Layer, labels bool) (built []*layer) {
		for i, l := range ls {
			one := newLayer(l, w, labels && i == 0)
			built = append(built, &one)
		}
		return built
	}
	blocks := func(bs ...Block) (built []*block) {
		for _, b := range bs {
			built = append(built, &block{newLayer(b.First, w, false), newLayer(b.Second, w, false)})
		}
		return built
	}
	m.convs, m.blocks, m.mean = layers(e.Convs, cfg.Labels()), blocks(e.Blocks...), blocks(e.Mean)[0]
	if e.Variance != nil {
		m.variance = blocks(*e.Variance)[0]
	}
	m.decoderBlocks, m.decoderConvs = blocks(d.Blocks...), layers(d.Convs, false)
	if cfg.Codes() {
		k, dim := cfg.Quantizer.CodebookSize, cfg.Dim()
		vectors := slices.Clone(w[codebook])
		if cfg.Quantizer.Kind == VMF {
			simd.NormalizeRows(vectors, vectors, k, dim)
		}
		m.Codebook = quant.Codebook{Size: k, Dim: dim, Vectors: vectors}
	}
	first := func(names ...string) float64 {
		for _, name := range names {
			if x, ok := w[name]; ok {
				return float64(x[0])
			}
		}
		return 0
	}
	m.scalar, m.decoderScalar = first(logVarScalar, logKappa), first(decoderVar, decoderKappa)
	return m, nil
}

// ConfigKey is the metadata key under which a model file keeps its Config as
// JSON.
const ConfigKey = "vqspeech.image"

// MetadataKey is ConfigKey.
func (Config) MetadataKey() string { return ConfigKey }

// Load reads a model file or a checkpoint.
func Load(path string) (*Model, error) {
	return safetensors.Load(path, read)
}

func read(f *safetensors.File) (*Model, error) {
	cfg, err := model.ReadConfig[Config](f)
	if err != nil {
		return nil, err
	}
	w, err := model.ReadWeights(f, append(cfg.Params(), cfg.Buffers()...))
	if err != nil {
		return nil, err
	}
	m, err := New(cfg, w)
	if err != nil {
		return nil, err
	}
	sum, err := f.SHA256()
	copy(m.fingerprint[:], sum[:])
	return m, err
}

// batch is a number of images as the networks read them.
type batch struct {
	n      int
	pixels []float32 // [B, H, W, C] in [0, 1]
	labels []int32   // [B, H, W] instead
}

func newBatch(s Set, labels bool) batch {
	if labels {
		b := batch{n: s.N, labels: make([]int32, len(s.Images))}
		Labels(b.labels, s.Images)
		return b
	}
	b := batch{n: s.N, pixels: make([]float32, len(s.Images))}
	Pixels(b.pixels, s.Images)
	return b
}

// Pixels converts values of images for the networks: v/255.
func Pixels(dst []float32, images []uint8) {
	for i, v := range images {
		dst[i] = float32(v) / 255
	}
}

// Labels converts class labels for the networks.
func Labels(dst []int32, images []uint8) {
	for i, v := range images {
		dst[i] = int32(v)
	}
}

// latents runs the encoder: means [B, h, w, D] and, with a second head, log
// variances, nil without.
func (m *Model) latents(b batch) (mean, logVar []float32) {
	var x grid
	rest := m.convs
	if b.labels != nil {
		x, rest = m.convs[0].runLabels(b.labels, b.n, m.Config.Side()), m.convs[1:]
	} else {
		x = newGrid(b.n, m.Config.Side(), m.Config.Net.Channels)
		copy(x.x, b.pixels)
	}
	x = runAll(m.blocks, runAll(rest, x))
	defer x.free()
	take := func(head *block) []float32 {
		y := head.run(x)
		defer y.free()
		return slices.Clone(y.x)
	}
	mean = take(m.mean)
	if m.variance != nil {
		logVar = take(m.variance)
	}
	return mean, logVar
}

// precision returns the latents' precisions [1], [N] or [N, D] (see
// sq.GaussianImage) of a gaussian kind, kappa [1] of vmf, 1 otherwise.
func (m *Model) precision(logVar []float32, n int) []float32 {
	c, e := m.Config, math.Exp(m.scalar)
	inverse := func(v float64) float32 { return 1 / max(float32(v), simd.VarianceFloor) }
	switch d := c.Dim(); c.Quantizer.Kind {
	case model.Gaussian1:
		if c.Quantizer.Variance == OnePlusExp {
			e++
		}
		return []float32{inverse(e)}
	case VMF:
		return []float32{float32(e + 1)}
	case Gaussian2:
		return groupPrecision(logVar, n, c.Grid()*c.Grid()*d, d, e, inverse)
	case model.Gaussian3:
		return groupPrecision(logVar, n, d, d, e, inverse)
	case model.Gaussian4:
		w := make([]float32, len(logVar))
		for i, l := range logVar {
			w[i] = inverse(math.Exp(float64(l)) + e)
		}
		return w
	}
	return []float32{1}
}

// groupPrecision gives every row of D values the precision of the mean log
// variance of its group of values.
func groupPrecision(logVar []float32, n, group, d int, e float64, inverse func(float64) float32) []float32 {
	w := make([]float32, n)
	for r := 0; r < n; r += group / d {
		sum := 0.0
		for _, l := range logVar[r*d : r*d+group] {
			sum += float64(l)
		}
		v := inverse(math.Exp(sum/float64(group)) + e)
		for i := range group / d {
			w[r+i] = v
		}
	}
	return w
}

// logits writes the log posterior weights of the codes, up to a constant.
func (m *Model) logits(a, latents, precision []float32) {
	if m.Config.Quantizer.Kind == VMF {
		book := m.Codebook
		simd.VMFLogits(a, latents, book.Vectors, precision[0], len(latents)/book.Dim, book.Dim, book.Size)
		return
	}
	m.Codebook.Logits(a, latents, precision)
}

// output runs the decoder on quantised latents [B, h, w, D]: means in (0, 1),
// logits of classes, or directions of no special length, [B, H, W, F].
func (m *Model) output(quantized []float32, n int) []float32 {
	x := newGrid(n, m.Config.Grid(), m.Config.Dim())
	copy(x.x, quantized)
	x = runAll(m.decoderConvs, runAll(m.decoderBlocks, x))
	defer x.free()
	y := make([]float32, len(x.x))
	switch m.Config.Decoder.Kind {
	case GaussianDecoder:
		simd.Parallel(len(y), 4096, func(lo, hi int) { simd.Sigmoid(y[lo:hi], x.x[lo:hi]) })
	case VMFDecoder:
		simd.Softplus(y, x.x)
	default:
		copy(y, x.x)
	}
	return y
}

// images turns the decoder's output into images: rounded means or the most
// probable labels.
func (m *Model) images(output []float32, n int) Set {
	c := m.Config
	s := Set{N: n, Height: c.Side(), Width: c.Side(), Channels: c.Net.Channels}
	if !c.Labels() {
		s.Images = make([]uint8, len(output))
		for i, v := range output {
			s.Images[i] = uint8(math.Round(float64(v) * 255))
		}
		return s
	}
	s.Channels, s.Images = 1, make([]uint8, n*c.PixelValues())
	for i, k := range m.labels(output) {
		s.Images[i] = uint8(k)
	}
	return s
}

// labels returns the most probable label of every pixel. A vmf decoder's extra
// axis, where the number of classes is odd, counts as well (as published).
func (m *Model) labels(output []float32) []int32 {
	f := m.Config.OutputChannels()
	index := make([]int32, len(output)/f)
	if m.Config.Decoder.OrderedClasses {
		arc := m.Config.Arc()
		for i := range index {
			index[i] = arc.Nearest(output[2*i], output[2*i+1])
		}
		return index
	}
	simd.ArgMax(index, output, len(index), f)
	return index
}

// chunk is the number of images that run at a time.
const chunk = 32

// Encode returns the codes of images, [N, h, w]. It fails for images that do not
// fit the model, and for vae, which has no codes.
func (m *Model) Encode(s Set) ([]uint16, error) {
	if !m.Config.Codes() {
		return nil, fmt.Errorf("image: a %s has no codes", m.Config.Quantizer.Kind)
	}
	if err := s.Check(m.Config); err != nil {
		return nil, err
	}
	var codes []uint16
	for from := 0; from < s.N; from += chunk {
		r := m.quantize(newBatch(s.Slice(from, min(from+chunk, s.N)), m.Config.Labels()))
		codes = append(codes, r.Codes...)
	}
	return codes, nil
}

// Decode returns the images of codes [N, h, w], each less than K. It panics if
// they are not a multiple of h*w.
func (m *Model) Decode(codes []uint16) Set {
	vectors := make([]float32, len(codes)*m.Codebook.Dim)
	m.Codebook.Lookup(vectors, codes)
	return m.DecodeLatents(vectors)
}

// DecodeLatents returns the images of latents [N, h, w, D], such as code vectors
// or what lies between them. It panics if they are not a multiple of h*w*D.
func (m *Model) DecodeLatents(latents []float32) Set {
	c := m.Config
	size := c.Grid() * c.Grid() * c.Dim()
	if len(latents)%size != 0 {
		panic(fmt.Sprintf("image: %d latent values, want a multiple of %d", len(latents), size))
	}
	n := len(latents) / size
	out := m.images(nil, 0)
	for from := 0; from < n; from += chunk {
		to := min(from+chunk, n)
		part := m.images(m.output(latents[from*size:to*size], to-from), to-from)
		out.Images, out.N = append(out.Images, part.Images...), to
	}
	return out
}
