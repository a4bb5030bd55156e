package wavenet

import (
	"fmt"
	"math"

	"vqspeech/internal/simd"
)

// Score returns the negative log-likelihood of given codes under the network as
// it generates, weights packed and layer inputs cached (nats per sample).
//
//	latents [L, d] float32, codes [L*U] → [L*U]
func (g *Generator) Score(latents []float32, speaker int, codes []uint8) ([]float32, error) {
	nll := make([]float32, 0, len(codes))
	p := make([]float32, Levels)
	err := g.Force(latents, speaker, codes, func(t int, logits []float32) {
		sum := simd.SoftmaxRow(p, logits, 1)
		top := logits[argmax(logits)]
		nll = append(nll, float32(math.Log(sum)+float64(top)-float64(logits[codes[t]])))
	})
	return nll, err
}

// Force runs the network along given codes, as it generates, and hands the logits
// [256] of every sample to visit. They are valid during the call.
//
//	latents [L, d] float32, codes [L*U]
func (g *Generator) Force(latents []float32, speaker int, codes []uint8, visit func(t int, logits []float32)) error {
	o := DefaultOptions()
	o.Speaker = speaker
	s, err := g.NewStream(o)
	if err != nil {
		return err
	}
	if err := s.check(latents); err != nil {
		return err
	}
	if want := len(latents) / g.cfg.Dim * g.cfg.Upsampling; len(codes) != want {
		return fmt.Errorf("wavenet: %d codes, want the %d of %d latents", len(codes), want, len(latents)/g.cfg.Dim)
	}
	s.push(latents)
	s.end()
	ws := g.workspace(1)
	for t := 0; s.settled() > 0; t++ {
		g.step(ws, []*Stream{s})
		visit(t, ws.logits[:Levels])
		s.take(int(codes[t]))
	}
	g.workspaces.Put(ws)
	return nil
}
