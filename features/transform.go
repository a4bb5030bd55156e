package features

import (
	"math"
	"sync"

	"vqspeech/internal/simd"
)

// A melTransform takes frames of WinLength samples to mel amplitudes by matrix
// products, the fastest way here: a window is much shorter than NFFT, so that a
// product with the bins it needs costs little more arithmetic than an FFT of
// the whole, and runs at the full speed of the kernels.
//
// Only magnitudes are needed, so time may be counted from the centre c of the
// frame. There the window is even, and with
//
//	e[n] = y[c+n] + y[c-n],  o[n] = y[c+n] - y[c-n],  0 < n < WinLength/2
//
// the transform at bin k is Σ w[n] e[n] cos(2πkn/NFFT) - i Σ w[n] o[n] sin(2πkn/NFFT).
// Bin NFFT/2-k has the same terms, those of odd n with the other sign in the
// first sum and those of even n in the second. So the sums over even and odd n
// are computed apart, for half of the bins, and added and subtracted.
//
// A melTransform is not changed once it is made; any number of goroutines may use
// it.
type melTransform struct {
	key     transformKey
	columns int        // bins k computed; their mirror images NFFT/2-k come with them
	lowest  int        // bin of column 0
	basis   []basis    // of the four groups of values of a folded frame
	mel     []melBlock // of the 2*columns magnitudes
}

// The groups of values of a folded frame: e and o at even n, e and o at odd n.
const groups = 4

// A basis is the part of the transform for some values of one group.
type basis struct {
	group   int
	first   int          // value of the folded frame
	weights *simd.Packed // [values, columns]
}

// basisValues is the number of values of a frame that are summed at a time, of
// those of a group: about as many as there will be sums. Sums of short sums lose
// least to rounding, which is what limits the level that can be told below a loud
// tone.
func basisValues(values int) int { return max(1, int(math.Round(math.Sqrt(float64(values))))) }

// melBlock maps some of the magnitudes to the bands that have a weight there.
type melBlock struct {
	first   int          // magnitude
	band    int          // first band
	weights *simd.Packed // [≤ melBlockSize, bands]
}

// melBlockSize is the number of magnitudes whose bands are looked up together.
// Most blocks then have no more than 32 bands, a tile of the AVX-512 kernel.
const melBlockSize = 128

// transformKey is what a transform depends on.
type transformKey struct {
	cfg Config // without what comes before and after the transform
	isa string
}

// latest is the transform made last: nearly every program has one
// configuration, and many short signals.
var latest struct {
	sync.Mutex
	t *melTransform
}

// transformFor returns the transform of a valid configuration.
func transformFor(cfg Config) *melTransform {
	key := transformKey{isa: simd.ISA(), cfg: Config{
		SampleRate: cfg.SampleRate, NFFT: cfg.NFFT, WinLength: cfg.WinLength,
		NMels: cfg.NMels, FMin: cfg.FMin, FMax: cfg.FMax,
	}}
	latest.Lock()
	defer latest.Unlock()
	if latest.t == nil || latest.t.key != key {
		latest.t = newTransform(key)
	}
	return latest.t
}

func newTransform(key transformKey) *melTransform {
	cfg := key.cfg
	bank := newFilterBank(cfg.SampleRate, cfg.NFFT, cfg.NMels, cfg.FMin, cfg.FMax)
	t := &melTransform{key: key}
	quarter := cfg.NFFT / 4
	t.lowest = quarter
	for m, ws := range bank.weights {
		if len(ws) > 0 {
			t.lowest = min(t.lowest, bank.first[m], cfg.NFFT/2-(bank.first[m]+len(ws)-1))
		}
	}
	t.columns = quarter - t.lowest + 1
	t.packBasis()
	t.packMel(bank)
	return t
}

// packBasis fills the basis with go-dsp's window and roots of unity: the
// transform of an impulse at 1.
func (t *melTransform) packBasis() {
	n := t.key.cfg.NFFT
	impulse := make([]complex128, n)
	impulse[1] = 1
	roots := transform(impulse)
	window := Window(t.key.cfg.WinLength)
	centre := len(window) / 2
	first := 0
	for group := range groups {
		odd, sine := group/2, group%2
		values := (centre + 1 - odd) / 2
		b := make([]float32, values*t.columns)
		for v := range values {
			at := 2*v + odd
			for j := range t.columns {
				root := roots[(t.lowest+j)*at&(n-1)]
				part := real(root)
				if sine == 1 {
					part = imag(root)
				}
				b[v*t.columns+j] = float32(window[centre+at] * part)
			}
		}
		size := basisValues(values)
		for v := 0; v == 0 || v < values; v += size { // no values: a sum of 0
			weights := simd.PackB(false, min(size, values-v), t.columns, b[v*t.columns:], t.columns)
			t.basis = append(t.basis, basis{group, first + v, weights})
		}
		first += values
	}
}

