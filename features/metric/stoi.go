package metric

import (
	"fmt"
	"math"

	"vqspeech/features"
)

// Constants of STOI (Taal et al. 2011, An algorithm for intelligibility
// prediction of time-frequency weighted noisy speech), section II.
const (
	stoiRate    = 10000 // Hz
	stoiWindow  = 256   // samples
	stoiHop     = stoiWindow / 2
	stoiNFFT    = 512
	stoiBands   = 15
	stoiLowest  = 150.0 // centre of the lowest third-octave band (Hz)
	stoiRangeDB = 40    // frames further below the loudest are silence
	stoiSegment = 30    // frames, 384 ms
	stoiClipDB  = -15   // lowest signal-to-distortion ratio that counts
)

// stoiEps is MATLAB's eps, which the published code adds to denominators.
const stoiEps = 0x1p-52

// STOI returns the short-time objective intelligibility (Taal et al. 2011) of an
// estimate, in about [0, 1]: the correlation of third-octave envelopes with
// those of the reference, over segments of 384 ms, silence of the reference
// left out. The details (frames, silence, band edges) are those of the authors'
// MATLAB code and of pystoi; recordings at other rates than 10 kHz are converted
// by vqspeech/audio/resample, which changes the third decimal place.
//
// It fails where fewer than 30 frames (0.4 s) are left without silence: published
// programs return a constant there.
func STOI(reference, estimate []float32, rate int) (float64, error) {
	r, e, err := common(reference, estimate, rate)
	if err != nil {
		return 0, err
	}
	if r, e, err = both(r, e, rate, stoiRate); err != nil {
		return 0, err
	}
	kept := audible(r)
	frames := max(0, len(kept)-1)
	if frames < stoiSegment {
		return 0, fmt.Errorf("metric: %d frames are left without silence, STOI wants at least %d", frames, stoiSegment)
	}
	return envelopeCorrelation(thirdOctaves(r, kept), thirdOctaves(e, kept)), nil
}

// stoiHann is the Hann window of 256 without the zeros at its ends.
var stoiHann = func() (w [stoiWindow]float64) {
	for i := range w {
		w[i] = 0.5 - 0.5*math.Cos(2*math.Pi*float64(i+1)/(stoiWindow+1))
	}
	return w
}()

// stoiBins holds the bins [from, to) of each band: the edges are a sixth of an
// octave either side of the centre, each at the nearest bin.
var stoiBins = func() (bins [stoiBands][2]int) {
	nearest := func(hz float64) int { return int(math.Round(hz * stoiNFFT / stoiRate)) }
	for k := range bins {
		for side := range bins[k] {
			bins[k][side] = nearest(stoiLowest * math.Exp2(float64(2*k+2*side-1)/6))
		}
	}
	return bins
}()

// audible returns the starts of the frames of x that are not silent.
func audible(x []float32) (starts []int) {
	var levels []float64 // dB
	loudest := math.Inf(-1)
	for at := 0; at < len(x)-stoiWindow; at += stoiHop {
		var sum float64
		for i, v := range x[at:][:stoiWindow] {
			w := stoiHann[i] * float64(v)
			sum += float64(w * w)
		}
		db := 20 * math.Log10(math.Sqrt(sum)+stoiEps)
		levels, loudest = append(levels, db), max(loudest, db)
	}
	for i, db := range levels {
		if db > loudest-stoiRangeDB {
			starts = append(starts, i*stoiHop)
		}
	}
	return starts
}

// octaves are the third-octave amplitudes of a frame.
type octaves [stoiBands]float64

// thirdOctaves returns the third-octave amplitudes of x without its silence:
// the windowed frames of x that begin at starts, at least 2, are overlapped and
// added, and the result is cut into frames again, one less than there were.
func thirdOctaves(x []float32, starts []int) []octaves {
	// A frame of the result is two halves, each the second half of one frame of
	// x plus the first half of the next.
	half := func(dst []float64, k int) {
		for i := range dst {
			dst[i] = stoiHann[i] * float64(x[starts[k]+i])
			if k > 0 {
				dst[i] += stoiHann[stoiHop+i] * float64(x[starts[k-1]+stoiHop+i])
			}
		}
	}
	const block = 2 // frames that share a transform
	dft := features.NewDFT(stoiNFFT)
	bins := dft.Bins()
	halves := make([]float64, (block+1)*stoiHop)
	frames := make([]float64, block*stoiWindow)
	spectra := make([]complex128, block*bins)
	out := make([]octaves, len(starts)-1)
	half(halves[:stoiHop], 0)
	for t := 0; t < len(out); t += block {
		n := min(block, len(out)-t)
		for f := range n {
			half(halves[(f+1)*stoiHop:][:stoiHop], t+f+1)
			for i, w := range stoiHann {
				frames[f*stoiWindow+i] = w * halves[f*stoiHop+i]
			}
		}
		dft.Forward(spectra[:n*bins], frames[:n*stoiWindow], stoiWindow)
		for f := range n {
			for k, band := range stoiBins {
				var sum float64
				for _, z := range spectra[f*bins:][band[0]:band[1]] {
					sum += float64(real(z)*real(z)) + float64(imag(z)*imag(z))
				}
				out[t+f][k] = math.Sqrt(sum)
			}
		}
		copy(halves, halves[n*stoiHop:][:stoiHop])
	}
	return out
}

// envelopeCorrelation returns the mean correlation of the bands of x and y over
// all segments, y scaled to the energy of x and limited from above.
func envelopeCorrelation(x, y []octaves) float64 {
	limit := 1 + math.Pow(10, -stoiClipDB/20.0)
	var a, b [stoiSegment]float64
	var total float64
	segments := len(x) - stoiSegment + 1
	for s := range segments {
		for k := range stoiBands {
			for t := range a {
				a[t], b[t] = x[s+t][k], y[s+t][k]
			}
			scale := norm(&a) / (norm(&b) + stoiEps)
			for t := range b {
				b[t] = min(b[t]*scale, a[t]*limit)
			}
			unit(&a)
			unit(&b)
			for t := range a {
				total += float64(a[t] * b[t])
			}
		}
	}
	return total / float64(segments*stoiBands)
}

// norm returns the Euclidean norm.
func norm(v *[stoiSegment]float64) float64 {
	var sum float64
	for _, x := range v {
		sum += float64(x * x)
	}
	return math.Sqrt(sum)
}

// unit removes the mean and scales to length 1.
func unit(v *[stoiSegment]float64) {
	var mean float64
	for _, x := range v {
		mean += x
	}
	mean /= stoiSegment
	for t := range v {
		v[t] -= mean
	}
	n := norm(v) + stoiEps
	for t := range v {
		v[t] /= n
	}
}
