package train

import (
	"fmt"

	G "gorgonia.org/gorgonia"

	"vqspeech/internal/graph"
	"vqspeech/model"
	"vqspeech/quant/sq"
	"vqspeech/quant/vq"
)

// batchNormMomentum is PyTorch's default.
const batchNormMomentum = 0.1

// inputs are the tensors that change at every step. They are the values of the
// graph's input nodes: writing to them sets the next step.
type inputs struct {
	mel     []float32 // [B, T, M] features
	speaker []int32   // [B]
	jitter  []int32   // [B, L] offsets
	uniform []float32 // [B, L, K], gaussian kinds; empty for the others
	tau     []float32 // [1], read by the gaussian kinds
}

// speech is the training graph of a speech model for one batch shape.
type speech struct {
	in      inputs
	params  G.Nodes // with gradients, in the order of model.Config.Params
	names   []string
	machine *graph.Machine // after compile

	codebookSize int

	gaussian sq.Output // gaussian kinds
	vq       vq.Output // VQ kinds
	nodes    nodes
}

// nodes are what a step reports and tests compare.
type nodes struct {
	mel                *G.Node
	conv, relu         []*G.Node
	encoded, quantized *G.Node
	jittered           *G.Node
	decoderIn, rnn     *G.Node
	output             *G.Node // [B, T-2, M]
	recon, total       *G.Node
}

// newSpeech builds the graph on weights w, which training changes in place.
func newSpeech(cfg model.Config, tc Config, w model.Weights) (s *speech, err error) {
	defer graph.Recover("train", &err)
	b, t, m := tc.BatchSize, tc.CropFrames, cfg.Features.NMels
	l, k := t/model.Downsampling-1, cfg.Quantizer.CodebookSize
	s = &speech{codebookSize: k}
	g := G.NewGraph()
	s.in = inputs{
		mel: make([]float32, b*t*m), speaker: make([]int32, b), jitter: make([]int32, b*l),
		tau: make([]float32, 1),
	}
	node := map[string]*G.Node{}
	for _, p := range cfg.Params() {
		n := graph.Input(g, p.Name, w[p.Name], p.MemoryShape()...)
		node[p.Name] = n
		if p.Name == "quantizer.codebook" && cfg.Quantizer.Kind == model.VQEMA {
			continue // moved by its averages, not by a gradient
		}
		s.params, s.names = append(s.params, n), append(s.names, p.Name)
	}
	s.nodes.mel = graph.Input(g, "mel", s.in.mel, b, t, m)
	speaker := graph.Input(g, "speaker", s.in.speaker, b)
	jitter := graph.Input(g, "jitter", s.in.jitter, b, l)

	s.encode(cfg, node, w)
	var latent *G.Node
	if cfg.Quantizer.Kind.Gaussian() {
		s.in.uniform = make([]float32, b*l*k)
		s.gaussian = sq.Gaussian(variances[cfg.Quantizer.Kind], sq.Inputs{
			Encoded: s.nodes.encoded, LogVar: node["quantizer.log_var_scalar"], Codebook: node["quantizer.codebook"],
			Uniform: graph.Input(g, "uniform", s.in.uniform, b, l, k), Tau: graph.Input(g, "tau", s.in.tau, 1),
		})
		s.nodes.quantized = s.gaussian.Quantized
		latent = graph.Sum(s.gaussian.Regularizer, s.gaussian.NegEntropy)
	} else {
		s.vq = vq.Quantize(s.nodes.encoded, node["quantizer.codebook"], cfg.Quantizer.Kind == model.VQ)
		s.nodes.quantized = s.vq.Quantized
		scale := 1.0
		if tc.Recon == "arelbo" { // a sum over a crop: so are the others
			scale = float64(l * cfg.Quantizer.CodebookDim)
		}
		latent = s.vq.Loss(scale, cfg.Quantizer.CommitmentWeight)
	}
	s.nodes.jittered = graph.Jitter(s.nodes.quantized, jitter)
	s.decode(node, speaker)

	target := graph.Frames(s.nodes.mel, 1, t-1)
	if tc.Recon == "arelbo" {
		s.nodes.recon = graph.ARELBO(s.nodes.output, target, 1)
	} else {
		s.nodes.recon = graph.MSE(s.nodes.output, target)
	}
	s.nodes.total = graph.Sum(s.nodes.recon, latent)
	return s, nil
}

var variances = map[model.QuantizerKind]sq.Variance{
	model.Gaussian1: sq.Shared, model.Gaussian3: sq.PerLatent, model.Gaussian4: sq.PerDimension,
}

// compile differentiates the total loss and builds the machine. It returns the
// gradients of further nodes, if asked for.
func (s *speech) compile(further ...*G.Node) (grads G.Nodes, err error) {
	if s.machine, grads, err = graph.Compile(s.nodes.total, s.params, further...); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return grads, nil
}

// encode builds the encoder: five convolutions, each with batch norm and ReLU,
// and a pointwise one (sony/sqvae speech).
func (s *speech) encode(cfg model.Config, node map[string]*G.Node, w model.Weights) {
	x := s.nodes.mel
	for i, geometry := range cfg.EncoderConvs() {
		bn := fmt.Sprintf("encoder.bn%d.", i+1)
		x = graph.Conv1D(x, node[fmt.Sprintf("encoder.conv%d.weight", i+1)], nil, geometry)
		s.nodes.conv = append(s.nodes.conv, x)
		stats := graph.BatchNormStats{Mean: w[bn+"running_mean"], Var: w[bn+"running_var"]}
		x = graph.BatchNormReLU(x, node[bn+"weight"], node[bn+"bias"], stats, model.BatchNormEps, batchNormMomentum)
		s.nodes.relu = append(s.nodes.relu, x)
	}
	s.nodes.encoded = graph.Linear(x, node["encoder.out.weight"], node["encoder.out.bias"])
}

// decode builds the mel decoder (sony/sqvae speech).
func (s *speech) decode(node map[string]*G.Node, speaker *G.Node) {
	x := graph.Upsample(s.nodes.jittered, model.Downsampling)
	x = graph.Concat(x, graph.Embedding(node["decoder.speaker.weight"], speaker))
	s.nodes.decoderIn = x
	for layer := range 2 {
		direction := func(suffix string) graph.GRUWeights {
			name := fmt.Sprintf("_l%d%s", layer, suffix)
			return graph.GRUWeights{
				WIH: node["decoder.rnn.weight_ih"+name], WHH: node["decoder.rnn.weight_hh"+name],
				BIH: node["decoder.rnn.bias_ih"+name], BHH: node["decoder.rnn.bias_hh"+name],
			}
		}
		x = graph.BiGRU(x, direction(""), direction("_reverse"))
	}
	s.nodes.rnn = x
	s.nodes.output = graph.Linear(x, node["decoder.fc.weight"], node["decoder.fc.bias"])
}
