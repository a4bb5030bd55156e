package griffinlim

import "math"

// start sets x to a first estimate. Frames under which the signal is known or
// was estimated ahead keep its phases; the others continue them by single-pass
// spectrogram inversion (Beauregard, Harish & Wyse 2015): every peak of a
// spectrum is a sinusoid that goes on from the phase that its bin had in the
// frame before, and the bins around the peak follow it.
func (e *estimator) start() {
	e.analyse()
	phase := make([]float64, e.bins) // at the centre of the previous frame
	for f := range len(e.mags) / e.bins {
		mags := e.mags[f*e.bins:][:e.bins]
		goal := e.goal[f*e.bins:][:e.bins]
		if _, hi := e.span(f); hi <= e.history+e.warm {
			for k, z := range e.spec[f*e.bins:][:e.bins] {
				goal[k] = withMagnitude(mags[k], z)
				phase[k] = math.Atan2(imag(z), real(z)) + e.toCentre(k)
			}
			continue
		}
		e.advance(phase, mags)
		for k, p := range phase {
			sin, cos := math.Sincos(p - e.toCentre(k))
			goal[k] = complex(mags[k]*cos, mags[k]*sin)
		}
	}
	e.synthesise()
}

// toCentre returns the phase (radians) that bin k gains from the start of a
// window, which transforms refer to, to its centre, where all bins of a
// sinusoid have one phase.
func (e *estimator) toCentre(k int) float64 {
	return math.Pi * float64(k) * float64(e.width) / float64(e.n)
}

// advance replaces the phases at the centre of a frame by those of the next
// frame, whose magnitudes are mags.
func (e *estimator) advance(phase, mags []float64) {
	for lo := 0; lo < len(mags); { // from valley to valley
		peak := lo
		for peak+1 < len(mags) && mags[peak+1] >= mags[peak] {
			peak++
		}
		hi := peak + 1
		for hi < len(mags) && mags[hi] < mags[hi-1] {
			hi++
		}
		bin := float64(peak)
		if peak > 0 && peak+1 < len(mags) {
			a, b, c := mags[peak-1], mags[peak], mags[peak+1]
			if curve := a - 2*b + c; curve < 0 {
				bin += (a - c) / (2 * curve) // the top of the parabola
			}
		}
		p := phase[peak] + 2*math.Pi*bin*float64(e.hop)/float64(e.n)
		for k := lo; k < hi; k++ {
			phase[k] = p
		}
		lo = hi
	}
}
