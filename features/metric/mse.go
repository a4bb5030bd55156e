// Package metric measures features against features.
package metric

// MelMSE is the mean squared error of log-mel features in dB², pooled over all
// frames and bands of all utterances (sony/sqvae evaluate_mse).
type MelMSE struct {
	TopDB float64 // dB per feature unit

	squares  float64
	elements int64
}

// Add compares two stretches of features of equal length.
func (m *MelMSE) Add(got, want []float32) {
	for i, v := range got {
		d := float64(v) - float64(want[i])
		m.squares += d * d
	}
	m.elements += int64(len(got))
}

// DB2 returns the error so far (dB²), NaN before the first Add.
func (m *MelMSE) DB2() float64 { return m.TopDB * m.TopDB * m.squares / float64(m.elements) }
