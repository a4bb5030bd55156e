package train

import (
	"math"
	"slices"
	"testing"

	G "gorgonia.org/gorgonia"

	"vqspeech/internal/bessel"
	"vqspeech/internal/golden"
	"vqspeech/internal/graph"
	"vqspeech/internal/graph/graphtest"
	"vqspeech/internal/simd"
	"vqspeech/model"
	"vqspeech/model/image"
)

// goldenConfig reads the model of an image fixture.
func goldenConfig(t *testing.T, f *golden.File) image.Config {
	t.Helper()
	net := map[string]image.NetKind{"28": image.Net28, "32": image.Net32, "64": image.Net64, "64label": image.Net64Label}[f.Meta("net")]
	cfg := image.DefaultConfig(net)
	cfg.Net.ResBlocks = f.Int("rb")
	q := &cfg.Quantizer
	q.CodebookSize, q.CodebookDim = f.Int("K"), f.Int("d")
	q.Kind = map[string]model.QuantizerKind{
		"1": model.Gaussian1, "2": image.Gaussian2, "3": model.Gaussian3, "4": model.Gaussian4, "vmf": image.VMF,
	}[f.Meta("kind")]
	if q.Kind == image.VMF {
		q.CodebookDim-- // the fixture has that of the sphere's space
		cfg.Net.Channels = f.Int("classes")
	}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	return cfg
}

// fixtureNames are the fixtures' names of the tensors that are no network's.
var fixtureNames = map[string]string{
	"quantizer.codebook": "codebook", "quantizer.log_var_scalar": "log_param_q_scalar",
	"quantizer.log_kappa": "log_param_q_scalar", "decoder.log_kappa_inv": "log_kappa_inv",
}

func fixtureName(name string) string {
	if other, ok := fixtureNames[name]; ok {
		return other
	}
	return name
}

func goldenWeights(f *golden.File, cfg image.Config) model.Weights {
	w := model.Weights{}
	for _, p := range cfg.Params() {
		w[p.Name] = p.FromFile(f.F32("param." + fixtureName(p.Name)))
	}
	for _, p := range cfg.Buffers() {
		w[p.Name] = f.F32("buffer." + p.Name)
	}
	return w
}

func TestGoldenImage(t *testing.T) {
	for _, file := range golden.Glob(t, "image*.safetensors") {
		t.Run(file, func(t *testing.T) {
			f := golden.Open(t, file)
			cfg := goldenConfig(t, f)
			checkEvaluation(t, f, cfg)
			checkStep(t, f, cfg)
			if f.Has("learned_var.loss.recon") {
				checkLearnedVariance(t, f)
			}
			f.RequireAllUsed()
		})
	}
}

// checkStep compares one training pass with its gradients.
func checkStep(t *testing.T, f *golden.File, cfg image.Config) {
	b, w := f.Int("B"), goldenWeights(f, cfg)
	a, err := newAutoencoder(cfg, b, w)
	if err != nil {
		t.Fatal(err)
	}
	further := G.Nodes{a.nodes.quantized, a.nodes.mean}
	if !cfg.Labels() {
		further = append(further, a.nodes.input)
	}
	grads, err := a.compile(further...)
	if err != nil {
		t.Fatal(err)
	}
	defer a.machine.Close()
	if cfg.Labels() {
		copy(a.in.labels, f.I32("in.label"))
	} else {
		copy(a.in.pixels, graphtest.ChannelsLast(f.F32("in.x"), b, cfg.Net.Channels, cfg.Side()*cfg.Side()))
	}
	copy(a.in.uniform, f.F32("noise.u"))
	a.in.tau[0] = float32(f.Float("tau"))
	f.Check("noise.tau", a.in.tau)
	if err := a.machine.Run(); err != nil {
		t.Fatal(err)
	}
	check := func(name string, x []float32) {
		if f.Has(name) {
			f.Check(name, first(f, name, x))
		}
	}
	logits, soft := a.gaussian.Logits, a.gaussian.Soft
	if cfg.Quantizer.Kind == image.VMF {
		logits, soft = a.vmf.Logits, a.vmf.Soft
		check("out.z", graphtest.Floats(a.vmf.Latent))
		f.Check("loss.kappa", []float32{float32(bessel.VMFKappa(float64(w["decoder.log_kappa_inv"][0])))})
	} else {
		v := graphtest.Floats(a.gaussian.Variance)
		if cfg.Quantizer.Kind == image.Gaussian2 { // the file has one per image
			perImage := make([]float32, b)
			for i := range perImage {
				perImage[i] = v[i*len(v)/b]
			}
			v = perImage
		}
		check("out.variance", v)
	}
	check("out.enc_conv", graphtest.Floats(a.nodes.convs))
	check("out.enc_trunk", graphtest.Floats(a.nodes.trunk))
	check("out.enc_mean", graphtest.Floats(a.nodes.mean))
	if a.nodes.logVar != nil {
		check("out.enc_logvar", graphtest.Floats(a.nodes.logVar))
	}
	f.Check("out.logits", graphtest.Floats(logits))
	p := make([]float32, len(graphtest.Floats(logits)))
	k := cfg.Quantizer.CodebookSize
	simd.Softmax(p, graphtest.Floats(logits), nil, len(p)/k, k, 1)
	f.Check("out.p", p)
	f.Check("out.y", graphtest.Floats(soft))
	check("out.q", graphtest.Floats(a.nodes.quantized))
	check("out.dec_res", graphtest.Floats(a.nodes.blocks))
	check("out.xhat", decoded(a, w))
	checkLosses(f, "loss.", a.losses())
	f.Check("loss.perplexity", []float32{softPerplexity(p, k)})
	for i, p := range a.machine.Params {
		g, _ := p.Grad()
		one := paramOf(cfg, a.names[i])
		f.Check("grad.param."+fixtureName(one.Name), one.ToFile(g.Data().([]float32)))
	}
	check("grad.out.q", graphtest.Floats(grads[0]))
	check("grad.out.enc_mean", graphtest.Floats(grads[1]))
	if !cfg.Labels() {
		check("grad.in.x", graphtest.Floats(grads[2]))
	}
	for _, p := range cfg.Buffers() {
		f.Check("after.buffer."+p.Name, w[p.Name])
	}
}

