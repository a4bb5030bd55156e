package classifier

import (
	"fmt"
	"math"

	G "gorgonia.org/gorgonia"

	"vqspeech/internal/graph"
	"vqspeech/internal/simd"
	"vqspeech/model"
)

// shape fixes the layers.
type shape struct{ side, channels, classes int }

// size is the number of values of an image.
func (s shape) size() int { return s.side * s.side * s.channels }

// layer is a convolution; one over the whole input is a linear map.
type layer struct {
	name string
	conv simd.Conv2D
}

// layers are those that halve the side, the one to the features, the one to the
// classes.
func (s shape) layers() []layer {
	var ls []layer
	side, in, out := s.side, s.channels, 16
	for side > smallest {
		conv := simd.Square(in, out, 4, 2, 1)
		ls = append(ls, layer{fmt.Sprintf("conv%d", len(ls)+1), conv})
		side, _ = conv.OutSize(side, side)
		in, out = out, min(2*out, 64)
	}
	return append(ls, layer{"features", simd.Square(in, Dim, side, 1, 0)}, layer{"classes", simd.Square(Dim, s.classes, 1, 1, 0)})
}

// params lists the trained tensors: weights for ReLU (He et al. 2015), biases as
// PyTorch's.
func (s shape) params() []model.Param {
	var ps []model.Param
	for _, l := range s.layers() {
		fan := l.conv.Taps() * l.conv.In
		ps = append(ps,
			model.Conv2DParam(l.name+".weight", l.conv.Out, l.conv.In, l.conv.Y.Kernel, l.conv.X.Kernel, math.Sqrt(2/float64(fan))),
			model.BiasParam(l.name+".bias", l.conv.Out, fan))
	}
	return ps
}

// network is the graph for batchSize images.
type network struct {
	pixels []float32 // [B, H, W, C], the input of the next run
	labels []int32   // [B, 1, 1], where there is a loss

	params  G.Nodes
	machine *graph.Machine

	features *G.Node // [B, 1, 1, Dim]
	logits   *G.Node // [B, 1, 1, classes]
	loss     *G.Node // mean cross entropy (nats)
}

// newNetwork builds the graph on weights w as far as the logits.
func newNetwork(s shape, w model.Weights) (n *network, err error) {
	defer graph.Recover("classifier", &err)
	n = build(s, w)
	n.machine = graph.NewMachine(n.logits.Graph())
	return n, nil
}

// newTrained builds the graph with the loss. Training changes w in place.
func newTrained(s shape, w model.Weights) (n *network, err error) {
	defer graph.Recover("classifier", &err)
	n = build(s, w)
	n.labels = make([]int32, batchSize)
	n.loss = graph.Mean(graph.CrossEntropy(n.logits, graph.Input(n.logits.Graph(), "labels", n.labels, batchSize, 1, 1)))
	n.machine, _, err = graph.Compile(n.loss, n.params)
	return n, err
}

func build(s shape, w model.Weights) *network {
	g := G.NewGraph()
	n := &network{pixels: make([]float32, batchSize*s.size())}
	node := map[string]*G.Node{}
	for _, p := range s.params() {
		node[p.Name] = graph.Input(g, p.Name, w[p.Name], p.MemoryShape()...)
		n.params = append(n.params, node[p.Name])
	}
	x := graph.Input(g, "pixels", n.pixels, batchSize, s.side, s.side, s.channels)
	for i, l := range s.layers() {
		if i > 0 {
			x = graph.ReLU(x)
		}
		x = graph.Conv2D(x, node[l.name+".weight"], node[l.name+".bias"], l.conv)
		if l.name == "features" {
			n.features = x
		}
	}
	n.logits = x
	return n
}

// run computes the outputs of the images in pixels.
func (n *network) run() error {
	if err := n.machine.Run(); err != nil {
		return fmt.Errorf("classifier: %w", err)
	}
	return nil
}

func values(n *G.Node) []float32 {
	v := n.Value().Data()
	if x, ok := v.(float32); ok {
		return []float32{x}
	}
	return v.([]float32)
}
