package train

import (
	"testing"

	G "gorgonia.org/gorgonia"

	"vqspeech/internal/golden"
	"vqspeech/internal/graph"
	"vqspeech/internal/graph/graphtest"
	"vqspeech/model"
	"vqspeech/vocoder/wavenet"
)

// The published GRU vocoder out of the graph's functions.
func TestGoldenGRUVocoder(t *testing.T) {
	f := golden.Open(t, "gru_vocoder.safetensors")
	b, l, hop, d := f.Int("B"), f.Int("L"), f.Int("hop"), f.Int("d")
	n := 2 * l * hop
	g := G.NewGraph()
	param := func(name string) *G.Node {
		s := f.Shape("param." + name)
		if len(s) == 2 && name != "embed.weight" && name != "speaker.weight" {
			p := model.LinearParam(name, s[0], s[1])
			return input(g, name, p.FromFile(f.F32("param."+name)), p.MemoryShape()...)
		}
		return input(g, name, f.F32("param."+name), s...)
	}
	gru := func(name string) graph.GRUWeights {
		return graph.GRUWeights{WIH: param(name[:5] + "weight_ih" + name[5:]), WHH: param(name[:5] + "weight_hh" + name[5:]), BIH: param(name[:5] + "bias_ih" + name[5:]), BHH: param(name[:5] + "bias_hh" + name[5:])}
	}
	var previous, codes []int32
	all := f.I32("in.codes")
	for i := range b {
		previous, codes = append(previous, all[i*(n+1):][:n]...), append(codes, all[i*(n+1)+1:][:n]...)
	}
	x := graph.Upsample(input(g, "q", f.F32("in.q"), b, l, d), 2)
	x = graph.Concat(x, graph.Embedding(param("speaker.weight"), input(g, "speaker", f.I32("in.speaker"), b)))
	x = graph.BiGRU(x, gru("rnn1._l0"), gru("rnn1._l0_reverse"))
	cond := graph.BiGRU(x, gru("rnn1._l1"), gru("rnn1._l1_reverse"))
	x = graph.Concat(graph.Embedding(param("embed.weight"), input(g, "previous", previous, b, n)), graph.Upsample(cond, hop))
	hidden := graph.GRU(x, nil, gru("rnn2._l0"), false)
	logits := graph.Linear(graph.ReLU(graph.Linear(hidden, param("fc1.weight"), param("fc1.bias"))), param("fc2.weight"), param("fc2.bias"))
	nll := graph.CrossEntropy(logits, input(g, "codes", codes, b, n))
	mean := graph.Mean(nll)
	m := G.NewTapeMachine(g)
	defer m.Close()
	if err := m.RunAll(); err != nil {
		t.Fatal(err)
	}
	h := f.Int("H")
	f.Check("out.cond", graphtest.Floats(cond), b, 2*l, 2*f.Int("cond"))
	f.Check("out.hidden", graphtest.Floats(hidden), b, n, h)
	f.Check("out.logits", graphtest.Floats(logits), b, n, wavenet.Levels)
	f.Check("out.nll", graphtest.Floats(nll), b, n)
	f.Check("loss.nats", graphtest.Floats(mean))
}

