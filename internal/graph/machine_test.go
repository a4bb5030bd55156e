package graph_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	G "gorgonia.org/gorgonia"

	"vqspeech/internal/graph"
)

// descent subtracts the gradient.
type descent struct{}

func (descent) Step(params []G.ValueGrad) error {
	for _, p := range params {
		g, err := p.Grad()
		if err != nil {
			return err
		}
		w := p.Value().Data().([]float32)
		for i, d := range g.Data().([]float32) {
			w[i] -= d
		}
	}
	return nil
}

// broken is a solver that fails.
type broken struct{ err error }

func (b broken) Step([]G.ValueGrad) error { return b.err }

func TestMachineStep(t *testing.T) {
	g := G.NewGraph()
	x, w := []float32{3, 5}, []float32{1, 1}
	loss := graph.MSE(graph.Input(g, "x", x, 1, 1, 2), graph.Input(g, "w", w, 1, 1, 2))
	m, further, err := graph.Compile(loss, G.Nodes{g.ByName("w")[0]}, g.ByName("x")[0])
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for range 2 { // the gradient of the mean of two squares is w-x
		if err := m.Step(descent{}); err != nil {
			t.Fatal(err)
		}
		if w[0] != 3 || w[1] != 5 {
			t.Fatalf("weights %v, want 3 and 5", w)
		}
	}
	x[0] = 4
	if err := m.Run(); err != nil {
		t.Fatal(err)
	}
	if l := loss.Value().Data().(float32); l != 0.5 || w[0] != 3 {
		t.Errorf("after a run: loss %g, weights %v, want 0.5 and weights as they were", l, w)
	}
	if d := further[0].Value().Data().([]float32); d[0] != 1 || d[1] != 0 {
		t.Errorf("gradient of x %v, want 1 and 0", d)
	}
	x[0] = float32(math.Inf(1))
	if err := m.Step(descent{}); err == nil || err.Error() != "the loss is +Inf" || w[0] != 3 {
		t.Errorf("infinite loss: %v, weights %v", err, w)
	}
	x[0] = 3
	if full := errors.New("full"); !errors.Is(m.Step(broken{full}), full) {
		t.Error("an error of the solver is lost")
	}
}

func TestRecover(t *testing.T) {
	build := func() (err error) {
		defer graph.Recover("layer", &err)
		g := G.NewGraph()
		graph.Linear(graph.Input(g, "x", make([]float32, 6), 1, 2, 3), graph.Input(g, "w", make([]float32, 8), 4, 2), nil)
		return nil
	}
	if err := build(); err == nil || !strings.HasPrefix(err.Error(), "layer: ") {
		t.Errorf("shapes that do not fit: %v", err)
	}
}
