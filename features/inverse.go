package features

import (
	"fmt"

	"gonum.org/v1/gonum/mat"
)

// An Inverse estimates linear magnitudes from mel amplitudes by the
// pseudo-inverse of the mel filter bank. On LibriSpeech, non-negative least
// squares from there on changed the log-mel error of Griffin-Lim copies by no
// more than 0.05 dB², so it stays linear.
type Inverse struct {
	bins, bands int
	pinv        []float64 // [bins, M], row-major
}

// NewInverse returns the estimator for magnitudes at the nfft/2+1 bins of a
// transform of length nfft, a power of two from cfg.WinLength to cfg.NFFT. The
// magnitudes of a frame do not depend on how far it is zero-padded; the bins
// that the shorter transform lacks are taken to lie on straight lines.
func NewInverse(cfg Config, nfft int) (*Inverse, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if nfft < cfg.WinLength || nfft > cfg.NFFT || nfft&(nfft-1) != 0 {
		return nil, fmt.Errorf("features: inverse of length %d, want a power of two from win_length %d to n_fft %d",
			nfft, cfg.WinLength, cfg.NFFT)
	}
	bank := newFilterBank(cfg.SampleRate, cfg.NFFT, cfg.NMels, cfg.FMin, cfg.FMax).coarse(cfg.NFFT / nfft)
	pinv, err := pseudoInverse(bank.dense(), cfg.NMels, bank.bins)
	if err != nil {
		return nil, err
	}
	return &Inverse{bins: bank.bins, bands: cfg.NMels, pinv: pinv}, nil
}

// Bins returns nfft/2+1.
func (v *Inverse) Bins() int { return v.bins }

// Magnitudes sets mag [bins] to magnitudes, none negative, whose mel
// amplitudes are close to mel [M] (amplitudes, 10^(dB/20)).
func (v *Inverse) Magnitudes(mag, mel []float64) {
	for j := range mag {
		var sum float64
		for i, w := range v.pinv[j*v.bands:][:v.bands] {
			sum += w * mel[i]
		}
		mag[j] = max(0, sum)
	}
}

// coarse returns the filter bank as functions of every factor-th bin, the bins
// between them interpolated linearly.
func (fb *filterBank) coarse(factor int) *filterBank {
	c := &filterBank{
		bins: (fb.bins-1)/factor + 1, edges: fb.edges,
		first: make([]int, len(fb.first)), weights: make([][]float64, len(fb.weights)),
	}
	for m, ws := range fb.weights {
		if len(ws) == 0 {
			continue
		}
		lo := fb.first[m] / factor
		hi := (fb.first[m] + len(ws) - 1 + factor - 1) / factor
		c.first[m] = lo
		c.weights[m] = make([]float64, hi-lo+1)
		for i, w := range ws {
			j := fb.first[m] + i
			part := float64(j%factor) / float64(factor)
			c.weights[m][j/factor-lo] += w * (1 - part)
			if part > 0 {
				c.weights[m][j/factor-lo+1] += w * part
			}
		}
	}
	return c
}

// pseudoInverse returns A' (A A' + r I)^-1 [cols, rows] of A [rows, cols], with
// a ridge r far below the smallest useful singular value, so that filters
// without a bin of their own do no harm.
func pseudoInverse(a []float64, rows, cols int) ([]float64, error) {
	m := mat.NewDense(rows, cols, a)
	gram := mat.NewSymDense(rows, nil)
	gram.SymOuterK(1, m)
	ridge := 1e-6 * mat.Trace(gram) / float64(rows)
	for i := range rows {
		gram.SetSym(i, i, gram.At(i, i)+ridge)
	}
	var chol mat.Cholesky
	if !chol.Factorize(gram) {
		return nil, fmt.Errorf("features: mel filter bank %d x %d has no pseudo-inverse", rows, cols)
	}
	var x mat.Dense // [rows, cols] = (A A' + r I)^-1 A
	if err := chol.SolveTo(&x, m); err != nil {
		return nil, fmt.Errorf("features: mel filter bank %d x %d has no pseudo-inverse: %w", rows, cols, err)
	}
	out := make([]float64, cols*rows)
	mat.NewDense(cols, rows, out).Copy(x.T())
	return out, nil
}
