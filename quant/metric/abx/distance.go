package abx

import (
	"math"

	"vqspeech/internal/simd"
	"vqspeech/quant/metric"
)

// A space gives the distances of segments.
type space struct {
	segments []*Segment
	config   Config
	symbols  [][]int32 // of every segment, where distances depend on them only
	table    []float64 // distances of two symbols [types, types]
	types    int
	prepared []prepared // of every segment, where there is no table
}

// prepared is what the distances of a segment's frames need again and again.
type prepared struct {
	frames  []float32
	squares []float64 // [N] of norms
	p, logP []float64 // [N, D] distributions and their logarithms
	entropy []float64 // [N], Σ p ln p
}

// tableTypes bounds the table of distances to what stays in caches.
const tableTypes = 1024

// newSpace prepares segments. Frames that repeat, as code vectors do, are
// numbered, and the distances of the different ones computed once.
func newSpace(segments []*Segment, c Config) *space {
	s := &space{segments: segments, config: c}
	if c.Distance.Symbolic() {
		s.symbols = symbolsOf(segments)
		return s
	}
	s.prepared = make([]prepared, len(segments))
	if vectors, symbols, ok := codebookOf(segments); ok {
		s.symbols, s.types = symbols, len(vectors)
		s.table = make([]float64, s.types*s.types)
		whole := &Segment{Dim: segments[0].Dim}
		for _, v := range vectors {
			whole.Frames = append(whole.Frames, v...)
		}
		p := prepare(whole, c.Distance)
		simd.Parallel(s.types, 1, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				s.distances(s.table[i*s.types:][:s.types], &p, i, &p, whole.Dim)
			}
		})
		return s
	}
	simd.Parallel(len(segments), 1, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			s.prepared[i] = prepare(segments[i], c.Distance)
		}
	})
	return s
}

// alike reports whether there is only one symbol.
func (s *space) alike() bool {
	first := int32(-1)
	for _, symbols := range s.symbols {
		for _, v := range symbols {
			if first < 0 {
				first = v
			}
			if v != first {
				return false
			}
		}
	}
	return first >= 0
}

// codebookOf returns the different frames of segments, if they are few.
func codebookOf(segments []*Segment) (vectors [][]float32, symbols [][]int32, ok bool) {
	var types metric.Types
	frames := 0
	for _, s := range segments {
		frames += s.len()
		numbers := types.Number(s.Frames, s.Dim)
		if types.Len() > tableTypes {
			return nil, nil, false
		}
		for i, n := range numbers {
			if int(n) == len(vectors) {
				vectors = append(vectors, s.Frames[i*s.Dim:][:s.Dim])
			}
		}
		symbols = append(symbols, numbers)
	}
	return vectors, symbols, frames > 0 && 2*types.Len() <= frames
}

func prepare(s *Segment, d Distance) prepared {
	n, dim := s.len(), s.Dim
	if d == KL {
		return distributions(s.Frames, n, dim)
	}
	p := prepared{frames: s.Frames, squares: make([]float64, n)}
	for i := range p.squares {
		p.squares[i] = simd.SumSquares(s.Frames[i*dim:][:dim])
	}
	return p
}

// machineEps is the distance of 1 to the next float64.
const machineEps = 0x1p-52

// distributions divides frames by their sums, adds the eps of float64 and divides
// again (ABXpy).
func distributions(frames []float32, n, dim int) prepared {
	d := prepared{p: make([]float64, n*dim), logP: make([]float64, n*dim), entropy: make([]float64, n)}
	for i := range n {
		p, logP := d.p[i*dim:][:dim], d.logP[i*dim:][:dim]
		for j, v := range frames[i*dim:][:dim] {
			p[j] = float64(v)
		}
		divide(p)
		for j := range p {
			p[j] += machineEps
		}
		divide(p)
		for j, v := range p {
			logP[j] = math.Log(v)
		}
		d.entropy[i] = product(p, logP)
	}
	return d
}

func divide(p []float64) {
	sum := 0.0
	for _, v := range p {
		sum += v
	}
	for j := range p {
		p[j] /= sum
	}
}

// product returns Σ x y, always summed in the same order.
func product(x, y []float64) float64 {
	y = y[:len(x)]
	var a, b, c, d float64
	for len(x) >= 4 {
		a += x[0] * y[0]
		b += x[1] * y[1]
		c += x[2] * y[2]
		d += x[3] * y[3]
		x, y = x[4:], y[4:]
	}
	for i, v := range x {
		a += v * y[i]
	}
	return (a + b) + (c + d)
}

// distances sets dst to the distances of frame i of x and all frames of y. They
// are symmetric and exactly 0 for equal frames.
func (s *space) distances(dst []float64, x *prepared, i int, y *prepared, dim int) {
	if s.config.Distance == KL {
		p, logP := x.p[i*dim:][:dim], x.logP[i*dim:][:dim]
		for j := range dst {
			q, logQ := y.p[j*dim:][:dim], y.logP[j*dim:][:dim]
			dst[j] = max(0, 0.5*((x.entropy[i]+y.entropy[j])-(product(p, logQ)+product(q, logP))))
		}
		return
	}
	frame, square := x.frames[i*dim:][:dim], x.squares[i]
	simd.Dots(dst, frame, y.frames)
	switch {
	case s.config.Distance == Cosine:
		for j, dot := range dst {
			dst[j] = angle(cosine(dot, square, y.squares[j]))
		}
	case s.config.Style == Style2021:
		for j, dot := range dst {
			if (square == 0) != (y.squares[j] == 0) {
				dst[j] = 2
			} else {
				dst[j] = math.Sqrt(2 - 2*cosine(dot, square, y.squares[j]))
			}
		}
	default:
		for j, dot := range dst {
			dst[j] = math.Sqrt(max(0, (square+y.squares[j])-2*dot))
		}
	}
}

// cosine returns that of two frames from their product and squared norms: exactly
// 1 for equal ones. Against a frame of zeros it is -1, between two 1.
func cosine(dot, xx, yy float64) float64 {
	if xx == 0 || yy == 0 {
		if xx == yy {
			return 1
		}
		return -1
	}
	return min(1, max(-1, dot/math.Sqrt(xx*yy)))
}

// angle returns arccos(c)/π.
func angle(c float64) float64 { return math.Acos(c) / math.Pi }

// between returns the distances of segments x and y: with x as the rows, and with
// y.
func (s *space) between(a *aligner, x, y int) (rowsX, rowsY float64) {
	n, m := s.segments[x].len(), s.segments[y].len()
	if s.config.Distance == Edit {
		d := float64(a.edit(s.symbols[x], s.symbols[y]))
		return d, d
	}
	var row func(dst []float64, i int)
	switch {
	case s.table != nil:
		row = func(dst []float64, i int) {
			line := s.table[int(s.symbols[x][i])*s.types:][:s.types]
			for j, v := range s.symbols[y] {
				dst[j] = line[v]
			}
		}
	case s.symbols != nil:
		row = func(dst []float64, i int) {
			symbol := s.symbols[x][i]
			for j, v := range s.symbols[y] {
				if dst[j] = 1; v == symbol {
					dst[j] = 0
				}
			}
		}
	default:
		p, q := &s.prepared[x], &s.prepared[y]
		row = func(dst []float64, i int) { s.distances(dst, p, i, q, s.segments[x].Dim) }
	}
	cost, length := a.warp(n, m, row)
	if s.config.Unnormalised {
		return cost, cost
	}
	return cost / float64(length.rowsX), cost / float64(length.rowsY)
}
