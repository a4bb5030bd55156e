package simd

// GRU is one direction of one gated recurrent layer (Cho et al. 2014, in
// PyTorch's form), gates in the order r, z, n:
//
//	r = sigmoid(W_ir x + b_ir + W_hr h + b_hr)
//	z = sigmoid(W_iz x + b_iz + W_hz h + b_hz)
//	n = tanh(W_in x + b_in + r*(W_hn h + b_hn))
//	h' = (1-z) n + z h
type GRU struct {
	In, Hidden int
	Reverse    bool // runs from the last frame to the first
}

// GRUWeights are WIH [In, 3H], WHH [H, 3H], BIH [3H], BHH [3H] float32.
type GRUWeights struct{ WIH, WHH, BIH, BHH []float32 }

// GRUTape is what Forward keeps for Backward.
type GRUTape struct {
	gates  []float32 // [B, T, 3H] r, z, n after their non-linearities
	hidden []float32 // [B, T, H] W_hn h + b_hn
	prev   []float32 // [B, T, H] state before each frame
	packed Packed    // recurrent weights of the pass under way
}

// Forward computes y, starting from h0 (nil: zeros).
//
//	x [B, T, In], h0 [B, H], y [B, T, H] float32
//
// tape may be nil when no Backward follows.
func (g GRU) Forward(y, x, h0 []float32, w GRUWeights, b, t int, tape *GRUTape) {
	h := g.Hidden
	checkLen("GRU y", len(y), b*t*h)
	checkLen("GRU x", len(x), b*t*g.In)
	gi := Borrow(b * t * 3 * h)
	defer Return(gi)
	Gemm(false, false, b*t, 3*h, g.In, x, g.In, w.WIH, 3*h, gi, 3*h, false)
	AddRows(gi, w.BIH, b*t, 3*h)
	if tape != nil {
		tape.gates = grow(tape.gates, b*t*3*h)
		tape.hidden = grow(tape.hidden, b*t*h)
		tape.prev = grow(tape.prev, b*t*h)
	}
	packed := tape.pack(false, h, 3*h, w.WHH, 3*h)
	Parallel(b, gruGrain, func(lo, hi int) {
		state, gh := Borrow((hi-lo)*h), Borrow((hi-lo)*3*h)
		defer Return(state)
		defer Return(gh)
		clear(state)
		if h0 != nil {
			copy(state, h0[lo*h:hi*h])
		}
		for step := range t {
			at := step
			if g.Reverse {
				at = t - 1 - step
			}
			GemmPacked(hi-lo, state, h, packed, gh, 3*h, false)
			for i := lo; i < hi; i++ {
				row := i*t + at
				var keep gruRow
				if tape != nil {
					keep = gruRow{tape.gates[row*3*h : (row+1)*3*h], tape.hidden[row*h : (row+1)*h], tape.prev[row*h : (row+1)*h]}
				}
				s := state[(i-lo)*h : (i-lo+1)*h]
				gruCell(s, gi[row*3*h:(row+1)*3*h], gh[(i-lo)*3*h:(i-lo+1)*3*h], w.BHH, keep)
				copy(y[row*h:(row+1)*h], s)
			}
		}
	})
}

// gruGrain is the number of sequences that a thread takes at least: each block
// runs through time on its own, and its products want a tile of rows.
const gruGrain = 13

// pack packs recurrent weights into the memory of the tape, if there is one.
func (t *GRUTape) pack(transB bool, k, n int, b []float32, ldb int) *Packed {
	if t == nil {
		return PackB(transB, k, n, b, ldb)
	}
	t.packed.Repack(transB, k, n, b, ldb)
	return &t.packed
}

type gruRow struct{ gates, hidden, prev []float32 }

// GRUCell advances one state by one frame: gi [3H] is what the input adds, gh [3H]
// W_hh h, bhh [3H]. gi and gh are overwritten.
func GRUCell(state, gi, gh, bhh []float32) { gruCell(state, gi, gh, bhh, gruRow{}) }

// gruCell advances one state by one frame. gi and gh are overwritten.
func gruCell(state, gi, gh, bhh []float32, keep gruRow) {
	h := len(state)
	add(gh, bhh)
	add(gi[:2*h], gh[:2*h])
	Sigmoid(gi[:2*h], gi[:2*h])
	r, z, n := gi[:h], gi[h:2*h], gi[2*h:3*h]
	hn := gh[2*h : 3*h]
	mulAdd(n, r, hn)
	Tanh(n, n)
	if keep.gates != nil {
		copy(keep.gates, gi)
		copy(keep.hidden, hn)
		copy(keep.prev, state)
	}
	interpolate(state, z, n)
}

// Backward computes the gradients of Forward.
//
//	dx [B, T, In], dh0 [B, H] (may be nil), dy [B, T, H], x [B, T, In] float32
func (g GRU) Backward(dx, dh0 []float32, dw GRUWeights, dy, x []float32, w GRUWeights, b, t int, tape *GRUTape) {
	h := g.Hidden
	dgi, dgh := Borrow(b*t*3*h), Borrow(b*t*3*h) // [B, T, 3H]
	defer Return(dgi)
	defer Return(dgh)
	packed := tape.pack(true, 3*h, h, w.WHH, 3*h)
	Parallel(b, gruGrain, func(lo, hi int) {
		carry := Borrow((hi - lo) * h) // dLoss/dh of the frame after
		defer Return(carry)
		clear(carry)
		for step := range t {
			at := t - 1 - step
			if g.Reverse {
				at = step
			}
			for i := lo; i < hi; i++ {
				row := i*t + at
				gruGrad(dgi[row*3*h:], dgh[row*3*h:], carry[(i-lo)*h:(i-lo+1)*h],
					tape.gates[row*3*h:], tape.hidden[row*h:], tape.prev[row*h:], dy[row*h:])
			}
			GemmPacked(hi-lo, dgh[(lo*t+at)*3*h:], t*3*h, packed, carry, h, true)
		}
		if dh0 != nil {
			copy(dh0[lo*h:hi*h], carry)
		}
	})
	n := b * t
	Gemm(false, true, n, g.In, 3*h, dgi, 3*h, w.WIH, 3*h, dx, g.In, false)
	Gemm(true, false, g.In, 3*h, n, x, g.In, dgi, 3*h, dw.WIH, 3*h, false)
	Gemm(true, false, h, 3*h, n, tape.prev, h, dgh, 3*h, dw.WHH, 3*h, false)
	SumRows(dw.BIH, dgi, n, 3*h)
	SumRows(dw.BHH, dgh, n, 3*h)
}

// grow returns a slice of n floats, reusing buf where it is large enough.
func grow(buf []float32, n int) []float32 {
	if cap(buf) < n {
		return make([]float32, n)
	}
	return buf[:n]
}
