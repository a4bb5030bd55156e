package train

import (
	"testing"

	G "gorgonia.org/gorgonia"

	"vqspeech/internal/golden"
	"vqspeech/internal/graph"
	"vqspeech/internal/graph/graphtest"
	"vqspeech/model"
	"vqspeech/vocoder/wavenet"
	"vqspeech/vocoder/wavenet/wavenettest"
)

// The network with a recurrent layer, under the bidirectional layers that make
// the fixture's conditioning vectors, is the published one.
func TestGoldenGRUVocoder(t *testing.T) {
	f := golden.Open(t, wavenettest.GRUFile)
	cfg, w := wavenettest.GoldenGRU(f)
	b, l, d, c := f.Int("B"), f.Int("L"), f.Int("d"), f.Int("cond")
	samples := 2 * l * f.Int("hop")
	g := G.NewGraph()
	type checked struct { // a gradient, with the order of the file
		node   *G.Node
		toFile func([]float32) []float32
	}
	gradients := map[string]checked{}
	same := func(x []float32) []float32 { return x }
	table := func(name string) *G.Node {
		gradients["param."+name] = checked{graph.Input(g, name, f.F32("param."+name), f.Shape("param."+name)...), same}
		return gradients["param."+name].node
	}
	matrix := func(name string) *G.Node {
		p := model.LinearParam(name, f.Shape("param." + name)[0], f.Shape("param." + name)[1])
		gradients["param."+name] = checked{graph.Input(g, name, p.FromFile(f.F32("param."+name)), p.MemoryShape()...), p.ToFile}
		return gradients["param."+name].node
	}
	layer := func(x *G.Node, suffix string) *G.Node {
		weights := func(s string) graph.GRUWeights {
			return graph.GRUWeights{
				WIH: matrix("rnn1.weight_ih" + s), WHH: matrix("rnn1.weight_hh" + s), BIH: table("rnn1.bias_ih" + s), BHH: table("rnn1.bias_hh" + s),
			}
		}
		return graph.BiGRU(x, weights(suffix), weights(suffix+"_reverse"))
	}
	q := graph.Input(g, "q", f.F32("in.q"), b, l, d)
	gradients["in.q"] = checked{q, same}
	x := graph.Concat(graph.Upsample(q, 2), graph.Embedding(table("speaker.weight"), graph.Input(g, "speakers", f.I32("in.speaker"), b)))
	cond := layer(layer(x, "_l0"), "_l1")

	param := map[string]*G.Node{}
	for _, p := range cfg.Trained() {
		param[p.Name] = graph.Input(g, p.Name, w[p.Name], p.MemoryShape()...)
		if name, ok := wavenettest.GRUNames[p.Name]; ok {
			gradients["param."+name] = checked{param[p.Name], p.ToFile}
		}
	}
	// The matrix of the inputs has a further column, of a speaker vector of zero.
	ih := gradients["param.rnn2.weight_ih_l0"]
	gradients["param.rnn2.weight_ih_l0"] = checked{ih.node, func(x []float32) (y []float32) {
		n := cfg.Residual + cfg.CondChannels
		for x = ih.toFile(x); len(x) > 0; x = x[n+1:] {
			y = append(y, x[:n]...)
		}
		return y
	}}
	var previous, codes []int32
	all := f.I32("in.codes")
	for i := range b {
		row := all[i*(samples+1) : (i+1)*(samples+1)]
		previous, codes = append(previous, row[:samples]...), append(codes, row[1:]...)
	}
	n := Nodes{
		Latents: cond, Speaker: graph.Input(g, "speaker", make([]int32, b), b),
		Previous: graph.Input(g, "previous", previous, b, samples), Codes: graph.Input(g, "codes", codes, b, samples),
	}
	Build(cfg, param, &n)

	var names []string
	var wrt G.Nodes
	for name, c := range gradients {
		names, wrt = append(names, name), append(wrt, c.node)
	}
	derivative := graphtest.Differentiate(t, G.Nodes{n.Mean}, G.Nodes{nil}, wrt)
	derivative.Run(t)
	f.Check("out.cond", graphtest.Floats(n.Cond), b, 2*l, 2*c)
	f.Check("out.hidden", graphtest.Floats(n.Hidden), b, samples, cfg.GRU)
	f.Check("out.logits", graphtest.Floats(n.Logits), b, samples, wavenet.Levels)
	f.Check("out.nll", graphtest.Floats(n.NLL), b, samples)
	f.Check("loss.nats", graphtest.Floats(n.Mean))
	for i, name := range names {
		f.Check("grad."+name, gradients[name].toFile(graphtest.Floats(derivative.Grads[i])), f.Shape("grad."+name)...)
	}
	f.RequireAllUsed("gen.*") // see package wavenet
}
