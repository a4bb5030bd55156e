package graph

import (
	"math"

	G "gorgonia.org/gorgonia"

	"vqspeech/internal/simd"
)

// ExpPlus computes exp(x) + c.
func ExpPlus(x *G.Node, c float64) *G.Node {
	shape := x.Shape()
	return apply("exp plus", shape, func(y []float32, in []G.Value) {
		for i, v := range floats(in[0]) {
			y[i] = float32(math.Exp(float64(v)) + c)
		}
	}, []bool{true}, func(in G.Nodes, _, grad *G.Node, _ []bool) G.Nodes {
		return G.Nodes{apply("exp plus/d", shape, func(dx []float32, v []G.Value) {
			g := floats(v[1])
			for i, x := range floats(v[0]) {
				dx[i] = float32(math.Exp(float64(x))) * g[i]
			}
		}, nil, nil, in[0], grad)}
	}, x)
}

// Reciprocal turns a variance into a precision: w = 1/max(v, simd.VarianceFloor).
func Reciprocal(v *G.Node) *G.Node {
	shape := v.Shape()
	return apply("reciprocal", shape, func(w []float32, in []G.Value) {
		for i, v := range floats(in[0]) {
			w[i] = 1 / max(v, simd.VarianceFloor)
		}
	}, []bool{true}, func(in G.Nodes, out, grad *G.Node, _ []bool) G.Nodes {
		return G.Nodes{apply("reciprocal/d", shape, func(dv []float32, v []G.Value) {
			w, g := floats(v[1]), floats(v[2])
			for i, x := range floats(v[0]) {
				dv[i] = 0
				if x >= simd.VarianceFloor {
					dv[i] = -w[i] * w[i] * g[i]
				}
			}
		}, nil, nil, in[0], out, grad)}
	}, v)
}

// MeanChannels averages the channels of every latent.
//
//	x [..., C] → [..., 1]
func MeanChannels(x *G.Node) *G.Node {
	n, _ := rows(x.Shape())
	return means("mean channels", x, n)
}

// MeanSample averages a whole sample of the batch, the same for every latent.
//
//	x [B, ..., C] → [B, ..., 1]
func MeanSample(x *G.Node) *G.Node { return means("mean sample", x, x.Shape()[0]) }

// means splits x into equal groups of whole rows and gives every row the mean
// of its group.
func means(name string, x *G.Node, groups int) *G.Node {
	n, c := rows(x.Shape())
	shape := x.Shape()
	shape[len(shape)-1] = 1
	perGroup := n / groups
	return apply(name, shape, func(y []float32, in []G.Value) {
		src := floats(in[0])
		for i := range groups {
			from, to := i*perGroup, (i+1)*perGroup
			m := float32(total(src[from*c:to*c]) / float64(perGroup*c))
			for r := from; r < to; r++ {
				y[r] = m
			}
		}
	}, []bool{true}, func(_ G.Nodes, _, grad *G.Node, _ []bool) G.Nodes {
		return G.Nodes{apply(name+"/d", x.Shape(), func(dx []float32, v []G.Value) {
			g := floats(v[0])
			for i := range groups {
				from, to := i*perGroup, (i+1)*perGroup
				d := float32(total(g[from:to]) / float64(perGroup*c))
				for j := from * c; j < to*c; j++ {
					dx[j] = d
				}
			}
		}, nil, nil, grad)}
	}, x)
}
