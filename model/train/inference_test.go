package train

import (
	"fmt"
	"testing"

	G "gorgonia.org/gorgonia"

	"vqspeech/audio"
	"vqspeech/features"
	"vqspeech/internal/graph"
	"vqspeech/model"
	"vqspeech/model/modeltest"
	"vqspeech/quant/sq"
	"vqspeech/quant/vq"
)

// TestInferenceEqualsGraph holds the training graph, with running statistics in
// place of those of the batch, and the inference path equal to the bit: they
// share their kernels.
func TestInferenceEqualsGraph(t *testing.T) {
	const b, frames = 2, 150 // together more frames than inference takes at a time
	clip := loadSpeech(t)
	for _, kind := range model.QuantizerKinds {
		t.Run(string(kind), func(t *testing.T) {
			cfg := modeltest.Config(kind, features.Reference)
			w := modeltest.Weights(cfg)
			m, err := model.New(cfg, w)
			if err != nil {
				t.Fatal(err)
			}
			mel, err := features.LogMel(clip, cfg.Features)
			if err != nil {
				t.Fatal(err)
			}
			mel = mel[:b*frames*cfg.Features.NMels]
			speakers := []int32{2, 0}

			s := evalGraph(cfg, w, mel, speakers, b, frames)
			vm := graph.NewMachine(s.nodes.output.Graph())
			defer vm.Close()
			if err := vm.Run(); err != nil {
				t.Fatal(err)
			}

			size := len(mel) / b
			for i := range b {
				item := func(x []float32) []float32 { return x[i*len(x)/b : (i+1)*len(x)/b] }
				latents, logVar := m.Latents(mel[i*size : (i+1)*size])
				equalBits(t, "latents", latents, item(s.latents()))
				switch kind {
				case model.Gaussian1:
					equalBits(t, "log variance", logVar, data(s.gaussian.LogVar))
				case model.Gaussian3, model.Gaussian4:
					equalBits(t, "log variance", logVar, item(data(s.gaussian.LogVar)))
				}
				codes := m.EncodeMel(mel[i*size : (i+1)*size])
				want := s.codes()[i*len(codes) : (i+1)*len(codes)]
				for j, c := range codes {
					if int32(c) != want[j] {
						t.Errorf("item %d: unit %d is %d, in the graph %d", i, j, c, want[j])
					}
				}
				equalBits(t, "output", m.DecodeAll(codes, int(speakers[i])), item(data(s.nodes.output)))
			}
		})
	}
}

// TestInferenceInPieces holds streaming inference over more frames than one
// block equal to the graph.
func TestInferenceInPieces(t *testing.T) {
	const frames = 300
	cfg := modeltest.Config(model.Gaussian4, features.Reference)
	w := modeltest.Weights(cfg)
	m, err := model.New(cfg, w)
	if err != nil {
		t.Fatal(err)
	}
	mel, err := features.LogMel(loadSpeech(t), cfg.Features)
	if err != nil {
		t.Fatal(err)
	}
	mel = mel[:frames*cfg.Features.NMels]
	s := evalGraph(cfg, w, mel, []int32{1}, 1, frames)
	vm := graph.NewMachine(s.nodes.output.Graph())
	defer vm.Close()
	if err := vm.Run(); err != nil {
		t.Fatal(err)
	}
	latents, _ := m.Latents(mel)
	equalBits(t, "latents", latents, s.latents())
	d := m.NewDecoder(1)
	out := append(d.Push(m.EncodeMel(mel)), d.Flush(-1)...)
	n := cfg.Features.NMels
	equalBits(t, "output", out[n:len(out)-n], data(s.nodes.output))
}

// evalGraph builds encoder, hard quantiser and mel decoder with the training
// graph's builders.
func evalGraph(cfg model.Config, w model.Weights, mel []float32, speakers []int32, b, frames int) *speech {
	g := G.NewGraph()
	s := &speech{}
	node := map[string]*G.Node{}
	for _, p := range cfg.Params() {
		node[p.Name] = graph.Input(g, p.Name, w[p.Name], p.MemoryShape()...)
	}
	s.nodes.mel = graph.Input(g, "mel", mel, b, frames, cfg.Features.NMels)
	x := s.nodes.mel
	for i, geometry := range cfg.EncoderConvs() {
		bn := fmt.Sprintf("encoder.bn%d.", i+1)
		x = graph.Conv1D(x, node[fmt.Sprintf("encoder.conv%d.weight", i+1)], nil, geometry)
		stats := graph.BatchNormStats{Mean: w[bn+"running_mean"], Var: w[bn+"running_var"]}
		x = graph.ReLU(graph.BatchNormEval(x, node[bn+"weight"], node[bn+"bias"], stats, model.BatchNormEps))
	}
	s.nodes.encoded = graph.Linear(x, node["encoder.out.weight"], node["encoder.out.bias"])
	l, k := frames/model.Downsampling-1, cfg.Quantizer.CodebookSize
	codebook := node["quantizer.codebook"]
	if cfg.Quantizer.Kind.Gaussian() {
		uniform := make([]float32, b*l*k)
		for i := range uniform {
			uniform[i] = 0.5
		}
		s.gaussian = sq.Gaussian(variances[cfg.Quantizer.Kind], sq.Inputs{
			Encoded: s.nodes.encoded, LogVar: node["quantizer.log_var_scalar"], Codebook: codebook,
			Uniform: graph.Input(g, "uniform", uniform, b, l, k), Tau: graph.Input(g, "tau", []float32{1}, 1),
		})
		s.nodes.jittered = graph.Embedding(codebook, s.gaussian.Codes)
	} else {
		s.vq = vq.Quantize(s.nodes.encoded, codebook, cfg.Quantizer.Kind == model.VQ)
		s.nodes.jittered = graph.Embedding(codebook, s.vq.Codes)
	}
	s.decode(node, graph.Input(g, "speaker", speakers, b))
	return s
}

func equalBits(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d elements, in the graph %d", what, len(got), len(want))
		return
	}
	differ, worst := 0, 0.0
	for i, v := range got {
		if v != want[i] {
			differ++
			worst = max(worst, float64(max(v-want[i], want[i]-v)))
		}
	}
	if differ > 0 {
		t.Errorf("%s: %d of %d elements differ, by up to %g", what, differ, len(got), worst)
	}
}

func loadSpeech(t testing.TB) *audio.Clip {
	t.Helper()
	clip, err := audio.Load("../../testdata/118-47824-0040.flac")
	if err != nil {
		t.Fatal(err)
	}
	return clip
}
