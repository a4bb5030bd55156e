package train

import (
	"vqspeech/features/metric"
	"vqspeech/model"
	quantmetric "vqspeech/quant/metric"
)

// Evaluation is the result on one set of utterances.
type Evaluation struct {
	MSE        float64 `json:"mse_db2"`    // pooled over frames and bands (dB²)
	Perplexity float64 `json:"perplexity"` // of the codes of the whole set
	UsedCodes  int     `json:"used_codes"`
}

// Evaluate encodes and decodes every utterance with its own speaker, as
// sony/sqvae's evaluation does: whole utterances, hard codes, running
// statistics; the first mel frame and those after the last unit do not count.
func Evaluate(m *model.Model, set []Utterance) (Evaluation, error) {
	resolved, err := resolve(set, m.Config)
	if err != nil {
		return Evaluation{}, err
	}
	return evaluate(m, resolved), nil
}

func evaluate(m *model.Model, set []utterance) Evaluation {
	mels := m.Config.Features.NMels
	mse := metric.MelMSE{TopDB: m.Config.Features.TopDB}
	usage := quantmetric.NewCounter(m.Codebook.Size)
	for _, u := range set {
		if !u.hasUnit() {
			continue
		}
		mel := make([]float32, len(u.db))
		u.level.Apply(mel, u.db)
		codes := m.EncodeMel(mel)
		usage.Add(codes)
		out := m.DecodeAll(codes, int(u.speaker))
		mse.Add(out, mel[mels:mels+len(out)])
	}
	return Evaluation{MSE: mse.DB2(), Perplexity: usage.Perplexity(), UsedCodes: usage.Used()}
}
