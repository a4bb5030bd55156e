package features

import (
	"math/cmplx"
	"runtime"

	"github.com/mjibson/go-dsp/fft"
	"github.com/mjibson/go-dsp/window"
)

// go-dsp starts its worker goroutines anew for every transform, and setting
// their number while a transform runs is a data race: one worker, once, and
// the parallel work is done over frames instead.
func init() { fft.SetWorkerPoolSize(1) }

// Window returns the periodic Hann window, w[i] = 0.5 - 0.5 cos(2 pi i/n).
// go-dsp's window is symmetric, so it is one sample of n+1 too long.
func Window(n int) []float64 { return window.Hann(n + 1)[:n] }

// A DFT transforms real frames of one power-of-two length N to the bins 0..N/2
// and back. go-dsp knows only complex transforms, so two real frames travel as
// real and imaginary part of one; the split by symmetry is exact to rounding.
// It may be used by several goroutines at a time.
type DFT struct{ n int }

// NewDFT returns a transform of length n, a power of two of at least 4. It
// panics on any other length: there go-dsp falls back to Bluestein's
// algorithm, whose cache of factors is never emptied.
func NewDFT(n int) *DFT {
	if n < 4 || n&(n-1) != 0 {
		panic("features: DFT length is not a power of two")
	}
	return &DFT{n}
}

// Bins returns N/2+1.
func (d *DFT) Bins() int { return d.n/2 + 1 }

// Forward sets spectra [F, N/2+1] to the transforms of the F frames [F, width],
// each zero beyond width ≤ N. Frames 2i and 2i+1 share a transform. It panics
// if the lengths do not agree.
func (d *DFT) Forward(spectra []complex128, frames []float64, width int) {
	bins, count := d.Bins(), d.check(len(spectra), len(frames), width)
	in := make([]complex128, d.n)
	for f := 0; f < count; f += 2 {
		even := spectra[f*bins:][:bins]
		a := frames[f*width:][:width]
		if f+1 == count {
			d.pair(in, a, nil, func(k int, a, _ complex128) { even[k] = a })
			return
		}
		odd := spectra[(f+1)*bins:][:bins]
		d.pair(in, a, frames[(f+1)*width:][:width], func(k int, a, b complex128) { even[k], odd[k] = a, b })
	}
}

// pair transforms the real frames a and b, zero beyond their lengths, and
// calls each with the two spectra of every bin 0..N/2. b may be empty. in [N]
// is scratch space.
func (d *DFT) pair(in []complex128, a, b []float64, each func(k int, a, b complex128)) {
	for i, v := range a {
		in[i] = complex(v, 0)
	}
	clear(in[len(a):])
	for i, v := range b {
		in[i] = complex(real(in[i]), v)
	}
	z := transform(in)
	for k := range d.Bins() {
		p, q := z[k], cmplx.Conj(z[(d.n-k)&(d.n-1)])
		s, t := p+q, p-q // 2 A[k], 2i B[k]
		each(k, complex(real(s)/2, imag(s)/2), complex(imag(t)/2, -real(t)/2))
	}
}

// Inverse sets frames [F, width] to the first width samples of the inverse
// transforms of spectra [F, N/2+1], the inverse of Forward. It panics if the
// lengths do not agree.
func (d *DFT) Inverse(frames []float64, spectra []complex128, width int) {
	bins, scale := d.Bins(), 1/float64(d.n)
	count := d.check(len(spectra), len(frames), width)
	in := make([]complex128, d.n)
	for f := 0; f < count; f += 2 {
		clear(in)
		addHermitian(in, spectra[f*bins:][:bins], 1)
		if f+1 < count {
			addHermitian(in, spectra[(f+1)*bins:][:bins], 1i)
		}
		z := transform(in)
		for r := range min(2, count-f) {
			for i := range width {
				v := imag(z[i]) // the first frame, exchanged with the second as below
				if r == 1 {
					v = real(z[i])
				}
				frames[(f+r)*width+i] = v * scale
			}
		}
	}
}

// addHermitian adds to in [N] the full spectrum of a real frame times unit, with
// real and imaginary parts exchanged: between two such exchanges the forward
// transform is the inverse one. Bins 0 and N/2 of a real frame are real.
func addHermitian(in, spectrum []complex128, unit complex128) {
	last := len(spectrum) - 1
	add := func(k int, v complex128) {
		v *= unit
		in[k] += complex(imag(v), real(v))
	}
	add(0, complex(real(spectrum[0]), 0))
	add(last, complex(real(spectrum[last]), 0))
	for k := 1; k < last; k++ {
		add(k, spectrum[k])
		add(len(in)-k, cmplx.Conj(spectrum[k]))
	}
}

func (d *DFT) check(spectra, frames, width int) (count int) {
	count = spectra / d.Bins()
	if width < 1 || width > d.n || count*d.Bins() != spectra || count*width != frames {
		panic("features: DFT lengths do not agree")
	}
	return count
}

// transform is go-dsp's FFT. A goroutine of it outlives the call and holds its
// buffers until it is scheduled once more; without a turn for it, thousands of
// them pile up on a busy processor.
func transform(x []complex128) []complex128 {
	z := fft.FFT(x)
	runtime.Gosched()
	return z
}
