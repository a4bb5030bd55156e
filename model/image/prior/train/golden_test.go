package train

import (
	"math"
	"testing"

	"vqspeech/internal/golden"
	"vqspeech/internal/graph/graphtest"
	"vqspeech/model"
	"vqspeech/model/image/prior"
)

// fixtureConfig reads the prior of a fixture.
func fixtureConfig(t *testing.T, f *golden.File) prior.Config {
	t.Helper()
	cfg := prior.Config{
		Net:          prior.NetConfig{Channels: f.Int("F"), Layers: f.Int("layers"), Head: f.Int("head"), Classes: f.Int("classes")},
		CodebookSize: f.Int("K"), Height: f.Int("H"), Width: f.Int("W"),
	}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	return cfg
}

// masked are the tensors of which the fixture has a last row or column of taps
// that is masked; here there is none.
var masked = map[string]bool{"layers.0.vert.weight": true, "layers.0.horiz.weight": true}

// unmasked drops the masked taps of a tensor [out, in, kh, kw] of which p has the
// rest.
func unmasked(f *golden.File, name string, p model.Param) []float32 {
	x, s := f.F32(name), f.Shape(name)
	if !masked[p.Name] {
		return x
	}
	var y []float32
	for i, v := range x {
		if i/s[3]%s[2] < p.Shape[2] && i%s[3] < p.Shape[3] {
			y = append(y, v)
		}
	}
	return y
}

func fixtureWeights(f *golden.File, cfg prior.Config) model.Weights {
	w := model.Weights{}
	for _, p := range cfg.Params() {
		w[p.Name] = p.FromFile(unmasked(f, "param."+p.Name, p))
	}
	return w
}

// withMasked puts zeros where the fixture has masked taps.
func withMasked(f *golden.File, name string, p model.Param, x []float32) []float32 {
	if !masked[p.Name] {
		return x
	}
	s := f.Shape(name)
	y := make([]float32, s[0]*s[1]*s[2]*s[3])
	for i := range y {
		if row, column := i/s[3]%s[2], i%s[3]; row < p.Shape[2] && column < p.Shape[3] {
			y[i] = x[(i/(s[2]*s[3])*p.Shape[2]+row)*p.Shape[3]+column]
		}
	}
	return y
}

func fixtureSet(f *golden.File, cfg prior.Config) prior.Set {
	s := prior.Set{N: f.Int("B")}
	for _, c := range f.I32("in.code") {
		s.Codes = append(s.Codes, uint16(c))
	}
	if cfg.Net.Classes > 0 {
		for _, c := range f.I32("in.class") {
			s.Classes = append(s.Classes, uint8(c))
		}
	}
	return s
}

// TestGoldenPixelCNN compares a training pass and its gradients with PyTorch, and
// inference with both.
func TestGoldenPixelCNN(t *testing.T) {
	for _, file := range golden.Glob(t, "pixelcnn*.safetensors") {
		t.Run(file, func(t *testing.T) {
			f := golden.Open(t, file)
			cfg := fixtureConfig(t, f)
			set, b, positions := fixtureSet(f, cfg), f.Int("B"), cfg.Positions()
			n, err := newNetwork(cfg, b, fixtureWeights(f, cfg))
			if err != nil {
				t.Fatal(err)
			}
			defer n.machine.Close()
			all := make([]int, b)
			for i := range all {
				all[i] = i
			}
			n.in.fill(set, all)
			if err := n.machine.RunAll(); err != nil {
				t.Fatal(err)
			}
			f.Check("out.logits", graphtest.ChannelsFirst(graphtest.Floats(n.logits), b, positions, cfg.CodebookSize))
			f.Check("out.nll", graphtest.Floats(n.nll))
			e := prior.NewEvaluation(n.nats())
			f.Check("loss.nats", []float32{float32(e.Nats)})
			f.Check("loss.bits", []float32{float32(e.Bits)})
			for i, p := range cfg.Params() {
				g, _ := n.trained[i].Grad()
				name := "grad.param." + p.Name
				f.Check(name, withMasked(f, name, p, p.ToFile(g.Data().([]float32))))
			}

			m, err := prior.New(cfg, fixtureWeights(f, cfg))
			if err != nil {
				t.Fatal(err)
			}
			logits, err := m.Logits(set)
			if err != nil {
				t.Fatal(err)
			}
			f.Check("out.logits", graphtest.ChannelsFirst(logits, b, positions, cfg.CodebookSize))
			if e, err = m.Evaluate(set); err != nil {
				t.Fatal(err)
			}
			f.Check("loss.nats", []float32{float32(e.Nats)})
			f.CheckInts("out.dependency", dependency(t, m, set.Slice(0, 1)))
			f.RequireAllUsed("sample.*") // compared in the package above
		})
	}
}

// dependency tells for positions i and j of one grid whether the logits at i
// change with the code at j, [H*W, H*W].
func dependency(t *testing.T, m *prior.Model, s prior.Set) []int32 {
	n, k := m.Config.Positions(), m.Config.CodebookSize
	base, err := m.Logits(s)
	if err != nil {
		t.Fatal(err)
	}
	depends := make([]int32, n*n)
	for j := range n {
		was := s.Codes[j]
		for other := range k {
			s.Codes[j] = uint16(other)
			logits, err := m.Logits(s)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range logits {
				if v != base[i] {
					depends[i/k*n+j] = 1
				}
			}
		}
		s.Codes[j] = was
	}
	return depends
}

// TestGradients compares gradients with central differences, on a grid that is
// not square.
func TestGradients(t *testing.T) {
	cfg := prior.Config{Net: prior.NetConfig{Channels: 3, Layers: 3, Head: 4, Classes: 2}, CodebookSize: 5, Height: 3, Width: 5}
	const b = 2
	o := options(t, cfg, b, 0)
	r, err := newRun(o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	n := r.graphs[b]
	n.in.fill(o.Training, []int{0, 1})
	loss := func() float64 {
		n.machine.Reset()
		if err := n.machine.RunAll(); err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for _, v := range graphtest.Floats(n.nll) {
			sum += float64(v)
		}
		return sum / float64(len(n.in.codes))
	}
	loss()
	grads := make([][]float32, len(n.trained))
	for i, p := range n.trained {
		g, _ := p.Grad()
		grads[i] = append([]float32{}, g.Data().([]float32)...)
	}
	for i, p := range cfg.Params() {
		w := r.state.Weights[p.Name]
		for j := 0; j < len(w); j += 1 + len(w)/5 {
			const h = 1e-2
			was := w[j]
			w[j] = was + h
			up := loss()
			w[j] = was - h
			down := loss()
			w[j] = was
			if want := (up - down) / (2 * h); math.Abs(float64(grads[i][j])-want) > 2e-4+0.02*math.Abs(want) {
				t.Errorf("%s[%d]: gradient %g, by differences %g", p.Name, j, grads[i][j], want)
			}
		}
	}
}
