package train

import (
	"fmt"

	G "gorgonia.org/gorgonia"

	"vqspeech/internal/graph"
	"vqspeech/model"
	"vqspeech/model/image/prior"
)

// inputs are the tensors that change at every step. They are the values of the
// graph's input nodes: writing to them sets the next step.
type inputs struct {
	codes   []int32 // [B, H, W], what the network reads and what it predicts
	classes []int32 // [B], empty without classes
}

// fill writes grids of a set.
func (in *inputs) fill(s prior.Set, grids []int) {
	size := len(s.Codes) / s.N
	for i, g := range grids {
		for j, c := range s.Codes[g*size : (g+1)*size] {
			in.codes[i*size+j] = int32(c)
		}
		if in.classes != nil {
			in.classes[i] = int32(s.Classes[g])
		}
	}
}

// network is the training graph of a prior for one batch size.
type network struct {
	in      inputs
	params  G.Nodes // in the order of prior.Config.Params
	machine *graph.Machine

	node map[string]*G.Node // parameters by name

	logits *G.Node // [B, H, W, K]
	nll    *G.Node // [B, H, W], nats
	loss   *G.Node // mean of nll
}

// newNetwork builds the graph on weights w, which training changes in place.
func newNetwork(cfg prior.Config, batch int, w model.Weights) (n *network, err error) {
	defer graph.Recover("train", &err)
	n = &network{node: map[string]*G.Node{}}
	g := G.NewGraph()
	for _, p := range cfg.Params() {
		node := graph.Input(g, p.Name, w[p.Name], p.MemoryShape()...)
		n.node[p.Name] = node
		n.params = append(n.params, node)
	}
	n.in.codes = make([]int32, batch*cfg.Positions())
	codes := graph.Input(g, "codes", n.in.codes, batch, cfg.Height, cfg.Width)
	var classes *G.Node
	if cfg.Net.Classes > 0 {
		n.in.classes = make([]int32, batch)
		classes = graph.Input(g, "classes", n.in.classes, batch)
	}
	x := graph.Embedding(n.node["embedding.weight"], codes) // [B, H, W, F]
	n.logits = n.linear(graph.ReLU(n.linear(n.stacks(cfg, x, classes), "head1")), "head2")
	n.nll = graph.CrossEntropy(n.logits, codes)
	n.loss = graph.Mean(n.nll)
	if n.machine, _, err = graph.Compile(n.loss, n.params); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return n, nil
}

// Close releases the machine.
func (n *network) Close() error { return n.machine.Close() }

// stacks builds the gated layers on embedded codes and returns the output of the
// horizontal stack, [B, H, W, F].
func (n *network) stacks(cfg prior.Config, x, classes *G.Node) *G.Node {
	vertical, horizontal := x, x
	layers := cfg.Layers()
	for i, l := range layers {
		var context *G.Node // [B, 2F]
		if classes != nil {
			context = graph.Embedding(n.node[l.Name+".class_embedding.weight"], classes)
		}
		above := graph.Conv2D(vertical, n.node[l.Name+".vert.weight"], n.node[l.Name+".vert.bias"], l.Vertical)
		left := graph.Conv2D(horizontal, n.node[l.Name+".horiz.weight"], n.node[l.Name+".horiz.bias"], l.Horizontal)
		out := n.linear(graph.Gate(graph.Sum(left, n.linear(above, l.Name+".vert_to_horiz")), context), l.Name+".horiz_out")
		if l.Residual {
			out = graph.Sum(horizontal, out)
		}
		horizontal = out
		if i+1 < len(layers) { // nothing reads the vertical stack's end
			vertical = graph.Gate(above, context)
		}
	}
	return horizontal
}

func (n *network) linear(x *G.Node, name string) *G.Node {
	return graph.Linear(x, n.node[name+".weight"], n.node[name+".bias"])
}

// nats returns the loss of the last step.
func (n *network) nats() float64 { return float64(n.loss.Value().Data().(float32)) }
