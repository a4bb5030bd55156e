// Package train holds the training graph of package wavenet: teacher forcing, the
// likelihood of the codes and all gradients.
//
// [Build] adds the network to a graph whose latents may come from anywhere, an
// encoder among them; [New] makes a graph of its own on given latents, and [Run]
// trains one in a run folder (internal/training), which gets vocoder.safetensors at
// the end.
package train

import (
	"fmt"
	"math"

	G "gorgonia.org/gorgonia"

	"vqspeech/internal/graph"
	"vqspeech/vocoder/wavenet"
)

// Nodes are what Build needs and what it adds, for a batch of B crops of L
// latents or T = L*U samples. Everything but the inputs is filled by Build.
type Nodes struct {
	Latents  *G.Node // [B, L, d], jittered if they are to be
	Speaker  *G.Node // [B] int32
	Previous *G.Node // [B, T] int32, the code before each sample
	Codes    *G.Node // [B, T] int32, the code of each sample

	// With Config.Prediction, [B, T] int32: see lpc.Inputs.
	Signal, Prediction, Period *G.Node

	Cond   *G.Node   // [B, L, C], with learned upsampling [B, T, C]
	Input  *G.Node   // [B, T, R]
	Gates  []*G.Node // of each dilated layer, [B, T, D]
	Layers []*G.Node // outputs of all dilated layers but the last, [B, T, R]
	Skip   *G.Node   // [B, T, S], of the dilated layers
	Hidden *G.Node   // [B, T, H], the states of the recurrent layer
	Logits *G.Node   // [B, T, 256]
	NLL    *G.Node   // [B, T] (nats)
	Mean   *G.Node   // scalar, the mean of NLL (nats per sample)
}

// Build adds the network of cfg to the graph of n.Latents; param holds the nodes
// of its tensors by name, in memory layout. It panics on shapes that do not fit.
//
// A loss on the scale of an evidence lower bound, where the latent terms are
// sums over a crop, is T times the mean: graph.Scale(n.Mean, T).
func Build(cfg wavenet.Config, param map[string]*G.Node, n *Nodes) {
	graph.CheckShape("wavenet latents", n.Latents, -1, -1, cfg.Dim)
	b, l := n.Latents.Shape()[0], n.Latents.Shape()[1]
	t := l * cfg.Upsampling
	graph.CheckShape("wavenet speaker", n.Speaker, b)
	graph.CheckShape("wavenet previous", n.Previous, b, t)
	graph.CheckShape("wavenet codes", n.Codes, b, t)

	n.Cond = conditioning(cfg, param, n.Latents)
	speaker := graph.Embedding(param["speaker.weight"], n.Speaker) // [B, G]
	n.Input = graph.Embedding(param["input.weight"], n.Previous)   // [B, T, R]
	if cfg.Prediction {
		n.Input = graph.Sum(n.Input, graph.Embedding(param["signal.weight"], n.Signal),
			graph.Embedding(param["prediction.weight"], n.Prediction), graph.Embedding(param["period.weight"], n.Period))
	}
	var x *G.Node // what the head sees
	if cfg.GRU > 0 {
		n.Hidden = recurrent(cfg, param, n, speaker)
		x = n.Hidden
	} else {
		dilated(cfg, param, n, speaker)
		x = graph.ReLU(n.Skip)
	}
	h := graph.Linear(x, param["head1.weight"], param["head1.bias"])
	n.Logits = graph.Linear(graph.ReLU(h), param["head2.weight"], param["head2.bias"])
	n.NLL = graph.CrossEntropy(n.Logits, n.Codes)
	n.Mean = graph.Mean(n.NLL)
}

// dilated adds the stack of dilated layers.
func dilated(cfg wavenet.Config, param map[string]*G.Node, n *Nodes, speaker *G.Node) {
	x, residual, skip := n.Input, float32(1), float32(1)
	if cfg.Scaled {
		residual, skip = float32(math.Sqrt(0.5)), float32(math.Sqrt(1/float64(cfg.Layers())))
	}
	var weights, biases G.Nodes
	for i := range cfg.Layers() {
		p := func(name string) *G.Node { return param[fmt.Sprintf("layers.%d.%s", i, name)] }
		context := graph.AddToFrames(graph.Linear(n.Cond, p("cond.weight"), nil), graph.Linear(speaker, p("speaker.weight"), nil))
		z := graph.GatedConv1D(x, p("conv.weight"), p("conv.bias"), context, cfg.Dilated(i))
		n.Gates = append(n.Gates, z)
		weights, biases = append(weights, p("skip.weight")), append(biases, p("skip.bias"))
		if i < cfg.Layers()-1 {
			x = graph.SumLinear(x, G.Nodes{z}, G.Nodes{p("res.weight")}, G.Nodes{p("res.bias")}, residual)
			n.Layers = append(n.Layers, x)
		}
	}
	n.Skip = graph.SumLinear(nil, n.Gates, weights, biases, skip)
}

// recurrent adds the recurrent layer, which sees input, conditioning vector and
// speaker vector side by side, and returns its states.
func recurrent(cfg wavenet.Config, param map[string]*G.Node, n *Nodes, speaker *G.Node) *G.Node {
	cond := n.Cond
	if len(cfg.Strides) == 0 {
		cond = graph.Upsample(cond, cfg.Upsampling)
	}
	x := graph.Concat(graph.Concat(n.Input, cond), speaker) // [B, T, R+C+G]
	return graph.GRU(x, nil, graph.GRUWeights{
		WIH: param["gru.ih.weight"], WHH: param["gru.hh.weight"], BIH: param["gru.ih.bias"], BHH: param["gru.hh.bias"],
	}, false)
}

// conditioning maps latents to conditioning vectors, at the rate of the samples
// only where the upsampling is learned: repeated vectors need not be multiplied
// again.
func conditioning(cfg wavenet.Config, param map[string]*G.Node, latents *G.Node) *G.Node {
	c := graph.Conv1D(latents, param["cond.conv.weight"], param["cond.conv.bias"], cfg.CondConv())
	if cfg.CondReLU {
		c = graph.ReLU(c)
	}
	for i, g := range cfg.UpConvs() {
		name := fmt.Sprintf("cond.up%d.", i)
		c = graph.ConvTranspose1D(c, param[name+"weight"], param[name+"bias"], g)
	}
	return c
}
