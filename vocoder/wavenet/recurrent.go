package wavenet

import (
	"vqspeech/internal/simd"
	"vqspeech/model"
)

// recurrent is one layer of gated recurrent units (Cho et al. 2014) over input,
// conditioning vector and speaker vector side by side. Its contexts are the part
// of the gate inputs that the last two make, 3H columns; the part of the input
// is a sum of rows, because tables times a matrix are tables again. So only the
// state is multiplied for every sample.
type recurrent struct {
	hidden int
	weight product   // [H, 3H], of the state
	bias   []float32 // [3H], of that product
}

func newRecurrent(cfg Config, w model.Weights, pack packing) (*recurrent, terms) {
	h, r, c := cfg.GRU, cfg.Residual, cfg.Residual+cfg.CondChannels
	ih := w["gru.ih.weight"] // [R+C+G, 3H]
	var t terms
	for _, name := range cfg.inputTables() {
		y := make([]float32, Levels*3*h)
		simd.Gemm(false, false, Levels, 3*h, r, w[name+".weight"], r, ih, 3*h, y, 3*h, false)
		t.inputs = append(t.inputs, y)
	}
	t.contextMap = simd.PackB(false, cfg.CondChannels, 3*h, ih[r*3*h:], 3*h)
	t.speakerMap, t.contextBias = ih[c*3*h:], w["gru.ih.bias"]
	return &recurrent{h, pack(h, 3*h, w["gru.hh.weight"]), w["gru.hh.bias"]}, t
}

// widths are those of the gate inputs and of the state times its matrix, 3H
// each, and of the state, H.
func (r *recurrent) widths() []int { return []int{3 * r.hidden, 3 * r.hidden, r.hidden} }

func (r *recurrent) state() state { return state{values: make([]float32, r.hidden)} }

// step returns the new states.
func (r *recurrent) step(g *Generator, ws *workspace, streams []*Stream) ([]float32, int) {
	n, h := len(streams), r.hidden
	gates, recur, states := ws.buffers[0], ws.buffers[1], ws.buffers[2]
	for i, s := range streams {
		x := gates[i*3*h : (i+1)*3*h]
		copy(x, s.contexts[s.context*3*h:])
		g.addInput(x, s)
		copy(states[i*h:(i+1)*h], s.state.values)
	}
	clear(recur[:n*3*h])
	r.weight.add(n, recur, 3*h, states, h, &ws.scratch)
	for i, s := range streams {
		simd.GRUCell(s.state.values, gates[i*3*h:(i+1)*3*h], recur[i*3*h:(i+1)*3*h], r.bias)
		copy(states[i*h:(i+1)*h], s.state.values)
	}
	return states, h
}
