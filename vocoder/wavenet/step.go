package wavenet

import (
	"slices"

	"vqspeech/internal/simd"
)

// workspace holds the values of one sample of n streams.
type workspace struct {
	buffers [][]float32 // of the core, [n, width] each
	hidden  []float32   // [n, post]
	logits  []float32   // [n, 256]
	scratch simd.RowScratch
	sampler sampler
}

func (g *Generator) workspace(n int) *workspace {
	widths := g.core.widths()
	ws, ok := g.workspaces.Get().(*workspace)
	if !ok {
		ws = &workspace{buffers: make([][]float32, len(widths))}
	}
	for i, width := range widths {
		ws.buffers[i] = room(ws.buffers[i], n*width)
	}
	ws.hidden, ws.logits = room(ws.hidden, n*g.cfg.Post), room(ws.logits, n*Levels)
	return ws
}

// room returns buf, or another buffer if it has not room for n values.
func room(buf []float32, n int) []float32 {
	if len(buf) < n {
		return make([]float32, n)
	}
	return buf
}

// advance draws all samples that are settled of streams of one Generator and
// returns them.
func advance(streams []*Stream) [][]float32 {
	out := make([][]float32, len(streams))
	if len(streams) == 0 {
		return out
	}
	g := streams[0].g
	ws := g.workspace(len(streams))
	for _, s := range streams {
		s.out = s.out[:0]
	}
	for active := slices.Clone(streams); len(active) > 0; {
		active = g.draw(ws, active)
	}
	g.workspaces.Put(ws)
	for i, s := range streams {
		out[i] = s.out
	}
	return out
}

// draw keeps, in their order, the streams that have settled samples, and draws
// as many of each as all of them have.
func (g *Generator) draw(ws *workspace, streams []*Stream) []*Stream {
	steps, n := 0, 0
	for _, s := range streams {
		if k := s.settled(); k > 0 {
			streams[n] = s
			if n++; n == 1 || k < steps {
				steps = k
			}
		}
	}
	streams = streams[:n]
	for range steps {
		g.step(ws, streams)
		for i, s := range streams {
			s.draw(ws, ws.logits[i*Levels:(i+1)*Levels])
		}
	}
	return streams
}

// step computes the logits of the next sample of every stream and moves the
// streams on by it.
func (g *Generator) step(ws *workspace, streams []*Stream) {
	n, post := len(streams), g.cfg.Post
	x, ldx := g.core.step(g, ws, streams)
	for i := range n {
		copy(ws.hidden[i*post:(i+1)*post], g.bias1)
		copy(ws.logits[i*Levels:(i+1)*Levels], g.bias2)
	}
	g.head1.add(n, ws.hidden, post, x, ldx, &ws.scratch)
	simd.ReLURow(ws.hidden[:n*post], ws.hidden[:n*post])
	g.head2.add(n, ws.logits, Levels, ws.hidden, post, &ws.scratch)
	for _, s := range streams {
		if s.repeats++; s.repeats == g.repeat() {
			s.context, s.repeats = s.context+1, 0
		}
	}
}

// draw chooses the code of a sample from its logits.
func (s *Stream) draw(ws *workspace, logits []float32) {
	o := s.options
	if s.residual != nil && s.residual.voiced {
		o.Temperature = o.Voiced
	}
	s.take(ws.sampler.draw(logits, o, s.random))
}

// take appends the sample of a code.
func (s *Stream) take(code int) {
	s.code = code
	if s.residual != nil {
		s.out = append(s.out, s.residual.put(uint8(code)))
		return
	}
	s.out = append(s.out, s.g.decoded[code])
}
