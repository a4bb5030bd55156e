package wavenet

import "vqspeech/internal/simd"

// workspace holds the values of one sample of n streams.
type workspace struct {
	taps    []float32 // [n, k*R] inputs of a dilated convolution
	gates   []float32 // [n, 2D]
	z       []float32 // [n, D]
	sums    []float32 // [n, S+R], skip sum and layer input
	hidden  []float32 // [n, post]
	logits  []float32 // [n, 256]
	scratch simd.RowScratch
	sampler sampler
}

func (g *Generator) workspace(n int) *workspace {
	ws, ok := g.workspaces.Get().(*workspace)
	if !ok {
		ws = new(workspace)
	}
	c := g.cfg
	for _, b := range []struct {
		buf  *[]float32
		size int
	}{
		{&ws.taps, max(c.Kernel*c.Residual, c.GRU)}, {&ws.gates, max(2*c.Gate, 3*c.GRU)}, {&ws.z, max(c.Gate, 3*c.GRU)}, {&ws.sums, c.Skip + c.Residual},
		{&ws.hidden, c.Post}, {&ws.logits, Levels},
	} {
		if len(*b.buf) < n*b.size {
			*b.buf = make([]float32, n*b.size)
		}
	}
	return ws
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
	active := make([]*Stream, 0, len(streams))
	for _, s := range streams {
		s.out = s.out[:0]
		active = append(active, s)
	}
	for {
		steps, n := 0, 0
		for _, s := range active {
			if k := s.settled(); k > 0 {
				active[n] = s
				if n++; n == 1 || k < steps {
					steps = k
				}
			}
		}
		if active = active[:n]; n == 0 {
			break
		}
		for range steps {
			g.step(ws, active)
			for i, s := range active {
				s.draw(ws, ws.logits[i*Levels:(i+1)*Levels])
			}
		}
	}
	g.workspaces.Put(ws)
	for i, s := range streams {
		out[i] = s.out
	}
	return out
}

// step computes the logits of the next sample of every stream and moves the
// streams on by it.
func (g *Generator) step(ws *workspace, streams []*Stream) {
	n, c := len(streams), &g.cfg
	if c.GRU > 0 {
		g.stepGRU(ws, streams)
		return
	}
	taps, gate, width := c.Kernel*c.Residual, c.Gate, c.Skip+c.Residual
	for i, s := range streams {
		sums := ws.sums[i*width : (i+1)*width]
		copy(sums, g.skipBias)
		x := sums[c.Skip:]
		copy(x, g.input[s.code*c.Residual:(s.code+1)*c.Residual])
		if s.residual != nil {
			in := s.residual.next(s.context, s.repeats)
			simd.AddRow(x, g.signal[int(in.Signal)*c.Residual:][:c.Residual])
			simd.AddRow(x, g.prediction[int(in.Prediction)*c.Residual:][:c.Residual])
			simd.AddRow(x, g.period[int(in.Period)*c.Residual:][:c.Residual])
		}
	}
	ring := 0
	for l := range g.layers {
		a := &g.layers[l]
		size := (c.Kernel - 1) * a.dilation
		for i, s := range streams {
			x := ws.sums[i*width+c.Skip : (i+1)*width]
			s.remember(s.rings[ring:ring+size*c.Residual], l, a.dilation, ws.taps[i*taps:(i+1)*taps], x)
			copy(ws.gates[i*2*gate:(i+1)*2*gate], s.contexts[s.context*g.columns()+l*2*gate:])
		}
		ring += size * c.Residual
		a.conv.add(n, ws.gates, 2*gate, ws.taps, taps, &ws.scratch)
		for i := range n {
			simd.GateRow(ws.z[i*gate:(i+1)*gate], ws.gates[i*2*gate:(i+1)*2*gate])
		}
		a.mix.add(n, ws.sums, width, ws.z, gate, &ws.scratch)
		if a.bias == nil {
			continue
		}
		for i := range n {
			x := ws.sums[i*width+c.Skip : (i+1)*width]
			simd.AddRow(x, a.bias)
			if g.residual != 1 {
				simd.ScaleRow(x, g.residual)
			}
		}
	}
	g.head(ws, n)
	for _, s := range streams {
		if s.repeats++; s.repeats == g.repeat() {
			s.context, s.repeats = s.context+1, 0
		}
	}
}

