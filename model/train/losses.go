package train

import (
	G "gorgonia.org/gorgonia"

	"vqspeech/quant/metric"
)

// Losses are the terms of one step, in the names of metrics.jsonl.
type Losses struct {
	Total        float64 `json:"loss"`
	Recon        float64 `json:"recon/loss"`                   // nats per crop (arelbo) or mean squared error
	MSE          float64 `json:"recon/mse"`                    // mean squared error of the features
	KLContinuous float64 `json:"sq/kl_continuous,omitempty"`   // nats per crop
	KLDiscrete   float64 `json:"sq/kl_discrete,omitempty"`     // minus the posterior entropy, nats per crop
	Commitment   float64 `json:"vq/commitment_loss,omitempty"` // mean over elements
	Codebook     float64 `json:"vq/codebook_loss,omitempty"`   // mean over elements
	Perplexity   float64 `json:"codebook/batch_perplexity"`    // of the batch's hard assignments
}

// losses reads the terms of the step that the machine has just run.
func (s *speech) losses() Losses {
	l := Losses{Total: value(s.nodes.total), Recon: value(s.nodes.recon)}
	out, mel := s.nodes.output, s.nodes.mel
	b, t, m := out.Shape()[0], out.Shape()[1], out.Shape()[2]
	x, y := out.Value().Data().([]float32), mel.Value().Data().([]float32)
	var squares float64
	for i := range b {
		want := y[(i*(t+2)+1)*m:]
		for j, v := range x[i*t*m : (i+1)*t*m] {
			d := float64(v) - float64(want[j])
			squares += d * d
		}
	}
	l.MSE = squares / float64(len(x))
	if s.gaussian.Codes != nil {
		l.KLContinuous, l.KLDiscrete = value(s.gaussian.Regularizer), value(s.gaussian.NegEntropy)
	} else {
		l.Commitment = value(s.vq.Commitment)
		if s.vq.Codebook != nil {
			l.Codebook = value(s.vq.Codebook)
		}
	}
	l.Perplexity = s.perplexity()
	return l
}

// perplexity is the published one of the batch's hard assignments.
func (s *speech) perplexity() float64 {
	codes := make([]uint16, len(s.codes()))
	for i, c := range s.codes() {
		codes[i] = uint16(c)
	}
	count := metric.NewCounter(s.codebookSize)
	if err := count.Add(codes); err != nil {
		panic(err) // Assign chooses among codebookSize logits
	}
	return count.PerplexityEps(metric.PublishedEps)
}

func value(n *G.Node) float64 { return float64(n.Value().Data().(float32)) }

// codes are the hard assignments of the last step, latents [N, D] what was
// assigned.
func (s *speech) codes() []int32 { return s.quantizer().codes.Value().Data().([]int32) }

func (s *speech) latents() []float32 { return s.quantizer().latent.Value().Data().([]float32) }

type quantizerNodes struct{ latent, codes *G.Node }

func (s *speech) quantizer() quantizerNodes {
	if s.gaussian.Codes != nil {
		return quantizerNodes{s.gaussian.Latent, s.gaussian.Codes}
	}
	return quantizerNodes{s.vq.Latent, s.vq.Codes}
}
