package wavenet

import (
	"fmt"

	"vqspeech/internal/simd"
	"vqspeech/model"
)

// stage is one layer of the conditioning, from latents to conditioning vectors,
// on a sequence that arrives in pieces.
type stage struct {
	geometry     simd.Conv1D
	weight, bias []float32
	transposed   bool
	relu         bool

	in    []float32 // input frames from first on
	first int       // index of the first of them
	next  int       // first input frame whose outputs have not been computed
}

// conditioning returns the stages of a network, all at the start of a sequence.
func conditioning(cfg Config, w model.Weights) []stage {
	stages := []stage{{geometry: cfg.CondConv(), weight: w["cond.conv.weight"], bias: w["cond.conv.bias"], relu: cfg.CondReLU}}
	for i, g := range cfg.UpConvs() {
		name := fmt.Sprintf("cond.up%d.", i)
		stages = append(stages, stage{geometry: g, weight: w[name+"weight"], bias: w[name+"bias"], transposed: true})
	}
	return stages
}

// widths returns the channels of an input and of an output frame.
func (s *stage) widths() (in, out int) {
	if s.transposed {
		return s.geometry.Out, s.geometry.In
	}
	return s.geometry.In, s.geometry.Out
}

// radius is the number of input frames on either side of one that its outputs
// depend on.
func (s *stage) radius() int {
	if s.transposed {
		return (s.geometry.PadLeft + s.geometry.Stride - 1) / s.geometry.Stride
	}
	return s.geometry.PadLeft
}

// push takes the next input frames and appends to dst the output frames that
// are settled; with end, all that are left.
func (s *stage) push(dst, x []float32, end bool) []float32 {
	s.in = append(s.in, x...)
	in, out := s.widths()
	radius := s.radius()
	have := s.first + len(s.in)/in
	limit := have - radius
	if end {
		limit = have
	}
	if limit <= s.next {
		return dst
	}
	// The bits of a frame do not depend on the part of the sequence that is
	// computed with it; what is cut off beyond the radius would be multiplied
	// by no tap.
	lo, hi := max(s.next-radius, s.first), min(limit+radius, have)
	t := hi - lo
	window := s.in[(lo-s.first)*in : (hi-s.first)*in]
	rate := 1
	if s.transposed {
		rate = s.geometry.Stride
	}
	y := simd.Borrow(t * rate * out)
	if s.transposed {
		s.geometry.Transposed(y, window, s.weight, s.bias, 1, t)
	} else {
		s.geometry.Forward(y, window, s.weight, s.bias, 1, t)
	}
	if s.relu {
		simd.ReLURow(y, y)
	}
	dst = append(dst, y[(s.next-lo)*rate*out:(limit-lo)*rate*out]...)
	simd.Return(y)
	s.next = limit
	if keep := max(s.next-radius, 0); keep > s.first {
		s.in = append(s.in[:0], s.in[(keep-s.first)*in:]...)
		s.first = keep
	}
	return dst
}

// conditioner turns the latents of one stream into contexts, a few at a time:
// its memory does not follow the length of the utterance beyond the latents
// that wait.
type conditioner struct {
	stages  []stage
	speaker []float32 // [N], part of every context

	latents []float32 // waiting
	vectors []float32 // [n, C] conditioning vectors waiting
	used    int       // values of latents that have been taken
	taken   int       // values of vectors that have been taken
	ended   bool      // no more latents will come
	drained bool      // and the stages have been told

	between [2][]float32 // outputs of stages
}

// contextRows is the number of contexts computed at a time: enough that the
// weights are read for several, where every sample has its own.
const contextRows = 16

func (c *conditioner) push(latents []float32) {
	c.latents = append(c.latents[:copy(c.latents, c.latents[c.used:])], latents...)
	c.used = 0
}

// next appends the next contexts [n, N] to dst, at most contextRows; none if
// there are none yet.
func (c *conditioner) next(g *Generator, dst []float32) []float32 {
	for c.taken == len(c.vectors) {
		if !c.advance(g.cfg.Dim) {
			return dst
		}
	}
	ch, columns := g.cfg.CondChannels, g.columns()
	n := min(contextRows, (len(c.vectors)-c.taken)/ch)
	rows := len(dst)
	for range n {
		dst = append(dst, c.speaker...)
	}
	simd.GemmPacked(n, c.vectors[c.taken:c.taken+n*ch], ch, g.contextMap, dst[rows:], columns, true)
	c.taken += n * ch
	return dst
}

// advance takes one latent of dim values, or the end, through the stages.
func (c *conditioner) advance(dim int) bool {
	var x []float32
	end := false
	switch {
	case c.used < len(c.latents):
		x = c.latents[c.used : c.used+dim]
		c.used += dim
	case c.ended && !c.drained:
		c.drained, end = true, true
	default:
		return false
	}
	for i := range c.stages {
		buf := &c.between[i%2]
		if i == len(c.stages)-1 {
			c.taken, buf = 0, &c.vectors
		}
		*buf = c.stages[i].push((*buf)[:0], x, end)
		x = *buf
	}
	return true
}
