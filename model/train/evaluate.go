package train

import (
	"errors"

	"vqspeech/features/metric"
	"vqspeech/model"
	quantmetric "vqspeech/quant/metric"
)

// Evaluation is the result on one set of utterances.
type Evaluation struct {
	MSE        float64 `json:"mse_db2"`    // pooled over frames and bands (dB²)
	Perplexity float64 `json:"perplexity"` // of the codes of the whole set
	UsedCodes  int     `json:"used_codes"`

	// Of the gaussian kinds, whose decline is the self-annealing of SQ-VAE
	// (Takida et al. 2022, figure 2).
	Variance float64  `json:"posterior_variance,omitempty"` // σ², mean over latents and dimensions
	Entropy  *float64 `json:"posterior_entropy,omitempty"`  // of the posterior over the codes (nats per latent), which may be 0
}

// Evaluate encodes and decodes every utterance with its own speaker, as
// sony/sqvae's evaluation does: whole utterances, hard codes, running
// statistics; the first mel frame and those after the last unit do not count.
// Utterances that are too short for a unit are left out: measured has the indexes of
// the others. There must be one.
func Evaluate(m *model.Model, set []Utterance) (e Evaluation, measured []int, err error) {
	resolved, err := resolve(set, m.Config)
	if err != nil {
		return Evaluation{}, nil, err
	}
	for i, u := range resolved {
		if u.hasUnit() {
			measured = append(measured, i)
		}
	}
	if measured == nil {
		return Evaluation{}, nil, errors.New("train: no utterance is long enough for a unit")
	}
	return evaluate(m, resolved), measured, nil
}

func evaluate(m *model.Model, set []utterance) Evaluation {
	mels := m.Config.Features.NMels
	mse := metric.MelMSE{TopDB: m.Config.Features.TopDB}
	usage := quantmetric.NewCounter(m.Codebook.Size)
	var variance quantmetric.Variance
	var entropies []float32
	for _, u := range set {
		if !u.hasUnit() {
			continue
		}
		mel := make([]float32, len(u.db))
		u.level.Apply(mel, u.db)
		latents, logVar := m.Latents(mel)
		codes := m.Assign(latents, logVar)
		usage.Add(codes)
		out := m.DecodeAll(codes, int(u.speaker))
		mse.Add(out, mel[mels:mels+len(out)])
		if m.Config.Quantizer.Kind.Gaussian() {
			variance.Add(logVar)
			entropies = append(entropies, m.PosteriorEntropy(latents, logVar)...)
		}
	}
	e := Evaluation{MSE: mse.DB2(), Perplexity: usage.Perplexity(), UsedCodes: usage.Used()}
	if len(entropies) > 0 {
		e.Variance = variance.Mean()
		mean := 0.0
		for _, h := range entropies {
			mean += float64(h) / float64(len(entropies))
		}
		e.Entropy = &mean
	}
	return e
}
