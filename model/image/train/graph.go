package train

import (
	"fmt"

	G "gorgonia.org/gorgonia"

	"vqspeech/internal/graph"
	"vqspeech/internal/simd"
	"vqspeech/model"
	"vqspeech/model/image"
	"vqspeech/quant/sq"
	"vqspeech/quant/vq"
)

// batchNormMomentum is PyTorch's default.
const batchNormMomentum = 0.1

// inputs are the tensors that change at every step. They are the values of the
// graph's input nodes: writing to them sets the next step. Those that the model
// does not read are empty.
type inputs struct {
	pixels  []float32 // [B, H, W, C] in [0, 1]
	labels  []int32   // [B, H, W] instead
	uniform []float32 // [B, h, w, K], in (0, 1)
	normal  []float32 // [B, h, w, D], standard normal: vae
	tau     []float32 // [1]
}

// autoencoder is the training graph of an image model for one batch size.
type autoencoder struct {
	cfg     image.Config
	in      inputs
	params  G.Nodes // with gradients, in the order of image.Config.Params
	names   []string
	machine *graph.Machine // after compile

	weights model.Weights
	node    map[string]*G.Node // parameters by name

	gaussian sq.Output // gaussian kinds
	vmf      sq.VMFOutput
	vq       vq.Output
	kl       *G.Node // vae
	nodes    nodes
}

// nodes are what a step reports and tests compare.
type nodes struct {
	input        *G.Node // pixels or labels
	convs, trunk *G.Node // of the encoder
	mean, logVar *G.Node // heads; logVar nil without
	quantized    *G.Node // what the decoder gets
	blocks       *G.Node // of the decoder
	hidden       *G.Node // [B, h, w, C], what the decoder's last layer gets
	output       *G.Node // [B, H, W, C] in (0, 1); nil where images are labels
	accuracy     *G.Node // of labels
	recon, total *G.Node
}

// newAutoencoder builds the graph on weights w, which training changes in place.
func newAutoencoder(cfg image.Config, batch int, w model.Weights) (a *autoencoder, err error) {
	defer graph.Recover("train", &err)
	a = &autoencoder{cfg: cfg, weights: w, node: map[string]*G.Node{}}
	g := G.NewGraph()
	for _, p := range cfg.Params() {
		n := graph.Input(g, p.Name, w[p.Name], p.MemoryShape()...)
		a.node[p.Name] = n
		if cfg.Trained(p.Name) {
			a.params, a.names = append(a.params, n), append(a.names, p.Name)
		}
	}
	side, channels := cfg.Side(), cfg.Net.Channels
	if cfg.Labels() {
		a.in.labels = make([]int32, batch*side*side)
		a.nodes.input = graph.Input(g, "labels", a.in.labels, batch, side, side)
	} else {
		a.in.pixels = make([]float32, batch*side*side*channels)
		a.nodes.input = graph.Input(g, "pixels", a.in.pixels, batch, side, side, channels)
	}
	a.encode()
	latent := a.quantize(g, batch)
	a.decode()
	a.nodes.total = graph.Sum(a.nodes.recon, latent)
	return a, nil
}

// compile differentiates the total loss and builds the machine. It returns the
// gradients of further nodes, if asked for.
func (a *autoencoder) compile(further ...*G.Node) (grads G.Nodes, err error) {
	if a.machine, grads, err = graph.Compile(a.nodes.total, a.params, further...); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return grads, nil
}

// Close releases the machine.
func (a *autoencoder) Close() error { return a.machine.Close() }

// layer adds a convolution and its normalisation.
func (a *autoencoder) layer(x *G.Node, l image.Layer) *G.Node {
	y := a.convolution(x, l)
	if l.Norm == "" {
		return y
	}
	norm := graph.BatchNorm
	if l.ReLU {
		norm = graph.BatchNormReLU
	}
	gamma, beta, stats := a.norm(l)
	return norm(y, gamma, beta, stats, model.BatchNormEps, batchNormMomentum)
}

// norm returns the parameters and statistics of a layer's normalisation.
func (a *autoencoder) norm(l image.Layer) (gamma, beta *G.Node, stats graph.BatchNormStats) {
	stats = graph.BatchNormStats{Mean: a.weights[l.Norm+".running_mean"], Var: a.weights[l.Norm+".running_var"]}
	return a.node[l.Norm+".weight"], a.node[l.Norm+".bias"], stats
}

func (a *autoencoder) convolution(x *G.Node, l image.Layer) *G.Node {
	w, bias := a.node[l.Name+".weight"], a.node[l.Name+".bias"]
	switch {
	case l.Transposed:
		return graph.ConvTranspose2D(x, w, bias, l.Conv)
	case x == a.nodes.input && a.cfg.Labels():
		return graph.ConvLabels(x, w, bias, l.Conv)
	}
	return graph.Conv2D(x, w, bias, l.Conv)
}

// block adds x + Second(First(ReLU(x))).
func (a *autoencoder) block(x *G.Node, b image.Block) *G.Node {
	y := a.convolution(a.layer(graph.ReLU(x), b.First), b.Second)
	gamma, beta, stats := a.norm(b.Second)
	return graph.ResidualBatchNorm(y, gamma, beta, x, stats, model.BatchNormEps, batchNormMomentum)
}

func (a *autoencoder) blocks(x *G.Node, bs []image.Block) *G.Node {
	for _, b := range bs {
		x = a.block(x, b)
	}
	return x
}

func (a *autoencoder) layers(x *G.Node, ls []image.Layer) *G.Node {
	for _, l := range ls {
		x = a.layer(x, l)
	}
	return x
}

