package graph

import (
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vqspeech/internal/simd"
)

// Channels returns channels [from, to) of x.
//
//	x [..., C] → [..., to-from]
func Channels(x *G.Node, from, to int) *G.Node {
	n, c := rows(x.Shape())
	if from < 0 || to > c || from >= to {
		panic("graph: channels: range outside the channels of x")
	}
	w := to - from
	shape := x.Shape()
	shape[len(shape)-1] = w
	return apply("channels", shape, func(y []float32, in []G.Value) {
		src := floats(in[0])
		for r := range n {
			copy(y[r*w:(r+1)*w], src[r*c+from:])
		}
	}, []bool{true}, func(_ G.Nodes, _, grad *G.Node, _ []bool) G.Nodes {
		return G.Nodes{apply("channels/d", x.Shape(), func(dx []float32, v []G.Value) {
			g := floats(v[0])
			clear(dx)
			for r := range n {
				copy(dx[r*c+from:r*c+to], g[r*w:])
			}
		}, nil, nil, grad)}
	}, x)
}

// Frames returns frames [from, to) of x.
//
//	x [B, T, C] → [B, to-from, C]
func Frames(x *G.Node, from, to int) *G.Node {
	CheckShape("frames", x, -1, -1, -1)
	b, t, c := x.Shape()[0], x.Shape()[1], x.Shape()[2]
	if from < 0 || to > t || from >= to {
		panic("graph: frames: range outside the frames of x")
	}
	w := (to - from) * c
	return apply("frames", tensor.Shape{b, to - from, c}, func(y []float32, in []G.Value) {
		src := floats(in[0])
		for i := range b {
			copy(y[i*w:(i+1)*w], src[(i*t+from)*c:])
		}
	}, []bool{true}, func(_ G.Nodes, _, grad *G.Node, _ []bool) G.Nodes {
		return G.Nodes{apply("frames/d", x.Shape(), func(dx []float32, v []G.Value) {
			g := floats(v[0])
			clear(dx)
			for i := range b {
				copy(dx[(i*t+from)*c:(i*t+to)*c], g[i*w:])
			}
		}, nil, nil, grad)}
	}, x)
}

// Concat joins the channels of x and y.
//
//	x [B, T, C1], y [B, T, C2] → [B, T, C1+C2]
//
// y may also be [B, C2]; it is then repeated over time.
func Concat(x, y *G.Node) *G.Node {
	CheckShape("concat x", x, -1, -1, -1)
	b, t, c1 := x.Shape()[0], x.Shape()[1], x.Shape()[2]
	repeat := 1 // frames per row of y
	if y.Dims() == 2 {
		CheckShape("concat y", y, b, -1)
		repeat = t
	} else {
		CheckShape("concat y", y, b, t, -1)
	}
	_, c2 := rows(y.Shape())
	c := c1 + c2
	return apply("concat", tensor.Shape{b, t, c}, func(out []float32, in []G.Value) {
		u, v := floats(in[0]), floats(in[1])
		for r := range b * t {
			copy(out[r*c:r*c+c1], u[r*c1:])
			copy(out[r*c+c1:(r+1)*c], v[r/repeat*c2:])
		}
	}, []bool{true, true}, func(_ G.Nodes, _, grad *G.Node, _ []bool) G.Nodes {
		return gradients("concat/d", []tensor.Shape{x.Shape(), y.Shape()}, func(out [][]float32, v []G.Value) {
			g := floats(v[0])
			clear(out[1])
			for r := range b * t {
				copy(out[0][r*c1:(r+1)*c1], g[r*c:])
				dst := out[1][r/repeat*c2:][:c2]
				for j, d := range g[r*c+c1 : (r+1)*c] {
					dst[j] += d
				}
			}
		}, grad)
	}, x, y)
}

// Upsample repeats every frame factor times (nearest neighbour).
//
//	x [B, T, C] → [B, factor*T, C]
func Upsample(x *G.Node, factor int) *G.Node {
	CheckShape("upsample", x, -1, -1, -1)
	b, t, c := x.Shape()[0], x.Shape()[1], x.Shape()[2]
	return apply("upsample", tensor.Shape{b, factor * t, c}, func(y []float32, in []G.Value) {
		simd.Upsample(y, floats(in[0]), b*t, c, factor)
	}, []bool{true}, func(_ G.Nodes, _, grad *G.Node, _ []bool) G.Nodes {
		return G.Nodes{apply("upsample/d", x.Shape(), func(dx []float32, v []G.Value) {
			simd.UpsampleBackward(dx, floats(v[0]), b*t, c, factor)
		}, nil, nil, grad)}
	}, x)
}

// Jitter replaces latent t by latent t+offset (Chorowski et al. 2019; offsets
// that leave the sequence are clamped). Gradients flow through the gather.
//
//	x [B, L, D], offset [B, L] int32 → [B, L, D]
func Jitter(x, offset *G.Node) *G.Node {
	CheckShape("jitter", x, -1, -1, -1)
	b, l, c := x.Shape()[0], x.Shape()[1], x.Shape()[2]
	CheckShape("jitter offset", offset, b, l)
	return apply("jitter", x.Shape(), func(y []float32, in []G.Value) {
		simd.Jitter(y, floats(in[0]), ints(in[1]), b, l, c)
	}, []bool{true, false}, func(in G.Nodes, _, grad *G.Node, _ []bool) G.Nodes {
		return G.Nodes{apply("jitter/d", x.Shape(), func(dx []float32, v []G.Value) {
			simd.JitterBackward(dx, floats(v[0]), ints(v[1]), b, l, c)
		}, nil, nil, grad, in[1]), nil}
	}, x, offset)
}

// Embedding looks rows up in a table. Indices may repeat; an index outside the
// table panics.
//
//	table [P, D], index [...] int32 → [..., D]
func Embedding(table, index *G.Node) *G.Node {
	CheckShape("embedding table", table, -1, -1)
	d := table.Shape()[1]
	shape := append(index.Shape(), d)
	return apply("embedding", shape, func(y []float32, in []G.Value) {
		src := floats(in[0])
		for i, row := range ints(in[1]) {
			copy(y[i*d:(i+1)*d], src[int(row)*d:(int(row)+1)*d])
		}
	}, []bool{true, false}, func(in G.Nodes, _, grad *G.Node, _ []bool) G.Nodes {
		return G.Nodes{apply("embedding/d", table.Shape(), func(dt []float32, v []G.Value) {
			g := floats(v[0])
			clear(dt)
			for i, row := range ints(v[1]) {
				dst := dt[int(row)*d:][:d]
				for j, x := range g[i*d : (i+1)*d] {
					dst[j] += x
				}
			}
		}, nil, nil, grad, in[1]), nil}
	}, table, index)
}
