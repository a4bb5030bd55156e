package train

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"testing"

	G "gorgonia.org/gorgonia"

	"vqspeech/internal/golden"
	"vqspeech/internal/simd"
	"vqspeech/model"
	"vqspeech/quant/vq"
)

// goldenConfig reads the sizes of a speech fixture.
func goldenConfig(f *golden.File) (model.Config, Config) {
	cfg, tc := model.DefaultConfig(), DefaultConfig()
	cfg.Features.NMels = f.Int("mels")
	cfg.Net = model.NetConfig{Channels: f.Int("ch"), SpeakerDim: f.Int("sdim"), DecoderHidden: f.Int("hid")}
	cfg.Quantizer.CodebookSize, cfg.Quantizer.CodebookDim = f.Int("K"), f.Int("d")
	for i := range f.Int("spk") {
		cfg.Speakers = append(cfg.Speakers, strconv.Itoa(i))
	}
	tc.BatchSize, tc.CropFrames = f.Int("B"), f.Int("T")
	tc.LearningRate, tc.ClipNorm = f.Float("lr"), f.Float("clip_norm")
	return cfg, tc
}

func goldenWeights(f *golden.File, cfg model.Config) model.Weights {
	w := model.Weights{}
	for _, p := range cfg.Params() {
		name := "param." + p.Name
		if !f.Has(name) {
			name = "buffer." + p.Name // a codebook kept by EMA
		}
		w[p.Name] = p.FromFile(f.F32(name))
	}
	for _, p := range cfg.Buffers() {
		w[p.Name] = append([]float32{}, f.F32("buffer."+p.Name)...)
	}
	return w
}

// channelsFirst turns [B, T, C] into [B, C, T].
func channelsFirst(x []float32, b, t, c int) []float32 {
	y := make([]float32, len(x))
	for i := range b {
		for j := range t {
			for k := range c {
				y[(i*c+k)*t+j] = x[(i*t+j)*c+k]
			}
		}
	}
	return y
}

// channelsLast turns [B, C, T] into [B, T, C].
func channelsLast(x []float32, b, c, t int) []float32 { return channelsFirst(x, b, c, t) }

func data(n *G.Node) []float32 {
	switch x := n.Value().Data().(type) {
	case float32:
		return []float32{x}
	case []float32:
		return x
	}
	panic("no float32 value")
}

// setBatch fills the inputs of step n (1-based).
func (s *speech) setBatch(f *golden.File, n int, cfg model.Config, tc Config) {
	in, noise := "in.", "noise."
	if n > 1 {
		in, noise = fmt.Sprintf("in.step%d.", n), fmt.Sprintf("noise.step%d.", n)
	}
	copy(s.in.mel, channelsLast(f.F32(in+"mel"), tc.BatchSize, cfg.Features.NMels, tc.CropFrames))
	copy(s.in.speaker, f.I32(in+"speaker"))
	copy(s.in.jitter, f.I32(noise+"jitter_raw"))
	if cfg.Quantizer.Kind.Gaussian() {
		copy(s.in.uniform, f.F32(noise+"u"))
	}
}

func TestGoldenSpeechSQVAE(t *testing.T) {
	kinds := map[string]model.QuantizerKind{"1": model.Gaussian1, "3": model.Gaussian3, "4": model.Gaussian4}
	for _, file := range golden.Glob(t, "speech_sqvae_*.safetensors") {
		t.Run(file, func(t *testing.T) {
			f := golden.Open(t, file)
			cfg, tc := goldenConfig(f)
			cfg.Quantizer.Kind = kinds[f.Meta("type")]
			w := goldenWeights(f, cfg)
			s, err := newSpeech(cfg, tc, w)
			if err != nil {
				t.Fatal(err)
			}
			gradients := map[string]*G.Node{
				"z": s.gaussian.Latent, "q": s.nodes.quantized, "q_jittered": s.nodes.jittered,
				"xhat": s.nodes.output, "logits": s.gaussian.Logits, "enc_out": s.nodes.encoded, "mel": s.nodes.mel,
			}
			if s.gaussian.LogVar.Op() != nil { // SQ-VAE I has no log variance beside its parameter
				gradients["logvar"] = s.gaussian.LogVar
			}
			s.differentiate(t, gradients)
			solver := &Adam{LearningRate: tc.LearningRate, ClipNorm: tc.ClipNorm, Gamma: 1}
			first := f.Int("first_step")
			for n := 1; n <= 3; n++ {
				s.setBatch(f, n, cfg, tc)
				s.in.tau[0] = float32(cfg.Quantizer.TemperatureAfter(first + n - 1))
				if err := s.machine.Run(); err != nil {
					t.Fatal(err)
				}
				s.checkLosses(f, n)
				f.Check(noiseName(n, "tau"), s.in.tau)
				s.checkJitter(t, f, n)
				s.checkPosterior(f, n)
				if n == 1 {
					s.checkForward(f, cfg, tc)
					s.checkGradients(t, f, cfg, tc, gradients)
				}
				if err := solver.Step(s.machine.Params); err != nil {
					t.Fatal(err)
				}
				f.Check(lossName(n, "grad_norm"), []float32{float32(solver.GradNorm)})
				if n == 1 {
					checkBuffers(f, cfg, w, "after1.")
				}
			}
			checkBuffers(f, cfg, w, "after3.")
			s.checkAdam(t, f, cfg, w, solver)
			checkEvaluation(t, f, cfg)
			f.RequireAllUsed()
		})
	}
}

