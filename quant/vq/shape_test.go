package vq_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	G "gorgonia.org/gorgonia"

	"vqspeech/internal/graph"
	"vqspeech/internal/graph/graphtest"
	"vqspeech/quant/vq"
)

// TestAnyShape quantises latents of a sequence, an image and a film: all must give
// what N latents in a row give, value by value, and the same gradients.
func TestAnyShape(t *testing.T) {
	const k, d = 5, 3
	rng := rand.New(rand.NewPCG(1, 2))
	z, book := make([]float32, 24*d), make([]float32, k*d)
	for i := range z {
		z[i] = float32(rng.NormFloat64())
	}
	for i := range book {
		book[i] = float32(rng.NormFloat64())
	}
	var first [][]float32
	var codes []int32
	for _, shape := range [][]int{{24, d}, {2, 12, d}, {2, 3, 4, d}, {1, 2, 3, 4, d}} {
		g := G.NewGraph()
		zNode, bookNode := graphtest.Input(g, "z", z, shape...), graphtest.Input(g, "codebook", book, k, d)
		out := vq.Quantize(zNode, bookNode, true)
		grad := graphtest.Differentiate(t, G.Nodes{out.Loss(2, 0.25)}, G.Nodes{nil}, G.Nodes{zNode, bookNode})
		grad.Run(t)
		var got [][]float32
		for _, n := range append(G.Nodes{out.Quantized, out.Commitment, out.Codebook}, grad.Grads...) {
			got = append(got, slices.Clone(graphtest.Floats(n)))
		}
		if !slices.Equal([]int(out.Quantized.Shape()), shape) || !slices.Equal([]int(out.Codes.Shape()), shape[:len(shape)-1]) {
			t.Errorf("latents %v become %v, codes %v", shape, out.Quantized.Shape(), out.Codes.Shape())
		}
		if first == nil {
			first, codes = got, slices.Clone(graphtest.Ints(out.Codes))
			continue
		}
		if !slices.EqualFunc(got, first, slices.Equal[[]float32]) || !slices.Equal(graphtest.Ints(out.Codes), codes) {
			t.Errorf("latents %v give other values than 24 in a row", shape)
		}
	}
}

// TestRouting checks who trains what (van den Oord et al. 2017, eq. 3): the
// reconstruction's gradient passes unchanged to the latents and not to the
// codebook, the commitment loss reaches the latents alone, the codebook loss the
// codebook alone.
func TestRouting(t *testing.T) {
	const n, k, d = 7, 3, 2
	rng := rand.New(rand.NewPCG(3, 4))
	z, book, target := make([]float32, n*d), make([]float32, k*d), make([]float32, n*d)
	for _, x := range [][]float32{z, book, target} {
		for i := range x {
			x[i] = float32(rng.NormFloat64())
		}
	}
	build := func() (z1, book1, target1 *G.Node, out vq.Output) {
		g := G.NewGraph()
		z1, book1 = graphtest.Input(g, "z", z, n, d), graphtest.Input(g, "codebook", book, k, d)
		return z1, book1, graphtest.Input(g, "target", target, n, d), vq.Quantize(z1, book1, true)
	}
	z1, _, target1, out := build()
	grad := graphtest.Differentiate(t, G.Nodes{graph.MSE(out.Quantized, target1)}, G.Nodes{nil}, G.Nodes{z1, out.Quantized})
	grad.Run(t)
	if dz, dq := graphtest.Floats(grad.Grads[0]), graphtest.Floats(grad.Grads[1]); !slices.Equal(dz, dq) || slices.Max(dq) == 0 {
		t.Errorf("the reconstruction's gradient is %v at the latents, %v at the codes", dz, dq)
	}
	z1, book1, target1, out := build()
	for _, c := range []struct {
		name      string
		loss, wrt *G.Node
	}{
		{"reconstruction reaches the codebook", graph.MSE(out.Quantized, target1), book1},
		{"commitment loss reaches the codebook", out.Commitment, book1},
		{"codebook loss reaches the latents", out.Codebook, z1},
	} {
		if _, err := graph.Gradients(G.Nodes{c.loss}, G.Nodes{G.NewConstant(float32(1), G.In(c.loss.Graph()))}, G.Nodes{c.wrt}); err == nil {
			t.Errorf("the %s", c.name)
		}
	}
	for i, loss := range []*G.Node{out.Commitment, out.Codebook} {
		if _, err := graph.Gradients(G.Nodes{loss}, G.Nodes{G.NewConstant(float32(1), G.In(loss.Graph()))}, G.Nodes{[]*G.Node{z1, book1}[i]}); err != nil {
			t.Error(err)
		}
	}
}

// TestEMAFindsCentroids assigns fixed points again and again: the codes end in the
// means of the points nearest to them, a fixed point of k-means.
func TestEMAFindsCentroids(t *testing.T) {
	const n, k, d = 60, 4, 2
	rng := rand.New(rand.NewPCG(5, 6))
	points, book := make([]float32, n*d), make([]float32, k*d)
	for i := range points {
		points[i] = float32(rng.NormFloat64())
	}
	copy(book, points)
	ema := vq.NewEMA(book, k, 0.9, 1e-5, true)
	codes := make([]int32, n)
	assign := func() {
		for i := range codes {
			best := float32(1e9)
			for c := range k {
				x, y := points[i*d]-book[c*d], points[i*d+1]-book[c*d+1]
				if e := x*x + y*y; e < best {
					best, codes[i] = e, int32(c)
				}
			}
		}
	}
	for range 400 {
		assign()
		ema.Update(book, points, codes)
	}
	assign()
	var sum [k * d]float32
	var count [k]float32
	for i, c := range codes {
		count[c]++
		for j := range d {
			sum[int(c)*d+j] += points[i*d+j]
		}
	}
	for i, x := range book {
		if want := sum[i] / count[i/d]; x-want > 1e-3 || want-x > 1e-3 {
			t.Errorf("code %d is at %v, the mean of its points at %g", i/d, x, want)
		}
	}
}
