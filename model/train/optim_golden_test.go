package train

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"vqspeech/internal/golden"
)

func TestGoldenAdam(t *testing.T) {
	f := golden.Open(t, "layers_optim.safetensors")
	var betas [2]float64
	f.JSON("betas", &betas)
	if betas != [2]float64{adamBeta1, adamBeta2} || f.Float("eps") != adamEps {
		t.Fatalf("the fixture has betas %v and eps %s", betas, f.Meta("eps"))
	}
	solver := &Adam{LearningRate: f.Float("lr"), ClipNorm: f.Float("clip_norm"), Gamma: f.Float("gamma")}
	f.JSON("milestones", &solver.Milestones)
	var names []string
	var params [][]float32
	for _, name := range f.Names() {
		if short, ok := strings.CutPrefix(name, "param."); ok {
			names, params = append(names, short), append(params, f.F32(name))
		}
	}
	for n := 1; n <= f.Int("steps"); n++ {
		step := fmt.Sprintf("step%d.", n)
		grads := make([][]float32, len(names))
		for i, name := range names {
			grads[i] = f.F32(step + "grad." + name)
		}
		f.Check(step+"out.lr", []float32{float32(solver.Rate(solver.Steps))})
		if err := solver.update(params, grads); err != nil {
			t.Fatal(err)
		}
		f.Check(step+"out.grad_norm", []float32{float32(solver.GradNorm)})
		for i, name := range names {
			f.Check(step+"after."+name, params[i])
		}
	}
	checkTinyGradients(t, f)
	checkPlateau(t, f)
	f.RequireAllUsed()
}

// checkPlateau compares the learning rate after every loss.
func checkPlateau(t *testing.T, f *golden.File) {
	var cfg struct {
		LR, Factor, Threshold, Eps float64
		Patience                   int
		Mode                       string
	}
	f.JSON("plateau", &cfg)
	if cfg.Threshold != plateauThreshold || cfg.Eps != plateauEps || cfg.Mode != "rel" {
		t.Fatalf("the fixture has the threshold %g (%s) and eps %g", cfg.Threshold, cfg.Mode, cfg.Eps)
	}
	for _, pre := range []string{"plateau_positive.", "plateau_negative."} {
		p := Plateau{Factor: cfg.Factor, Patience: cfg.Patience, Best: math.Inf(1)}
		var rates []float32
		for _, loss := range f.F32(pre + "in.loss") {
			p.Add(float64(loss), cfg.LR)
			rates = append(rates, float32(p.Rate(cfg.LR)))
		}
		f.Check(pre+"out.lr", rates)
	}
}

// checkTinyGradients steps with gradients as small as Adam's epsilon, without
// clipping. The fixture's learning rate for it is 1e-3.
func checkTinyGradients(t *testing.T, f *golden.File) {
	solver := &Adam{LearningRate: 1e-3, ClipNorm: math.Inf(1)}
	start := f.F32("tiny.param")
	p := f.F32("tiny.param")
	steps := 0
	for n := 1; f.Has(fmt.Sprintf("tiny.step%d.grad", n)); n++ {
		step := fmt.Sprintf("tiny.step%d.", n)
		if err := solver.update([][]float32{p}, [][]float32{f.F32(step + "grad")}); err != nil {
			t.Fatal(err)
		}
		delta := make([]float32, len(p))
		for i := range p {
			delta[i] = p[i] - start[i]
		}
		f.Check(step+"delta", delta)
		steps++
	}
	if steps == 0 {
		t.Error("no steps with tiny gradients")
	}
}
