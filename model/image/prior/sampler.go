package prior

import (
	"fmt"

	"vqspeech/internal/simd"
)

// Sampler computes the logits of grids position by position, in raster order,
// while their codes become known. It keeps what earlier positions have left
// behind: the vertical stack runs once a row, the horizontal one on the new
// column only. Its logits are those of Model.Logits bit for bit.
type Sampler struct {
	m    *Model
	n    int // grids
	y, x int // next position

	contexts [][]float32 // class embeddings [B, 2F] of the layers, nil without classes
	above    [][]float32 // [B, rows, W, F]: the rows of the vertical stack that each layer's kernel sees
	fromTop  [][]float32 // [B, W, 2F]: what each layer's horizontal stack is told of the rows above
	left     [][]float32 // [B, Before+W, F]: the row of the horizontal stack, zeros in front of it

	row     []float32 // [B, W, F] of the vertical stack, between two layers
	a       []float32 // [B, W, 2F]
	b       []float32 // [B, 2F]
	z       []float32 // [B, F]
	hidden  []float32 // [B, Head]
	logits  []float32 // [B, K]
	scratch simd.RowScratch
}

// NewSampler starts n grids; classes [n] are theirs, nil for a prior that is
// not conditioned on them.
func (m *Model) NewSampler(n int, classes []uint8) (*Sampler, error) {
	if n < 1 {
		return nil, fmt.Errorf("prior: %d grids, want at least 1", n)
	}
	if err := checkClasses(m.Config, classes, n); err != nil {
		return nil, err
	}
	c := m.Config
	f, w := c.Net.Channels, c.Width
	s := &Sampler{
		m: m, n: n, row: make([]float32, n*w*f), a: make([]float32, n*w*2*f), b: make([]float32, n*2*f), z: make([]float32, n*f),
		hidden: make([]float32, n*c.Net.Head), logits: make([]float32, n*c.CodebookSize),
	}
	for i := range m.layers {
		l := &m.layers[i]
		s.contexts = append(s.contexts, l.context(classes))
		s.above = append(s.above, make([]float32, n*l.Vertical.Y.Kernel*w*f))
		s.fromTop = append(s.fromTop, make([]float32, n*w*2*f))
		s.left = append(s.left, make([]float32, n*s.leftWidth(i)*f))
	}
	s.startRow()
	return s, nil
}

// leftWidth is the number of positions in left of a layer.
func (s *Sampler) leftWidth(i int) int { return s.m.layers[i].Horizontal.X.Before + s.m.Config.Width }

// Logits returns the logits of the next position, [B, K] float32, valid until
// the next call. It panics when the grids are complete.
func (s *Sampler) Logits() []float32 {
	if s.y == s.m.Config.Height {
		panic("prior: the grids are complete")
	}
	c := s.m.Config
	f := c.Net.Channels
	for i := range s.m.layers {
		l := &s.m.layers[i]
		width := s.leftWidth(i)
		l.horiz.rows(s.b, s.left[i][s.x*f:], width*f, s.n, &s.scratch)
		for g := range s.n {
			b := s.b[g*2*f : (g+1)*2*f]
			simd.AddRow(b, s.fromTop[i][(g*c.Width+s.x)*2*f:][:2*f])
			if context := s.contexts[i]; context != nil {
				simd.AddRow(b, context[g*2*f:(g+1)*2*f])
			}
			simd.GateRow(s.z[g*f:(g+1)*f], b)
		}
		out := s.b[:s.n*f]
		l.horizOut.rows(out, s.z, f, s.n, &s.scratch)
		for g := range s.n {
			o := out[g*f : (g+1)*f]
			if l.Residual {
				simd.AddRow(o, s.left[i][(g*width+l.Horizontal.X.Before+s.x)*f:][:f])
			}
			if i+1 < len(s.m.layers) {
				next := s.m.layers[i+1].Horizontal.X.Before
				copy(s.left[i+1][(g*s.leftWidth(i+1)+next+s.x)*f:], o)
			}
		}
	}
	s.m.head[0].rows(s.hidden, s.b[:s.n*f], f, s.n, &s.scratch)
	simd.ReLURow(s.hidden, s.hidden)
	s.m.head[1].rows(s.logits, s.hidden, c.Net.Head, s.n, &s.scratch)
	return s.logits
}

// rows is apply on the caller's goroutine; the rows of x are ldx apart.
func (l linear) rows(y, x []float32, ldx, n int, scratch *simd.RowScratch) {
	clear(y)
	out := len(l.bias)
	l.weight.MulRows(n, x, ldx, y, out, scratch)
	for i := range n {
		simd.AddRow(y[i*out:(i+1)*out], l.bias)
	}
}

// startRow runs the vertical stack for the row that begins.
func (s *Sampler) startRow() {
	c := s.m.Config
	f := c.Net.Channels
	for i := range s.m.layers {
		l := &s.m.layers[i]
		switch {
		case i > 0:
			s.lower(i, s.row, c.Width*f)
		case s.y > 0: // the embeddings of the row that has ended
			s.lower(0, s.left[0][l.Horizontal.X.Before*f:], s.leftWidth(0)*f)
		}
		slab := l.Vertical // as high as the kernel: nothing is added above it
		slab.Y.Before, slab.Y.After = 0, 0
		slab.ForwardPacked(s.a, s.above[i], l.vert.weight, l.vert.bias, s.n, slab.Y.Kernel, c.Width)
		l.vertToHoriz.apply(s.fromTop[i], s.a, s.n*c.Width)
		if i+1 < len(s.m.layers) {
			simd.Gate(s.row, s.a, s.contexts[i], s.n*c.Width, f, c.Width)
		}
	}
	for _, x := range s.left {
		clear(x)
	}
}

// lower adds a row [B, W, F] below the rows that a layer's vertical kernel sees;
// the rows of two grids begin stride values apart.
func (s *Sampler) lower(i int, row []float32, stride int) {
	size := s.m.Config.Width * s.m.Config.Net.Channels
	slab := s.m.layers[i].Vertical.Y.Kernel * size
	for g := range s.n {
		rows := s.above[i][g*slab : (g+1)*slab]
		copy(rows, rows[size:])
		copy(rows[slab-size:], row[g*stride:][:size])
	}
}

// Push tells the codes [B] of the next position, after its Logits. It panics on a
// code that is none and when the grids are complete.
func (s *Sampler) Push(codes []uint16) {
	c := s.m.Config
	if s.y == c.Height {
		panic("prior: the grids are complete")
	}
	if len(codes) != s.n {
		panic(fmt.Sprintf("prior: %d codes for %d grids", len(codes), s.n))
	}
	at := s.m.layers[0].Horizontal.X.Before + s.x
	for g := range codes {
		s.m.embed(s.left[0][(g*s.leftWidth(0)+at)*c.Net.Channels:], codes[g:g+1])
	}
	if s.x++; s.x < c.Width {
		return
	}
	if s.x, s.y = 0, s.y+1; s.y < c.Height {
		s.startRow()
	}
}