func (a *autoencoder) encode() {
	net := a.cfg.EncoderNet()
	a.nodes.convs = a.layers(a.nodes.input, net.Convs)
	a.nodes.trunk = a.blocks(a.nodes.convs, net.Blocks)
	a.nodes.mean = a.block(a.nodes.trunk, net.Mean)
	if net.Variance != nil {
		a.nodes.logVar = a.block(a.nodes.trunk, *net.Variance)
	}
}

var variances = map[model.QuantizerKind]sq.Variance{
	model.Gaussian1: sq.Shared, image.Gaussian2: sq.PerSample, model.Gaussian3: sq.PerLatent, model.Gaussian4: sq.PerDimension,
}

// quantize builds the bottleneck and returns its loss, a sum over the latents of
// an image.
func (a *autoencoder) quantize(g *G.ExprGraph, b int) *G.Node {
	c := a.cfg
	h, d, k := c.Grid(), c.Dim(), c.Quantizer.CodebookSize
	noise := func() (uniform, tau *G.Node) {
		a.in.uniform, a.in.tau = make([]float32, b*h*h*k), make([]float32, 1)
		return graph.Input(g, "uniform", a.in.uniform, b, h, h, k), graph.Input(g, "tau", a.in.tau, 1)
	}
	switch {
	case c.Gaussian():
		in := sq.ImageInputs{
			Latent: a.nodes.mean, LogVars: a.nodes.logVar, LogVar: a.node["quantizer.log_var_scalar"],
			PlusOne: c.Quantizer.Variance == image.OnePlusExp, Codebook: a.node["quantizer.codebook"],
		}
		in.Uniform, in.Tau = noise()
		a.gaussian = sq.GaussianImage(variances[c.Quantizer.Kind], in)
		a.nodes.quantized = a.gaussian.Quantized
		return graph.Sum(a.gaussian.Regularizer, a.gaussian.NegEntropy)
	case c.Quantizer.Kind == image.VMF:
		in := sq.VMFInputs{Latent: a.nodes.mean, LogKappa: a.node["quantizer.log_kappa"], Codebook: a.node["quantizer.codebook"]}
		in.Uniform, in.Tau = noise()
		a.vmf = sq.VMF(in)
		a.nodes.quantized = a.vmf.Quantized
		return graph.Sum(a.vmf.Regularizer, a.vmf.NegEntropy)
	case c.Quantizer.Kind == image.VAE:
		a.in.normal = make([]float32, b*h*h*d)
		normal := graph.Input(g, "normal", a.in.normal, b, h, h, d)
		a.nodes.quantized = graph.Reparameterize(a.nodes.mean, a.nodes.logVar, normal)
		a.kl = graph.GaussianKL(a.nodes.mean, a.nodes.logVar)
		return a.kl
	}
	a.vq = vq.Quantize(a.nodes.mean, a.node["quantizer.codebook"], c.Quantizer.Kind == model.VQ)
	a.nodes.quantized = a.vq.Quantized
	return a.vq.Loss(float64(h*h*d), c.Quantizer.CommitmentWeight)
}

func (a *autoencoder) decode() {
	net := a.cfg.DecoderNet()
	a.nodes.blocks = a.blocks(a.nodes.quantized, net.Blocks)
	last := len(net.Convs) - 1
	a.nodes.hidden = a.layers(a.nodes.blocks, net.Convs[:last])
	if a.cfg.Labels() {
		a.nodes.recon, a.nodes.accuracy = a.labels(net.Convs[last])
		return
	}
	a.nodes.output = graph.Sigmoid(a.layer(a.nodes.hidden, net.Convs[last]))
	a.nodes.recon = a.reconstruction()
}

// labels is the last layer of a decoder of labels with the reconstruction term in
// nats per image.
func (a *autoencoder) labels(l image.Layer) (recon, accuracy *G.Node) {
	w, bias := a.node[l.Name+".weight"], a.node[l.Name+".bias"]
	var d graph.LabelDecoder
	if a.cfg.Decoder.Kind == image.VMFDecoder {
		cosine := simd.VMFScore
		if a.cfg.Decoder.OrderedClasses {
			cosine = a.cfg.Arc().Score
		}
		d = graph.VMFDecoder(cosine, a.nodes.hidden, w, bias, a.nodes.input, a.node["decoder.log_kappa_inv"], l.Conv)
	} else {
		d = graph.CategoricalDecoder(a.nodes.hidden, w, bias, a.nodes.input, l.Conv)
	}
	return d.Loss, d.Accuracy
}

// reconstruction compares pixels, in nats per image.
func (a *autoencoder) reconstruction() *G.Node {
	x, target := a.nodes.output, a.nodes.input
	if a.cfg.Decoder.LearnVariance {
		return graph.GaussianNLL(x, target, a.node["decoder.log_var"])
	}
	return graph.ARELBO(x, target, float64(a.cfg.PixelValues()))
}

// codes are the hard assignments of the last step, latents [N, D] what was
// assigned; nil for vae.
func (a *autoencoder) codes() (codes []int32, latents []float32) {
	n, z := a.vq.Codes, a.vq.Latent
	switch {
	case a.cfg.Gaussian():
		n, z = a.gaussian.Codes, a.gaussian.Latent
	case a.cfg.Quantizer.Kind == image.VMF:
		n, z = a.vmf.Codes, a.vmf.Latent
	case !a.cfg.Codes():
		return nil, nil
	}
	return n.Value().Data().([]int32), z.Value().Data().([]float32)
}
