package unitprior

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"vqspeech/internal/safetensors"
	"vqspeech/internal/simd"
	"vqspeech/model"
)

// Model is a prior ready to score units and to draw them. It is safe for
// concurrent use.
type Model struct {
	Config Config

	embedding []float32 // [K+1, E]
	gru       simd.GRU
	weights   simd.GRUWeights
	head      *simd.Packed // [H, K+1]
	headBias  []float32

	inputs []float32    // [K+1, 3H]: what every symbol adds to the gates, for drawing
	state  *simd.Packed // [H, 3H]: the state's part of them
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
	e, h, symbols := cfg.Net.Embedding, cfg.Net.Hidden, cfg.Symbols()
	m := &Model{
		Config: cfg, embedding: slices.Clone(w[Embedding]), gru: simd.GRU{In: e, Hidden: h},
		weights: simd.GRUWeights{
			WIH: slices.Clone(w[InputGates]), WHH: slices.Clone(w[StateGates]), BIH: slices.Clone(w[InputBias]), BHH: slices.Clone(w[StateBias]),
		},
		head: simd.PackB(false, h, symbols, w[Head], symbols), headBias: slices.Clone(w[HeadBias]),
		inputs: make([]float32, symbols*3*h), state: simd.PackB(false, h, 3*h, w[StateGates], 3*h),
	}
	simd.Gemm(false, false, symbols, 3*h, e, m.embedding, e, m.weights.WIH, 3*h, m.inputs, 3*h, false)
	simd.AddRows(m.inputs, m.weights.BIH, symbols, 3*h)
	return m, nil
}

// Load reads a prior file or a checkpoint of its training.
func Load(path string) (*Model, error) { return safetensors.Load(path, read) }

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

// Check reports the first unit that is no code of the prior's.
func (c Config) Check(codes []uint16) error {
	for i, k := range codes {
		if int(k) >= c.CodebookSize {
			return fmt.Errorf("unitprior: unit %d is %d, want less than %d", i, k, c.CodebookSize)
		}
	}
	return nil
}

// window is the number of symbols that are scored at a time.
const window = 512

// Surprisal returns -ln p (nats) of every unit of an utterance given those before
// it, and of its end after the last: len(codes)+1 values. It fails for a unit that
// is no code.
func (m *Model) Surprisal(codes []uint16) ([]float32, error) {
	if err := m.Config.Check(codes); err != nil {
		return nil, err
	}
	n := len(codes) + 1
	symbols := make([]int32, n+1) // the end, the units, the end
	symbols[0], symbols[n] = m.Config.End(), m.Config.End()
	for i, k := range codes {
		symbols[i+1] = int32(k)
	}
	e, h, size := m.gru.In, m.gru.Hidden, m.Config.Symbols()
	nats, state := make([]float32, n), make([]float32, h)
	t := min(n, window)
	x, y := simd.Borrow(t*e), simd.Borrow(t*h)
	logits, p := simd.Borrow(t*size), simd.Borrow(t*size)
	defer func() {
		for _, b := range [][]float32{x, y, logits, p} {
			simd.Return(b)
		}
	}()
	for from := 0; from < n; from += window {
		t := min(n-from, window)
		for i, s := range symbols[from : from+t] {
			copy(x[i*e:(i+1)*e], m.embedding[int(s)*e:])
		}
		m.gru.Forward(y[:t*h], x[:t*e], state, m.weights, 1, t, nil)
		copy(state, y[(t-1)*h:t*h])
		simd.GemmPacked(t, y, h, m.head, logits, size, false)
		simd.AddRows(logits[:t*size], m.headBias, t, size)
		simd.CrossEntropy(nats[from:from+t], p[:t*size], logits[:t*size], symbols[from+1:from+1+t], t, size)
	}
	return nats, nil
}

// Evaluation is how well a prior predicts utterances.
type Evaluation struct {
	Nats float64 `json:"nats_per_unit"` // negative log-likelihood of the utterances, their ends included, over the number of units
	Bits float64 `json:"bits_per_unit"` // the same in bits
}

// NewEvaluation returns the scores for a negative log-likelihood (nats) of a number
// of units.
func NewEvaluation(nats float64, units int) Evaluation {
	return Evaluation{nats / float64(units), nats / float64(units) / math.Ln2}
}

// Evaluate measures utterances, which must have one unit at least. It fails for a
// unit that is no code.
func (m *Model) Evaluate(utterances [][]uint16) (Evaluation, error) {
	sums, errs := make([]float64, len(utterances)), make([]error, len(utterances))
	simd.Parallel(len(utterances), 1, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			nats, err := m.Surprisal(utterances[i])
			for _, v := range nats {
				sums[i] += float64(v)
			}
			errs[i] = err
		}
	})
	total, units := 0.0, 0
	for i, u := range utterances {
		total, units = total+sums[i], units+len(u)
	}
	if err := errors.Join(errs...); err != nil {
		return Evaluation{}, err
	}
	if units == 0 {
		return Evaluation{}, errors.New("unitprior: no units to measure")
	}
	return NewEvaluation(total, units), nil
}
