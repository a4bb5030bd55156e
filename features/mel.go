package features

import "math"

// The Slaney mel scale: linear below 1 kHz, logarithmic above
// (Auditory Toolbox; librosa 0.7.2, hz_to_mel with htk=False).
const (
	slaneyHzPerMel = 200.0 / 3
	slaneyBreakHz  = 1000.0
	slaneyBreakMel = slaneyBreakHz / slaneyHzPerMel
)

var slaneyLogStep = math.Log(6.4) / 27

func hzToMel(f float64) float64 {
	if f < slaneyBreakHz {
		return f / slaneyHzPerMel
	}
	return slaneyBreakMel + math.Log(f/slaneyBreakHz)/slaneyLogStep
}

func melToHz(m float64) float64 {
	if m < slaneyBreakMel {
		return m * slaneyHzPerMel
	}
	return slaneyBreakHz * math.Exp(slaneyLogStep*(m-slaneyBreakMel))
}

// A filterBank holds the non-zero weights of M triangular mel filters over
// nfft/2+1 frequency bins.
type filterBank struct {
	bins    int
	edges   []float64   // [M+2] (Hz)
	first   []int       // [M] first bin with a non-zero weight
	weights [][]float64 // [M] consecutive weights, each rounded to float32 as librosa stores them
}

// newFilterBank builds the filter bank of librosa 0.7.2, filters.mel with
// norm=1: triangles between edges equally spaced in mel, each of area 1 (in
// Hz), for bins at multiples of sampleRate/nfft (Hz).
func newFilterBank(sampleRate, nfft, nMels int, fMin, fMax float64) *filterBank {
	fb := &filterBank{
		bins:    nfft/2 + 1,
		edges:   make([]float64, nMels+2),
		first:   make([]int, nMels),
		weights: make([][]float64, nMels),
	}
	lo, hi := hzToMel(fMin), hzToMel(fMax)
	for i := range fb.edges {
		fb.edges[i] = melToHz(lo + (hi-lo)*float64(i)/float64(nMels+1))
	}
	for m := range nMels {
		left, centre, right := fb.edges[m], fb.edges[m+1], fb.edges[m+2]
		area := 2 / (right - left)
		for j := range fb.bins {
			f := float64(j) * float64(sampleRate) / float64(nfft)
			w := min((f-left)/(centre-left), (right-f)/(right-centre)) * area
			if !(w > 0) {
				continue
			}
			if fb.weights[m] == nil {
				fb.first[m] = j
			}
			fb.weights[m] = append(fb.weights[m], float64(float32(w)))
		}
	}
	return fb
}

// dense returns the filter bank as a matrix [M, bins], row-major.
func (fb *filterBank) dense() []float64 {
	d := make([]float64, len(fb.weights)*fb.bins)
	for m, ws := range fb.weights {
		copy(d[m*fb.bins+fb.first[m]:], ws)
	}
	return d
}

// BandCentres returns the frequency at which each mel filter of cfg is largest,
// [M] (Hz).
func BandCentres(cfg Config) []float64 {
	bank := newFilterBank(cfg.SampleRate, cfg.NFFT, cfg.NMels, cfg.FMin, cfg.FMax)
	return bank.edges[1 : len(bank.edges)-1]
}
