// Package resample converts audio from one sample rate to another.
//
// The ratio of two integer rates, without their common factor, is L/M: output n
// lies at the time n·M/L of the input. Each output is the inner product of the
// input around that time with one of L phases of a Kaiser-windowed sinc (64
// zero crossings on either side, the constants of resampy and torchaudio
// "kaiser_best"), in float64.
//
// The filter is symmetric about the output's time, so nothing is delayed. With
// N the lower of the two Nyquist frequencies, tones up to 0.87 N pass unchanged
// and tones above 1.03 N are gone, to better than 130 dB. The input counts as
// silence before its start and after its end.
//
// A [Resampler] works on pieces of any length and gives the same samples, bit
// for bit, as [Resample] on the whole.
package resample

import (
	"fmt"
	"math"
	"sync"
)

// MaxRatio is the largest ratio between the two rates.
const MaxRatio = 256

// A Resampler converts one signal piece by piece. It holds the reach of its
// filter, 128 samples at the lower of the two rates, and one piece.
type Resampler struct {
	f     *filter   // nil: equal rates
	held  []float64 // input samples from index start on
	start int64
	base  int64 // input index at or before the next output
	phase int   // of the next output, [0, L)
	in    int64 // samples pushed
	out   int64 // samples returned
}

// New returns a Resampler from one rate to another (Hz, both positive). It is
// an error if one is more than [MaxRatio] times the other.
func New(from, to int) (*Resampler, error) {
	if from < 1 || to < 1 {
		return nil, fmt.Errorf("resample: rates must be positive (got %d and %d Hz)", from, to)
	}
	if int64(from) > math.MaxInt32 || int64(to) > math.MaxInt32 || int64(from) > MaxRatio*int64(to) || int64(to) > MaxRatio*int64(from) {
		return nil, fmt.Errorf("resample: %d Hz to %d Hz is a ratio beyond %d", from, to, MaxRatio)
	}
	r := &Resampler{}
	if from != to {
		g := gcd(from, to)
		r.f = shared(to/g, from/g)
		r.start = int64(1 - r.f.half)
		r.held = make([]float64, r.f.half-1) // silence before the start
	}
	return r, nil
}

// Push takes the next samples and appends to dst all outputs that they decide.
func (r *Resampler) Push(dst, samples []float32) []float32 {
	r.in += int64(len(samples))
	if r.f == nil {
		r.out = r.in
		return append(dst, samples...)
	}
	for len(samples) > 0 { // in blocks, so that held stays small
		n := min(len(samples), 1<<14)
		for _, x := range samples[:n] {
			r.held = append(r.held, float64(x))
		}
		samples = samples[n:]
		dst = r.emit(dst, math.MaxInt64)
	}
	return dst
}

// Flush ends the signal and appends to dst the outputs that are left. In total
// there are [Len] of the number of samples pushed. The Resampler must not be
// used after.
func (r *Resampler) Flush(dst []float32) []float32 {
	if r.f == nil {
		return dst
	}
	r.held = append(r.held, make([]float64, r.f.half)...) // silence after the end
	return r.emit(dst, length(r.in, r.f.up, r.f.down))
}

// emit appends the outputs whose input is there, up to total outputs in all.
func (r *Resampler) emit(dst []float32, total int64) []float32 {
	f := r.f
	end := r.start + int64(len(r.held))
	for r.out < total && r.base+int64(f.half) < end {
		x := r.held[r.base-int64(f.half)+1-r.start:]
		dst = append(dst, float32(f.at(r.phase, x)))
		r.out++
		r.phase += f.down
		r.base += int64(r.phase / f.up)
		r.phase %= f.up
	}
	if done := r.base - int64(f.half) + 1 - r.start; done > 0 {
		done = min(done, int64(len(r.held)))
		r.held = r.held[:copy(r.held, r.held[done:])]
		r.start += done
	}
	return dst
}

// at returns the output of phase p from the input x that begins at its first tap.
func (f *filter) at(p int, x []float64) float64 {
	if f.exact {
		return dot(f.row(p), x)
	}
	i := p * f.phases / f.up
	frac := float64(p*f.phases%f.up) / float64(f.up)
	lo, hi := dot(f.row(i), x), dot(f.row(i+1), x)
	return lo + float64(frac*(hi-lo))
}

// Resample returns samples [S] float32 at another rate (Hz), [Len] of them.
func Resample(samples []float32, from, to int) ([]float32, error) {
	r, err := New(from, to)
	if err != nil {
		return nil, err
	}
	dst := make([]float32, 0, Len(int64(len(samples)), from, to))
	return r.Flush(r.Push(dst, samples)), nil
}

// Len returns the number of samples that n samples become: ⌈n·to/from⌉.
func Len(n int64, from, to int) int64 {
	g := gcd(from, to)
	return length(n, to/g, from/g)
}

// length is ⌈n·up/down⌉ without overflow in the product.
func length(n int64, up, down int) int64 {
	u, d := int64(up), int64(down)
	return n/d*u + (n%d*u+d-1)/d
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// recent is the last filter made. A corpus has one sample rate, and the table
// would otherwise take longer than a short utterance.
var recent struct {
	sync.Mutex
	f *filter
}

// shared returns the filter for up/down.
func shared(up, down int) *filter {
	recent.Lock()
	defer recent.Unlock()
	if recent.f == nil || recent.f.up != up || recent.f.down != down {
		recent.f = newFilter(up, down)
	}
	return recent.f
}