// decoded is the decoder's output, which the graph of a model of labels does not
// keep.
func decoded(a *autoencoder, w model.Weights) []float32 {
	if a.nodes.output != nil {
		return graphtest.Floats(a.nodes.output)
	}
	net := a.cfg.DecoderNet()
	last := net.Convs[len(net.Convs)-1]
	s, side := a.nodes.hidden.Shape(), a.cfg.Side()
	y := make([]float32, s[0]*side*side*last.Conv.In)
	last.Conv.Transposed(y, graphtest.Floats(a.nodes.hidden), w[last.Name+".weight"], w[last.Name+".bias"], s[0], s[1], s[2])
	simd.Softplus(y, y) // the fixture is of a vmf decoder
	return y
}

// first turns a value into the order of the fixture: (B, C, H, W) from [B, H, W, C].
func first(f *golden.File, name string, x []float32) []float32 {
	s := f.Shape(name)
	if len(s) != 4 || len(x) == s[0] {
		return x
	}
	return graphtest.ChannelsFirst(x, s[0], s[2]*s[3], s[1])
}

func paramOf(cfg image.Config, name string) model.Param {
	ps := cfg.Params()
	return ps[slices.IndexFunc(ps, func(p model.Param) bool { return p.Name == name })]
}

func checkLosses(f *golden.File, pre string, l image.Losses) {
	for name, v := range map[string]float64{
		"sse": l.SSE, "recon": l.Recon, "kld_discrete": l.KLDiscrete, "kld_continuous": l.KLContinuous,
		"latent": l.KLDiscrete + l.KLContinuous, "total": l.Total, "accuracy": l.Accuracy,
	} {
		if f.Has(pre + name) {
			f.Check(pre+name, []float32{float32(v)})
		}
	}
}

// softPerplexity is that of the mean posterior.
func softPerplexity(p []float32, k int) float32 {
	mean := make([]float64, k)
	for i, v := range p {
		mean[i%k] += float64(v) / float64(len(p)/k)
	}
	entropy := 0.0
	for _, m := range mean {
		entropy -= m * math.Log(m+1e-10)
	}
	return float32(math.Exp(entropy))
}

// checkEvaluation compares inference: running statistics, the most probable
// codes.
func checkEvaluation(t *testing.T, f *golden.File, cfg image.Config) {
	m, err := image.New(cfg, goldenWeights(f, cfg))
	if err != nil {
		t.Fatal(err)
	}
	var labels []int32
	var pixels []float32
	b := f.Int("B")
	if cfg.Labels() {
		labels = f.I32("in.label")
	} else {
		pixels = graphtest.ChannelsLast(f.F32("in.x"), b, cfg.Net.Channels, cfg.Side()*cfg.Side())
	}
	r := m.Forward(b, pixels, labels)
	index := make([]int32, len(r.Codes))
	for i, c := range r.Codes {
		index[i] = int32(c)
	}
	f.CheckInts("eval.out.index", index)
	f.Check("eval.out.enc_mean", first(f, "eval.out.enc_mean", r.Mean))
	if f.Has("eval.out.xhat") {
		f.Check("eval.out.xhat", first(f, "eval.out.xhat", r.Output))
	}
	k, margin := cfg.Quantizer.CodebookSize, make([]float32, len(r.Codes))
	for i := range margin {
		row := slices.Sorted(slices.Values(r.Logits[i*k : (i+1)*k]))
		margin[i] = row[k-1] - row[k-2]
	}
	f.Check("eval.out.margin", margin)
	checkLosses(f, "eval.loss.", r.Losses)
	f.Check("eval.loss.perplexity", []float32{float32(r.Losses.Perplexity)})
}

// checkLearnedVariance compares the reconstruction term with a trained variance
// on the fixture's own output.
func checkLearnedVariance(t *testing.T, f *golden.File) {
	g := G.NewGraph()
	input := func(name string) *G.Node {
		s := f.Shape(name)
		return graphtest.Input(g, name, f.F32(name), s...)
	}
	x := input("out.xhat")
	l := graphtest.Input(g, "l", f.F32("learned_var.param.logvar_x"), 1)
	loss := graph.GaussianNLL(x, input("in.x"), l)
	d := graphtest.Differentiate(t, G.Nodes{loss}, G.Nodes{nil}, G.Nodes{x, l})
	d.Run(t)
	f.Check("learned_var.loss.recon", graphtest.Floats(loss))
	f.Check("learned_var.grad.out.xhat", graphtest.Floats(d.Grads[0]))
	f.Check("learned_var.grad.param.logvar_x", graphtest.Floats(d.Grads[1]))
}
