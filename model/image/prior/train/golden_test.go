package train

import (
	"math"
	"testing"

	"vqspeech/internal/golden"
	"vqspeech/internal/graph/graphtest"
	"vqspeech/model"
	"vqspeech/model/image/prior"
	"vqspeech/model/image/prior/priortest"
)

// withMasked puts zeros where the fixture has masked taps.
func withMasked(f *golden.File, name string, p model.Param, x []float32) []float32 {
	if !priortest.Masked[p.Name] {
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

// TestGoldenPixelCNN compares a training pass and its gradients with PyTorch, and
// inference with both.
func TestGoldenPixelCNN(t *testing.T) {
	for _, file := range golden.Glob(t, "pixelcnn*.safetensors") {
		t.Run(file, func(t *testing.T) {
			f := golden.Open(t, file)
			cfg := priortest.Config(t, f)
			set, b, positions := priortest.Set(f, cfg), f.Int("B"), cfg.Positions()
			n, err := newNetwork(cfg, b, priortest.Weights(f, cfg))
			if err != nil {
				t.Fatal(err)
			}
			defer n.machine.Close()
			all := make([]int, b)
			for i := range all {
				all[i] = i
			}
			n.in.fill(set, all)
			if err := n.machine.Run(); err != nil {
				t.Fatal(err)
			}
			f.Check("out.logits", graphtest.ChannelsFirst(graphtest.Floats(n.logits), b, positions, cfg.CodebookSize))
			f.Check("out.nll", graphtest.Floats(n.nll))
			e := prior.NewEvaluation(n.nats())
			f.Check("loss.nats", []float32{float32(e.Nats)})
			f.Check("loss.bits", []float32{float32(e.Bits)})
			for i, p := range cfg.Params() {
				g, _ := n.machine.Params[i].Grad()
				name := "grad.param." + p.Name
				f.Check(name, withMasked(f, name, p, p.ToFile(g.Data().([]float32))))
			}

			m, err := prior.New(cfg, priortest.Weights(f, cfg))
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
			f.RequireAllUsed("sample.*", "out.dependency") // compared by package prior
		})
	}
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
	defer r.graphs.Close()
	n, err := r.graphs.For(b)
	if err != nil {
		t.Fatal(err)
	}
	n.in.fill(o.Training, []int{0, 1})
	loss := func() float64 {
		if err := n.machine.Run(); err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for _, v := range graphtest.Floats(n.nll) {
			sum += float64(v)
		}
		return sum / float64(len(n.in.codes))
	}
	loss()
	grads := make([][]float32, len(n.machine.Params))
	for i, p := range n.machine.Params {
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
