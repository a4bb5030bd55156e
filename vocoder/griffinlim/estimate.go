package griffinlim

import (
	"math"

	"vqspeech/features"
	"vqspeech/internal/simd"
)

const (
	// On LibriSpeech 8, 16, 32, 60 rounds leave a log-mel error of 1.0, 0.8,
	// 0.7, 0.6 dB².
	iterations = 32

	momentum = 0.99 // Perraudin et al. 2013; more does not converge here
)

// An estimator finds a signal whose STFT has given magnitudes, one block of
// frames after the other. Frames before the block that reach into it take
// part with the samples already returned, which stay as they are.
type estimator struct {
	width, hop, bins, n int
	before              int // frames before a block that reach into it
	history             int // samples before a block that those frames cover

	dft *features.DFT
	win []float64 // [width]

	mags []float64 // [past+pending, bins]
	past int       // frames of mags already returned, at most before

	x    []float64 // history, then the signal from the start of the block on
	warm int       // samples of x after the history that the last block estimated ahead
	norm []float64 // like x: sum of the squared windows

	frames     []float64    // [past+pending, width]
	spec, prev []complex128 // [past+pending, bins] transforms of this and the previous round
	goal       []complex128 // [past+pending, bins] magnitudes with phases
}

func newEstimator(n, width, hop int) *estimator {
	before := (width/2 + hop - 1) / hop
	return &estimator{
		width: width, hop: hop, bins: n/2 + 1, n: n,
		before: before, history: before*hop + width/2,
		dft: features.NewDFT(n), win: features.Window(width),
	}
}

func (e *estimator) reset() {
	e.mags, e.past, e.x, e.warm = e.mags[:0], 0, e.x[:0], 0
}

// add returns the room for the magnitudes [bins] of one more frame.
func (e *estimator) add() []float64 {
	at := len(e.mags)
	e.mags = resize(e.mags, at+e.bins)
	return e.mags[at:]
}

// pending returns the number of frames added and not yet returned.
func (e *estimator) pending() int { return len(e.mags)/e.bins - e.past }

// block estimates the signal of all pending frames and returns the samples
// [n*hop] of the first n, valid until the next call.
func (e *estimator) block(n int) []float64 {
	e.prepare(n)
	e.start()
	for round := range iterations {
		e.spec, e.prev = e.prev, e.spec
		e.analyse()
		e.accelerate(round > 0)
		e.synthesise()
	}

	keep := min(e.past+n, e.before)
	e.mags = e.mags[:copy(e.mags, e.mags[(e.past+n-keep)*e.bins:])]
	e.past = keep

	out := resize(e.norm, n*e.hop) // no longer needed
	copy(out, e.x[e.history:])
	e.norm = out
	e.x = e.x[:copy(e.x, e.x[n*e.hop:])]
	e.warm = len(e.x) - e.history
	return out
}

// prepare sizes the buffers for the pending frames, of which the samples of n
// will be returned, and sums the squared windows.
func (e *estimator) prepare(n int) {
	total := len(e.mags) / e.bins
	known := len(e.x)
	e.x = resize(e.x, e.history+max((e.pending()-1)*e.hop+e.width/2, n*e.hop))
	clear(e.x[known:])
	e.frames = resize(e.frames, total*e.width)
	e.spec = resize(e.spec, total*e.bins)
	e.prev = resize(e.prev, total*e.bins)
	e.goal = resize(e.goal, total*e.bins)

	e.norm = resize(e.norm, len(e.x))
	clear(e.norm)
	for f := range total {
		lo, hi := e.span(f)
		for i, w := range e.win[:hi-lo] {
			e.norm[lo+i] += w * w
		}
	}
	for i, v := range e.norm {
		e.norm[i] = 1 / max(v, 1e-3) // windows hardly touch the very end of an utterance
	}
}

// span returns the samples of x under the window of frame f. Only the last
// frames of an utterance end beyond x.
func (e *estimator) span(f int) (lo, hi int) {
	lo = e.history + (f-e.past)*e.hop - e.width/2
	return lo, min(lo+e.width, len(e.x))
}

// parallel calls f for ranges [lo, hi) of the frames of mags, on several
// threads. Ranges begin with even frames: two frames share a transform.
func (e *estimator) parallel(f func(lo, hi int)) {
	total := len(e.mags) / e.bins
	simd.Parallel((total+1)/2, 4, func(lo, hi int) { f(2*lo, min(2*hi, total)) })
}

// analyse sets spec to the transforms of x.
func (e *estimator) analyse() {
	e.parallel(func(first, end int) {
		frames := e.frames[first*e.width : end*e.width]
		for f := first; f < end; f++ {
			lo, hi := e.span(f)
			frame := frames[(f-first)*e.width:][:e.width]
			for i, v := range e.x[lo:hi] {
				frame[i] = v * e.win[i]
			}
			clear(frame[hi-lo:])
		}
		e.dft.Forward(e.spec[first*e.bins:end*e.bins], frames, e.width)
	})
}

// accelerate sets goal to the magnitudes with the phases of spec or, with
// momentum, of a point beyond it as seen from prev.
func (e *estimator) accelerate(withMomentum bool) {
	e.parallel(func(first, end int) {
		for i := first * e.bins; i < end*e.bins; i++ {
			z := e.spec[i]
			if withMomentum {
				z += complex(momentum, 0) * (z - e.prev[i])
			}
			e.goal[i] = withMagnitude(e.mags[i], z)
		}
	})
}

// synthesise sets x after the history to the signal whose transforms are
// closest to goal in the least-squares sense (Griffin & Lim 1984, eq. 6).
func (e *estimator) synthesise() {
	e.parallel(func(first, end int) {
		e.dft.Inverse(e.frames[first*e.width:end*e.width], e.goal[first*e.bins:end*e.bins], e.width)
	})
	clear(e.x[e.history:])
	for f := range len(e.mags) / e.bins {
		lo, hi := e.span(f)
		for i := max(0, e.history-lo); i < hi-lo; i++ {
			e.x[lo+i] += e.frames[f*e.width+i] * e.win[i]
		}
	}
	for i := e.history; i < len(e.x); i++ {
		e.x[i] *= e.norm[i]
	}
}

// withMagnitude returns the number of magnitude mag with the phase of z.
func withMagnitude(mag float64, z complex128) complex128 {
	a := math.Sqrt(real(z)*real(z) + imag(z)*imag(z))
	if a < 1e-100 {
		return complex(mag, 0)
	}
	return complex(real(z)*mag/a, imag(z)*mag/a)
}

func resize[T any](s []T, n int) []T {
	if n <= cap(s) {
		return s[:n]
	}
	return append(s[:cap(s)], make([]T, n-cap(s))...)
}