// differentiate compiles the graph and replaces every node by its gradient.
func (s *speech) differentiate(t *testing.T, nodes map[string]*G.Node) {
	t.Helper()
	names := slices.Sorted(maps.Keys(nodes))
	var further G.Nodes
	for _, name := range names {
		further = append(further, nodes[name])
	}
	grads, err := s.compile(further...)
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		nodes[name] = grads[i]
	}
}

func noiseName(step int, name string) string {
	if step > 1 {
		return fmt.Sprintf("noise.step%d.%s", step, name)
	}
	return "noise." + name
}

// checkJitter compares the offsets after clamping at the ends, which only show
// in what is gathered.
func (s *speech) checkJitter(t *testing.T, f *golden.File, step int) {
	t.Helper()
	q, got := s.nodes.quantized.Value(), data(s.nodes.jittered)
	shape := s.nodes.quantized.Shape()
	l, d := shape[1], shape[2]
	for i, offset := range f.I32(noiseName(step, "jitter_offset")) {
		if at := i%l + int(offset); at < 0 || at >= l {
			t.Fatalf("offset %d leaves the sequence at %d", offset, i)
		}
		want := q.Data().([]float32)[(i+int(offset))*d:][:d]
		if !slices.Equal(got[i*d:(i+1)*d], want) {
			t.Errorf("step %d: latent %d is not its neighbour at offset %d", step, i, offset)
		}
	}
}

// checkPosterior compares p = softmax(a) and its mean's perplexity.
func (s *speech) checkPosterior(f *golden.File, step int) {
	k := s.gaussian.Logits.Shape()[2]
	a := data(s.gaussian.Logits)
	n := len(a) / k
	p := make([]float32, len(a))
	simd.Softmax(p, a, nil, n, k, 1)
	if step == 1 {
		f.Check("out.p", p)
	}
	mean := make([]float32, k)
	simd.SumRows(mean, p, n, k)
	h := 0.0
	for _, m := range mean {
		q := float64(m) / float64(n)
		h -= q * math.Log(q+1e-10)
	}
	f.Check(lossName(step, "perplexity_soft"), []float32{float32(math.Exp(h))})
}

func lossName(step int, name string) string {
	if step > 1 {
		return fmt.Sprintf("loss.step%d.%s", step, name)
	}
	return "loss." + name
}

func (s *speech) checkLosses(f *golden.File, step int) {
	l := s.losses()
	for name, got := range map[string]float64{
		"mse": l.MSE, "recon": l.Recon, "regularizer": l.KLContinuous, "regulariser": l.KLContinuous,
		"neg_entropy": l.KLDiscrete, "latent": l.KLContinuous + l.KLDiscrete, "total": l.Total,
		"perplexity_hard": l.Perplexity, "commitment": l.Commitment, "perplexity": l.Perplexity,
	} {
		if f.Has(lossName(step, name)) {
			f.Check(lossName(step, name), []float32{float32(got)})
		}
	}
}

func (s *speech) checkForward(f *golden.File, cfg model.Config, tc Config) {
	b := tc.BatchSize
	for i, n := range s.nodes.conv {
		f.Check(fmt.Sprintf("out.conv%d", i+1), channelsFirst(data(n), b, n.Shape()[1], n.Shape()[2]))
		r := s.nodes.relu[i]
		f.Check(fmt.Sprintf("out.relu%d", i+1), channelsFirst(data(r), b, r.Shape()[1], r.Shape()[2]))
	}
	for name, n := range map[string]*G.Node{
		"enc_out": s.nodes.encoded, "z": s.gaussian.Latent, "logvar": s.gaussian.LogVar, "y": s.gaussian.Soft,
		"q": s.nodes.quantized, "q_jittered": s.nodes.jittered, "dec_in": s.nodes.decoderIn,
		"rnn_out": s.nodes.rnn, "xhat": s.nodes.output,
	} {
		if f.Has("out." + name) {
			f.Check("out."+name, data(n))
		}
	}
	dist := make([]float32, len(data(s.gaussian.Logits)))
	for i, a := range data(s.gaussian.Logits) {
		dist[i] = -a
	}
	f.Check("out.dist", dist)
	f.CheckInts("out.index", s.gaussian.Codes.Value().Data().([]int32))
}