// packMel cuts the filter bank into blocks of magnitudes.
func (t *melTransform) packMel(bank *filterBank) {
	half, dense := t.key.cfg.NFFT/2, bank.dense()
	bands := len(bank.weights)
	for first := 0; first < 2*t.columns; first += melBlockSize {
		size := min(melBlockSize, 2*t.columns-first)
		w := make([]float32, size*bands)
		lo, hi := bands, 0
		for i := range size {
			bin := t.lowest + first + i
			if j := first + i - t.columns; j >= 0 {
				// The last column is its own mirror image, counted once.
				if bin = half - t.lowest - j; j == t.columns-1 {
					continue
				}
			}
			for m := range bands {
				if v := dense[m*bank.bins+bin]; v > 0 {
					w[i*bands+m] = float32(v)
					lo, hi = min(lo, m), max(hi, m+1)
				}
			}
		}
		if lo < hi {
			t.mel = append(t.mel, melBlock{first, lo, simd.PackB(false, size, hi-lo, w[lo:], bands)})
		}
	}
}

// fold sets dst [WinLength] to the folded values of a frame y [WinLength]: e
// and o at even n, e and o at odd n. The first sample is not used: there the
// window is 0.
func fold(dst []float32, y []float64) {
	half := len(y) / 2
	even := (half + 1) / 2
	e0, o0 := dst[:even], dst[even:2*even]
	e1, o1 := dst[2*even:even+half], dst[even+half:]
	up, down := y[half:], y[:half+1]
	e0[0], o0[0] = float32(up[0]), 0
	for i := 1; i < even; i++ {
		a, b := up[2*i], down[half-2*i]
		e0[i], o0[i] = float32(a+b), float32(a-b)
	}
	for i := range e1 {
		a, b := up[2*i+1], down[half-2*i-1]
		e1[i], o1[i] = float32(a+b), float32(a-b)
	}
}

// scratch returns the number of values of scratch space a row takes.
func (t *melTransform) scratch() int { return groups * t.columns }

// magnitudes sets the first 2*columns of every row of scratch [rows, scratch()]
// to the magnitudes of a folded frame [rows, WinLength]: those of the bins
// lowest..NFFT/4, then of their mirror images.
func (t *melTransform) magnitudes(scratch, folded []float32, rows int) {
	width, n := t.key.cfg.WinLength, t.columns
	p := partialPool.Get().(*partials)
	defer partialPool.Put(p)
	sums, part := p.take(rows*groups*n, rows*n)
	for _, b := range t.basis {
		simd.GemmPacked(rows, folded[b.first:], width, b.weights, part, n, false)
		for r := range rows {
			simd.AddWide(sums[(r*groups+b.group)*n:(r*groups+b.group+1)*n], part[r*n:])
		}
	}
	for r := range rows {
		row, s := scratch[r*t.scratch():][:t.scratch()], sums[r*groups*n:(r+1)*groups*n]
		for k := range n {
			re0, im0, re1, im1 := s[k], s[n+k], s[2*n+k], s[3*n+k]
			re, im, reMirror, imMirror := re0+re1, im0+im1, re0-re1, im0-im1
			row[k] = float32(math.Sqrt(float64(re*re) + float64(im*im)))
			row[n+k] = float32(math.Sqrt(float64(reMirror*reMirror) + float64(imMirror*imMirror)))
		}
	}
}

// partials are what a product of some values gives, and the sums of such: in
// float64, because the sums over even and odd values of a frame with a loud tone
// are far larger than most bins.
type partials struct {
	sums []float64
	part []float32
}

var partialPool = sync.Pool{New: func() any { return new(partials) }}

// take returns zero sums and room for a part.
func (p *partials) take(sums, part int) ([]float64, []float32) {
	if len(p.sums) < sums {
		p.sums = make([]float64, sums)
	}
	if len(p.part) < part {
		p.part = make([]float32, part)
	}
	clear(p.sums[:sums])
	return p.sums[:sums], p.part[:part]
}

// amplitudes sets dst [rows, M] to the mel amplitudes of the magnitudes in
// scratch.
func (t *melTransform) amplitudes(dst, scratch []float32, rows int) {
	clear(dst)
	for _, b := range t.mel {
		simd.GemmPacked(rows, scratch[b.first:], t.scratch(), b.weights, dst[b.band:], t.key.cfg.NMels, true)
	}
}
