package graph

import (
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vqspeech/internal/simd"
)

// GRUWeights are the parameters of one direction of one layer:
// WIH [In, 3H], WHH [H, 3H], BIH [3H], BHH [3H], gates in the order r, z, n.
type GRUWeights struct{ WIH, WHH, BIH, BHH *G.Node }

// GRU runs one direction of one gated recurrent layer over time.
//
//	x [B, T, In], h0 [B, H] or nil (zeros) → y [B, T, H]
func GRU(x, h0 *G.Node, w GRUWeights, reverse bool) *G.Node {
	CheckShape("gru x", x, -1, -1, -1)
	b, t, c := x.Shape()[0], x.Shape()[1], x.Shape()[2]
	CheckShape("gru w_hh", w.WHH, -1, -1)
	h := w.WHH.Shape()[0]
	CheckShape("gru w_hh", w.WHH, h, 3*h)
	CheckShape("gru w_ih", w.WIH, c, 3*h)
	CheckShape("gru b_ih", w.BIH, 3*h)
	CheckShape("gru b_hh", w.BHH, 3*h)
	g := simd.GRU{In: c, Hidden: h, Reverse: reverse}
	in := []*G.Node{x, w.WIH, w.WHH, w.BIH, w.BHH}
	wrt := []bool{true, true, true, true, true}
	if h0 != nil {
		CheckShape("gru h0", h0, b, h)
		in, wrt = append(in, h0), append(wrt, true)
	}
	weights := func(in []G.Value) simd.GRUWeights {
		return simd.GRUWeights{WIH: floats(in[1]), WHH: floats(in[2]), BIH: floats(in[3]), BHH: floats(in[4])}
	}
	var tape simd.GRUTape
	return apply("gru", tensor.Shape{b, t, h}, func(y []float32, in []G.Value) {
		var start []float32
		if len(in) == 6 {
			start = floats(in[5])
		}
		g.Forward(y, floats(in[0]), start, weights(in), b, t, &tape)
	}, wrt, func(in G.Nodes, out, grad *G.Node, _ []bool) G.Nodes {
		shapes := []tensor.Shape{x.Shape(), {c, 3 * h}, {h, 3 * h}, {3 * h}, {3 * h}}
		if len(in) == 6 {
			shapes = append(shapes, tensor.Shape{b, h})
		}
		return gradients("gru/d", shapes, func(out [][]float32, v []G.Value) {
			var dh0 []float32
			if len(out) == 6 {
				dh0 = out[5]
			}
			dw := simd.GRUWeights{WIH: out[1], WHH: out[2], BIH: out[3], BHH: out[4]}
			g.Backward(out[0], dh0, dw, floats(v[len(v)-1]), floats(v[0]), weights(v), b, t, &tape)
		}, append(append([]*G.Node{}, in[:5]...), grad)...)
	}, in...)
}

// BiGRU runs one layer in both directions and concatenates the results.
//
//	x [B, T, In] → y [B, T, 2H], forward channels first
func BiGRU(x *G.Node, forward, backward GRUWeights) *G.Node {
	return Concat(GRU(x, nil, forward, false), GRU(x, nil, backward, true))
}
