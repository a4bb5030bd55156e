package wavenet

import (
	"math"

	"vqspeech/internal/simd"
	"vqspeech/model"
)

// dilated is a stack of gated dilated causal convolutions. Its contexts are the
// gate inputs of all layers, M*2D columns.
type dilated struct {
	cfg      Config
	layers   []layer
	skipBias []float32 // [S], summed over layers
	residual float32   // factor of a layer's output
	scale    float32   // of the skip sum
}

// layer is a layer's part of the work for a sample.
type layer struct {
	dilation int
	conv     product   // [k*R, 2D]
	mix      product   // [D, S+R], skip map and residual map side by side; [D, S] in the last layer
	bias     []float32 // [R], of the residual map; nil in the last layer
}

func newDilated(cfg Config, w model.Weights, pack packing) (*dilated, terms) {
	d := &dilated{cfg: cfg, skipBias: make([]float32, cfg.Skip), residual: 1, scale: 1}
	if cfg.Scaled {
		d.residual, d.scale = float32(math.Sqrt(0.5)), float32(math.Sqrt(1/float64(cfg.Layers())))
	}
	var t terms
	for _, name := range cfg.inputTables() {
		t.inputs = append(t.inputs, w[name+".weight"])
	}
	var cond, speaker [][]float32
	for l := range cfg.Layers() {
		n := layerName(l)
		cond, speaker = append(cond, w[n+"cond.weight"]), append(speaker, w[n+"speaker.weight"])
		t.contextBias = append(t.contextBias, w[n+"conv.bias"]...)
		simd.AddRow(d.skipBias, w[n+"skip.bias"])
		a := layer{
			dilation: cfg.Dilation(l),
			conv:     pack(cfg.Kernel*cfg.Residual, 2*cfg.Gate, w[n+"conv.weight"]),
		}
		if l < cfg.Layers()-1 {
			a.mix = pack(cfg.Gate, cfg.Skip+cfg.Residual, besides(cfg.Gate, w[n+"skip.weight"], w[n+"res.weight"]))
			a.bias = w[n+"res.bias"]
		} else {
			a.mix = pack(cfg.Gate, cfg.Skip, w[n+"skip.weight"])
		}
		d.layers = append(d.layers, a)
	}
	t.speakerMap = besides(cfg.SpeakerDim, speaker...)
	t.contextMap = simd.PackB(false, cfg.CondChannels, t.columns(), besides(cfg.CondChannels, cond...), t.columns())
	return d, t
}

// besides joins matrices of equally many rows side by side.
func besides(rows int, matrices ...[]float32) []float32 {
	var joined []float32
	for r := range rows {
		for _, m := range matrices {
			n := len(m) / rows
			joined = append(joined, m[r*n:(r+1)*n]...)
		}
	}
	return joined
}

// widths are those of the inputs of a convolution, k*R, of the gate inputs, 2D,
// of the gates, D, and of the skip sum and the layer input side by side, S+R.
func (d *dilated) widths() []int {
	c := &d.cfg
	return []int{c.Kernel * c.Residual, 2 * c.Gate, c.Gate, c.Skip + c.Residual}
}

// state returns rings of the last inputs of every layer, layer after layer, and
// in each the place of its next input.
func (d *dilated) state() state {
	frames := 0
	for _, l := range d.layers {
		frames += (d.cfg.Kernel - 1) * l.dilation
	}
	return state{make([]float32, frames*d.cfg.Residual), make([]int, len(d.layers))}
}

// step returns the rectified skip sums.
func (d *dilated) step(g *Generator, ws *workspace, streams []*Stream) ([]float32, int) {
	n, c := len(streams), &d.cfg
	taps, gates, z, sums := ws.buffers[0], ws.buffers[1], ws.buffers[2], ws.buffers[3]
	span, gate, skip, width := c.Kernel*c.Residual, c.Gate, c.Skip, c.Skip+c.Residual
	for i, s := range streams {
		row := sums[i*width : (i+1)*width]
		copy(row, d.skipBias)
		clear(row[skip:])
		g.addInput(row[skip:], s)
	}
	ring := 0
	for l := range d.layers {
		a := &d.layers[l]
		size := (c.Kernel - 1) * a.dilation
		for i, s := range streams {
			x := sums[i*width+skip : (i+1)*width]
			s.state.remember(s.state.values[ring:ring+size*c.Residual], l, a.dilation, taps[i*span:(i+1)*span], x)
			copy(gates[i*2*gate:(i+1)*2*gate], s.contexts[s.context*g.columns()+l*2*gate:])
		}
		ring += size * c.Residual
		a.conv.add(n, gates, 2*gate, taps, span, &ws.scratch)
		for i := range n {
			simd.GateRow(z[i*gate:(i+1)*gate], gates[i*2*gate:(i+1)*2*gate])
		}
		a.mix.add(n, sums, width, z, gate, &ws.scratch)
		if a.bias == nil {
			continue
		}
		for i := range n {
			x := sums[i*width+skip : (i+1)*width]
			simd.AddRow(x, a.bias)
			if d.residual != 1 {
				simd.ScaleRow(x, d.residual)
			}
		}
	}
	for i := range n {
		x := sums[i*width : i*width+skip]
		if d.scale != 1 {
			simd.ScaleRow(x, d.scale)
		}
		simd.ReLURow(x, x)
	}
	return sums, width
}

// remember puts the input x of layer l into its ring, and it and the inputs that
// the other taps of the layer see into taps, the oldest first.
func (s *state) remember(ring []float32, l, dilation int, taps, x []float32) {
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