// stepGRU is step with a recurrent layer.
func (g *Generator) stepGRU(ws *workspace, streams []*Stream) {
	n, h, post := len(streams), g.cfg.GRU, g.cfg.Post
	for i, s := range streams {
		gi := ws.gates[i*3*h : (i+1)*3*h]
		copy(gi, s.contexts[s.context*3*h:])
		simd.AddRow(gi, g.input[s.code*3*h:][:3*h])
		if s.residual != nil {
			in := s.residual.next(s.context, s.repeats)
			simd.AddRow(gi, g.signal[int(in.Signal)*3*h:][:3*h])
			simd.AddRow(gi, g.prediction[int(in.Prediction)*3*h:][:3*h])
			simd.AddRow(gi, g.period[int(in.Period)*3*h:][:3*h])
		}
		copy(ws.taps[i*h:(i+1)*h], s.rings)
		copy(ws.hidden[i*post:(i+1)*post], g.bias1)
		copy(ws.logits[i*Levels:(i+1)*Levels], g.bias2)
	}
	clear(ws.z[:n*3*h])
	g.recurrent.add(n, ws.z, 3*h, ws.taps, h, &ws.scratch)
	for i, s := range streams {
		simd.GRUCell(s.rings, ws.gates[i*3*h:(i+1)*3*h], ws.z[i*3*h:(i+1)*3*h], g.hiddenBias)
		copy(ws.taps[i*h:(i+1)*h], s.rings)
	}
	g.head1.add(n, ws.hidden, post, ws.taps, h, &ws.scratch)
	simd.ReLURow(ws.hidden[:n*post], ws.hidden[:n*post])
	g.head2.add(n, ws.logits, Levels, ws.hidden, post, &ws.scratch)
	for _, s := range streams {
		if s.repeats++; s.repeats == g.repeat() {
			s.context, s.repeats = s.context+1, 0
		}
	}
}

// head turns the skip sums of n streams into logits.
func (g *Generator) head(ws *workspace, n int) {
	skip, post, width := g.cfg.Skip, g.cfg.Post, g.cfg.Skip+g.cfg.Residual
	for i := range n {
		x := ws.sums[i*width : i*width+skip]
		if g.skipScale != 1 {
			simd.ScaleRow(x, g.skipScale)
		}
		simd.ReLURow(x, x)
		copy(ws.hidden[i*post:(i+1)*post], g.bias1)
		copy(ws.logits[i*Levels:(i+1)*Levels], g.bias2)
	}
	g.head1.add(n, ws.hidden, post, ws.sums, width, &ws.scratch)
	simd.ReLURow(ws.hidden[:n*post], ws.hidden[:n*post])
	g.head2.add(n, ws.logits, Levels, ws.hidden, post, &ws.scratch)
}

// remember puts the input x of layer l into its ring, and it and the inputs that
// the other taps of the layer see into taps, the oldest first.
func (s *Stream) remember(ring []float32, l, dilation int, taps, x []float32) {
	r := len(x)
	at := s.position[l] // of the oldest input
	frames := len(ring) / r
	for i := 0; i < len(taps)-r; i += r {
		copy(taps[i:i+r], ring[at*r:])
		if at += dilation; at >= frames {
			at -= frames
		}
	}
	copy(taps[len(taps)-r:], x)
	at = s.position[l]
	copy(ring[at*r:(at+1)*r], x)
	if at++; at == frames {
		at = 0
	}
	s.position[l] = at
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
