package prior

import (
	"fmt"

	G "gorgonia.org/gorgonia"

	"vqspeech/internal/graph"
	"vqspeech/model"
	"vqspeech/model/unitprior"
)

// network is the training graph of a prior for one batch size. read and next are
// the values of the graph's input nodes: writing to them sets the next step.
type network struct {
	read, next []int32 // [B, T], symbols and what follows them

	machine *graph.Machine // its parameters in the order of unitprior.Config.Params

	logits *G.Node // [B, T, K+1]
	loss   *G.Node // mean negative log-likelihood of next (nats)
}

// newNetwork builds the graph on weights w, which training changes in place.
func newNetwork(cfg unitprior.Config, batch, length int, w model.Weights) (n *network, err error) {
	defer graph.Recover("prior", &err)
	n = &network{read: make([]int32, batch*length), next: make([]int32, batch*length)}
	g := G.NewGraph()
	node := map[string]*G.Node{}
	var params G.Nodes
	for _, p := range cfg.Params() {
		node[p.Name] = graph.Input(g, p.Name, w[p.Name], p.MemoryShape()...)
		params = append(params, node[p.Name])
	}
	read := graph.Input(g, "read", n.read, batch, length)
	next := graph.Input(g, "next", n.next, batch, length)
	x := graph.Embedding(node[unitprior.Embedding], read) // [B, T, E]
	states := graph.GRU(x, nil, graph.GRUWeights{
		WIH: node[unitprior.InputGates], WHH: node[unitprior.StateGates], BIH: node[unitprior.InputBias], BHH: node[unitprior.StateBias],
	}, false)
	n.logits = graph.Linear(states, node[unitprior.Head], node[unitprior.HeadBias])
	n.loss = graph.Mean(graph.CrossEntropy(n.logits, next))
	if n.machine, _, err = graph.Compile(n.loss, params); err != nil {
		return nil, fmt.Errorf("prior: %w", err)
	}
	return n, nil
}

// nats returns the loss of the last step.
func (n *network) nats() float64 { return float64(n.loss.Value().Data().(float32)) }

// stream is a set of utterances one after the other, with the end before, between
// and after them.
type stream []int32

func newStream(cfg unitprior.Config, utterances [][]uint16) stream {
	s := stream{cfg.End()}
	for _, u := range utterances {
		for _, k := range u {
			s = append(s, int32(k))
		}
		s = append(s, cfg.End())
	}
	return s
}

// fill writes crops that begin anywhere in the stream, which is longer than one.
func (n *network) fill(s stream, length int, intn func(int) int) {
	for at := 0; at < len(n.read); at += length {
		from := intn(len(s) - length)
		copy(n.read[at:at+length], s[from:])
		copy(n.next[at:at+length], s[from+1:])
	}
}
