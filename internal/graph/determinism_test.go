package graph_test

import (
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	G "gorgonia.org/gorgonia"

	"vqspeech/internal/graph"
	"vqspeech/internal/graph/graphtest"
	"vqspeech/internal/simd"
)

// layers builds a small model of every layer, wide enough that the kernels
// share their work among threads.
func layers(t *testing.T, r *rand.Rand) (*graphtest.Derivative, G.Nodes) {
	const b, frames, in, c, h, k = 5, 70, 41, 70, 37, 133
	g := G.NewGraph()
	var params G.Nodes
	param := func(name string, shape ...int) *G.Node {
		x := make([]float32, size(shape))
		for i := range x {
			x[i] = 0.2 * float32(r.NormFloat64())
		}
		params = append(params, graphtest.Input(g, name, x, shape...))
		return params[len(params)-1]
	}
	gru := func(name string, in int) graph.GRUWeights {
		return graph.GRUWeights{
			WIH: param(name+"ih", in, 3*h), WHH: param(name+"hh", h, 3*h),
			BIH: param(name+"bi", 3*h), BHH: param(name+"bh", 3*h),
		}
	}
	x := graphtest.Input(g, "x", awayFromZero(r, b*frames*in), b, frames, in)
	conv := simd.Conv1D{In: in, Out: c, Kernel: 3, Stride: 2, Dilation: 1, PadLeft: 1, PadRight: 1}
	y := graph.Conv1D(x, param("conv", 3*in, c), param("bias", c), conv)
	stats := graph.BatchNormStats{Mean: make([]float32, c), Var: make([]float32, c)}
	y = graph.ReLU(graph.BatchNorm(y, param("gamma", c), param("beta", c), stats, 1e-5, 0.1))
	y = graph.BiGRU(y, gru("forward ", c), gru("backward ", c))
	book, s := param("codebook", k, 2*h), param("log variance", 1)
	w := graph.Precision(s)
	a := graph.GaussianLogits(y, w, book)
	u := make([]float32, a.Shape().TotalSize())
	for i := range u {
		u[i] = r.Float32()
	}
	tau := graphtest.Input(g, "tau", []float32{0.5}, 1)
	soft := graph.GumbelSoftmax(a, graphtest.Input(g, "u", u, a.Shape()...), tau)
	q := graph.Linear(soft, book, nil)
	out := graph.Linear(graph.Upsample(q, 2), param("out", 2*h, in), param("out bias", in))
	outputs := G.Nodes{graph.ARELBO(out, x, 1), graph.GaussianRegularizer(y, w, q), graph.NegEntropy(a)}
	d := graphtest.Differentiate(t, outputs, G.Nodes{nil, nil, nil}, params)
	return d, append(outputs, d.Grads...)
}

func bits(nodes G.Nodes) [][]uint32 {
	all := make([][]uint32, len(nodes))
	for i, n := range nodes {
		for _, v := range graphtest.Floats(n) {
			all[i] = append(all[i], math.Float32bits(v))
		}
	}
	return all
}

func TestSameBitsAtEveryRunAndThreadCount(t *testing.T) {
	d, nodes := layers(t, rand.New(rand.NewPCG(3, 4)))
	var want [][]uint32
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, threads := range []int{2, 2, 1, 1, 5} {
		runtime.GOMAXPROCS(threads)
		d.Run(t)
		got := bits(nodes)
		if want == nil {
			want = got
		}
		for i, n := range nodes {
			for j, x := range graphtest.Floats(n) {
				if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
					t.Fatalf("element %d of %v is %v", j, n, x)
				}
				if got[i][j] != want[i][j] {
					t.Fatalf("%d threads: element %d of %v is %x, want %x", threads, j, n, got[i][j], want[i][j])
				}
			}
		}
	}
}
