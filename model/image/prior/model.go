package prior

import (
	"fmt"
	"math"

	"vqspeech/internal/safetensors"
	"vqspeech/internal/simd"
	"vqspeech/model"
)

// Model is a prior ready to score grids of codes and to draw them. It is safe
// for concurrent use.
type Model struct {
	Config Config

	embedding []float32 // [K, F]
	layers    []layer
	head      [2]linear
}

// layer is a Layer with its weights.
type layer struct {
	Layer
	vert, vertToHoriz, horiz, horizOut linear
	classes                            []float32 // [classes, 2F], nil without
}

// linear is a packed matrix [In, Out] with a bias; a convolution's is
// [Taps*In, Out].
type linear struct {
	weight *simd.Packed
	bias   []float32
}

// apply computes y = x·weight + bias.
//
//	x [n, In], y [n, Out] float32
func (l linear) apply(y, x []float32, n int) {
	out := len(l.bias)
	simd.GemmPacked(n, x, len(x)/n, l.weight, y, out, false)
	simd.AddRows(y, l.bias, n, out)
}

// New builds a prior on weights, which it copies in the layout of the
// instruction set in use. w holds the tensors of cfg.Params(); one that is
// missing or has another size is an error.
func New(cfg Config, w model.Weights) (*Model, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := model.CheckWeights(w, cfg.Params()); err != nil {
		return nil, err
	}
	clone := func(x []float32) []float32 { return append([]float32{}, x...) }
	pack := func(name string) linear {
		weight, bias := w[name+".weight"], w[name+".bias"]
		out := len(bias)
		return linear{simd.PackB(false, len(weight)/out, out, weight, out), clone(bias)}
	}
	m := &Model{Config: cfg, embedding: clone(w["embedding.weight"]), head: [2]linear{pack("head1"), pack("head2")}}
	for _, l := range cfg.Layers() {
		one := layer{
			Layer: l, vert: pack(l.Name + ".vert"), vertToHoriz: pack(l.Name + ".vert_to_horiz"),
			horiz: pack(l.Name + ".horiz"), horizOut: pack(l.Name + ".horiz_out"),
		}
		if cfg.Net.Classes > 0 {
			one.classes = clone(w[l.Name+".class_embedding.weight"])
		}
		m.layers = append(m.layers, one)
	}
	return m, nil
}

// Load reads a prior file or a checkpoint of its training.
func Load(path string) (*Model, error) {
	return safetensors.Load(path, read)
}

func read(f *safetensors.File) (*Model, error) {
	cfg, err := model.ReadConfig[Config](f)
	if err != nil {
		return nil, err
	}
	w, err := model.ReadWeights(f, cfg.Params())
	if err != nil {
		return nil, err
	}
	return New(cfg, w)
}

// Logits returns the log probabilities of the codes at every position, up to a
// constant, [N, H, W, K] float32: those of the position's own code given the
// codes before it in raster order. It fails for grids that do not fit the model.
func (m *Model) Logits(s Set) ([]float32, error) {
	if err := s.Check(m.Config); err != nil {
		return nil, err
	}
	logits := make([]float32, len(s.Codes)*m.Config.CodebookSize)
	m.each(s, func(part Set, at int) {
		m.forward(logits[at*m.Config.CodebookSize:][:len(part.Codes)*m.Config.CodebookSize], part)
	})
	return logits, nil
}

// chunk is the number of grids that run at a time.
const chunk = 32

// each cuts a set into parts and tells f the first code of each.
func (m *Model) each(s Set, f func(part Set, at int)) {
	for from := 0; from < s.N; from += chunk {
		f(s.Slice(from, min(from+chunk, s.N)), from*m.Config.Positions())
	}
}

// context returns the class embeddings [B, 2F] of a layer, nil without classes.
func (l *layer) context(classes []uint8) []float32 {
	var c []float32
	if l.classes != nil {
		size := len(l.vert.bias)
		for _, k := range classes {
			c = append(c, l.classes[int(k)*size:][:size]...)
		}
	}
	return c
}