func (s *speech) checkGradients(t *testing.T, f *golden.File, cfg model.Config, tc Config, between map[string]*G.Node) {
	t.Helper()
	checked := 0
	for i, p := range s.machine.Params {
		grad, err := p.Grad()
		if err != nil {
			t.Fatal(err)
		}
		f.Check("grad.param."+s.names[i], fileOrder(cfg, s.names[i], grad.Data().([]float32)))
	}
	for name, n := range between {
		got := data(n)
		switch {
		case name == "mel":
			f.Check("grad.in.mel", channelsFirst(got, tc.BatchSize, tc.CropFrames, cfg.Features.NMels))
		case f.Has("grad.out." + name):
			f.Check("grad.out."+name, got)
		default:
			continue
		}
		checked++
	}
	if checked < 3 {
		t.Errorf("only %d intermediate gradients were compared", checked)
	}
}

func fileOrder(cfg model.Config, name string, x []float32) []float32 {
	for _, p := range cfg.Params() {
		if p.Name == name {
			return p.ToFile(x)
		}
	}
	panic("unknown parameter " + name)
}

func checkBuffers(f *golden.File, cfg model.Config, w model.Weights, prefix string) {
	for _, p := range cfg.Buffers() {
		f.Check(prefix+"buffer."+p.Name, w[p.Name])
	}
}

// checkAdam compares three steps. Adam divides by the gradient's own size, so
// the README allows a few entries with gradients at rounding level to differ.
func (s *speech) checkAdam(t *testing.T, f *golden.File, cfg model.Config, w model.Weights, solver *Adam) {
	t.Helper()
	for i, name := range s.names {
		before, after := f.F32("param."+name), fileOrder(cfg, name, w[name])
		delta := make([]float32, len(after))
		for j := range after {
			delta[j] = after[j] - before[j]
		}
		checkDelta(t, f, "delta3.param."+name, delta)
		if f.Has("after3.adam_m." + name) {
			f.Check("after3.adam_m."+name, fileOrder(cfg, name, solver.M[i]))
			f.Check("after3.adam_v."+name, fileOrder(cfg, name, solver.V[i]))
		}
	}
}

func checkDelta(t *testing.T, f *golden.File, name string, got []float32) {
	t.Helper()
	want, atol := f.F32(name), f.Atol(name)
	if len(want) != len(got) {
		t.Fatalf("%s: %d elements, want %d", name, len(got), len(want))
	}
	outliers, worst := 0, 0.0
	for i, x := range want {
		d := math.Abs(float64(got[i] - x))
		if !(d <= atol+2e-5*math.Abs(float64(x))) {
			outliers++
			worst = max(worst, d)
		}
	}
	if allowed := max(2, len(want)/1000); outliers > allowed || !(worst <= 2.4e-3) {
		t.Errorf("%s: %d of %d elements differ (allowed %d), the worst by %g", name, outliers, len(want), allowed, worst)
	}
}

// checkEvaluation compares inference on the parameters after three steps.
func checkEvaluation(t *testing.T, f *golden.File, cfg model.Config) {
	t.Helper()
	w := model.Weights{}
	for _, p := range cfg.Params() {
		name := "param." + p.Name
		if !f.Has(name) {
			w[p.Name] = p.FromFile(f.F32("after3.buffer." + p.Name))
			continue
		}
		x := append([]float32{}, f.F32(name)...)
		for i, d := range f.F32("delta3.param." + p.Name) {
			x[i] += d
		}
		w[p.Name] = p.FromFile(x)
	}
	for _, p := range cfg.Buffers() {
		w[p.Name] = f.F32("after3.buffer." + p.Name)
	}
	m, err := model.New(cfg, w)
	if err != nil {
		t.Fatal(err)
	}
	sets := evaluationSets(f)
	if len(sets) == 0 {
		t.Fatal("no evaluation tensors")
	}
	mels := cfg.Features.NMels
	var squares float64
	var frames int
	for _, set := range sets {
		shape := f.Shape(set + "mel")
		n := shape[len(shape)-1]
		mel := channelsLast(f.F32(set+"mel"), 1, mels, n)
		checkEncoded(t, f, m, set, mel)
		codes := m.EncodeMel(mel)
		index := make([]int32, len(codes))
		for i, c := range codes {
			index[i] = int32(c)
		}
		f.CheckInts(set+"index", index)
		out := m.DecodeAll(codes, int(f.I32(set + "speaker")[0]))
		f.Check(set+"xhat", out)
		var se float64
		for i, x := range out {
			d := float64(x) - float64(mel[mels+i])
			se += d * d
		}
		f.Check(set+"se", []float32{float32(se)})
		f.CheckInts(set+"frames", []int32{int32(len(out) / mels)})
		squares, frames = squares+se, frames+len(out)/mels
	}
	topDB := cfg.Features.TopDB
	f.Check("eval.mse_db2", []float32{float32(topDB * topDB * squares / float64(mels*frames))})
}