// embed writes the embeddings of codes.
//
//	dst [n, F] float32, codes [n]
func (m *Model) embed(dst []float32, codes []uint16) {
	f := m.Config.Net.Channels
	for i, c := range codes {
		copy(dst[i*f:(i+1)*f], m.embedding[int(c)*f:])
	}
}

// forward computes the logits [B, H, W, K] of whole grids.
func (m *Model) forward(logits []float32, s Set) {
	c := m.Config
	n, f := len(s.Codes), c.Net.Channels
	var borrowed [][]float32
	borrow := func(size int) []float32 {
		x := simd.Borrow(n * size)
		borrowed = append(borrowed, x)
		return x
	}
	defer func() {
		for _, x := range borrowed {
			simd.Return(x)
		}
	}()
	vertical, horizontal, out := borrow(f), borrow(f), borrow(f)
	a, p, b := borrow(2*f), borrow(2*f), borrow(2*f)
	m.embed(vertical, s.Codes)
	copy(horizontal, vertical)
	for i := range m.layers {
		l := &m.layers[i]
		context := l.context(s.Classes)
		l.Vertical.ForwardPacked(a, vertical, l.vert.weight, l.vert.bias, s.N, c.Height, c.Width)
		l.vertToHoriz.apply(p, a, n)
		if i+1 < len(m.layers) {
			simd.Gate(vertical, a, context, n, f, c.Positions())
		}
		l.Horizontal.ForwardPacked(b, horizontal, l.horiz.weight, l.horiz.bias, s.N, c.Height, c.Width)
		simd.Sum(b, [][]float32{b, p})
		gated := a[:n*f]
		simd.Gate(gated, b, context, n, f, c.Positions())
		l.horizOut.apply(out, gated, n)
		if l.Residual {
			simd.Sum(horizontal, [][]float32{horizontal, out})
		} else {
			copy(horizontal, out)
		}
	}
	hidden := borrow(c.Net.Head)
	m.head[0].apply(hidden, horizontal, n)
	simd.ReLU(hidden, hidden)
	m.head[1].apply(logits, hidden, n)
}

// Evaluation is how well a prior predicts a set of grids.
type Evaluation struct {
	Nats float64 `json:"nats_per_code"` // mean negative log-likelihood of a code
	Bits float64 `json:"bits_per_code"` // the same in bits
}

// NewEvaluation returns the scores for a mean negative log-likelihood (nats).
func NewEvaluation(nats float64) Evaluation { return Evaluation{nats, nats / math.Ln2} }

// NLL returns the negative log-likelihood of every grid, [N] (nats). It fails for
// grids that do not fit the model.
func (m *Model) NLL(s Set) ([]float64, error) {
	if err := s.Check(m.Config); err != nil {
		return nil, err
	}
	k, grids := m.Config.CodebookSize, make([]float64, s.N)
	m.each(s, func(part Set, at int) {
		n := len(part.Codes)
		logits, p, nll := simd.Borrow(n*k), simd.Borrow(n*k), simd.Borrow(n)
		defer simd.Return(logits)
		defer simd.Return(p)
		defer simd.Return(nll)
		m.forward(logits, part)
		target := make([]int32, n)
		for i, c := range part.Codes {
			target[i] = int32(c)
		}
		simd.CrossEntropy(nll, p, logits, target, n, k)
		for i, v := range nll {
			grids[(at+i)/m.Config.Positions()] += float64(v)
		}
	})
	return grids, nil
}

// Evaluate measures every code of a set, of which there must be one at least. It
// fails for grids that do not fit the model.
func (m *Model) Evaluate(s Set) (Evaluation, error) {
	grids, err := m.NLL(s)
	if err != nil {
		return Evaluation{}, err
	}
	if s.N == 0 {
		return Evaluation{}, fmt.Errorf("prior: no grids to measure")
	}
	total := 0.0
	for _, v := range grids {
		total += v
	}
	return NewEvaluation(total / float64(len(s.Codes))), nil
}