// evaluationSets lists the prefixes of the evaluated utterances.
func evaluationSets(f *golden.File) []string {
	var sets []string
	for _, name := range f.Names() {
		var n int
		if _, err := fmt.Sscanf(name, "eval%d.mel", &n); err == nil {
			sets = append(sets, fmt.Sprintf("eval%d.", n))
		}
	}
	return sets
}

// checkEncoded compares the encoder's outputs and the distances in inference.
func checkEncoded(t *testing.T, f *golden.File, m *model.Model, set string, mel []float32) {
	t.Helper()
	latents, logVar := m.Latents(mel)
	f.Check(set+"z", latents)
	f.Check(set+"logvar", logVar)
	n, k := len(latents)/m.Codebook.Dim, m.Codebook.Size
	precision := make([]float32, len(logVar))
	for i, l := range logVar {
		precision[i] = float32(math.Exp(-float64(l)))
	}
	dist := make([]float32, n*k)
	m.Codebook.Logits(dist, latents, precision)
	for i := range dist {
		dist[i] = -dist[i]
	}
	f.Check(set+"dist", dist)
	margin := make([]float32, n)
	for i := range margin {
		row := slices.Clone(dist[i*k : (i+1)*k])
		slices.Sort(row)
		margin[i] = row[1] - row[0]
	}
	// A margin is a difference of two distances: twice their tolerance.
	f.CheckWithin(set+"margin", margin, 2*f.Atol(set+"dist"), 4e-5)
}

func TestGoldenSpeechVQEMA(t *testing.T) {
	for _, file := range golden.Glob(t, "speech_vqvae_*.safetensors") {
		t.Run(file, func(t *testing.T) {
			f := golden.Open(t, file)
			cfg, tc := goldenConfig(f)
			cfg.Quantizer.Kind, tc.Recon = model.VQEMA, "mse"
			w := goldenWeights(f, cfg)
			s, err := newSpeech(cfg, tc, w)
			if err != nil {
				t.Fatal(err)
			}
			gradients := map[string]*G.Node{"z": s.vq.Latent, "q": s.vq.Quantized, "mel": s.nodes.mel}
			s.differentiate(t, gradients)
			solver := &Adam{LearningRate: tc.LearningRate, ClipNorm: tc.ClipNorm, Gamma: 1}
			book := w["quantizer.codebook"]
			debias := f.Meta("ema") == "debiased"
			ema := vq.NewEMA(book, cfg.Quantizer.CodebookSize, f.Float("gamma"), f.Float("ema_eps"), debias)
			for n := 1; n <= 3; n++ {
				s.setBatch(f, n, cfg, tc)
				if err := s.machine.Run(); err != nil {
					t.Fatal(err)
				}
				s.checkLosses(f, n)
				out := "out."
				if n > 1 {
					out = fmt.Sprintf("out.step%d.", n)
				}
				f.CheckInts(out+"index", s.codes())
				f.Check(out+"z", data(s.vq.Latent))
				f.Check(out+"q", data(s.vq.Quantized))
				f.Check(out+"xhat", data(s.nodes.output))
				if n == 1 {
					s.checkGradients(t, f, cfg, tc, gradients)
				}
				if err := solver.Step(s.machine.Params); err != nil {
					t.Fatal(err)
				}
				f.Check(lossName(n, "grad_norm"), []float32{float32(solver.GradNorm)})
				ema.Update(book, s.latents(), s.codes())
				after := fmt.Sprintf("after%d.buffer.quantizer.", n)
				checkRows(t, f, after+"codebook", book)
				f.Check(after+"ema_count", ema.Count)
				f.Check(after+"ema_sum", ema.Sum)
			}
			checkBuffers(f, cfg, w, "after3.")
			s.checkAdam(t, f, cfg, w, solver)
			f.RequireAllUsed()
		})
	}
}

// checkRows compares rows relative to their own norm: unused codes of the
// published EMA grow by orders of magnitude.
func checkRows(t *testing.T, f *golden.File, name string, got []float32) {
	t.Helper()
	d := f.Shape(name)[1]
	want := f.F32(name)
	for i := 0; i < len(want); i += d {
		var diff, norm float64
		for j := i; j < i+d; j++ {
			diff += math.Pow(float64(got[j])-float64(want[j]), 2)
			norm += math.Pow(float64(want[j]), 2)
		}
		if !(math.Sqrt(diff) <= 2e-5*math.Sqrt(norm)+1e-7) {
			t.Errorf("%s: row %d is off by %g of its norm", name, i/d, math.Sqrt(diff/norm))
		}
	}
}
