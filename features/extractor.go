package features

import (
	"fmt"
	"math"
	"slices"

	"vqspeech/internal/simd"
)

// RawFloorDB is the guard under the logarithm: the raw level of silence (dB). The
// published code scales an utterance before its logarithm, Reference after it: one
// whose loudest band is below -120 dB, which no 16-bit recording is, loses to the
// guard what is quietest in it.
const RawFloorDB = -200

// rowsAtOnce is the number of frames that a goroutine transforms together: few
// enough for their magnitudes to stay in its cache.
const rowsAtOnce = 84

// blockFrames bounds the frames computed between two slides of the sample
// buffer, hence the memory of a Push besides the frames that it returns.
const blockFrames = 8 * rowsAtOnce

// An Extractor computes raw-level log-mel frames of a signal that arrives in
// pieces. It holds a few windows of samples, not the signal. The zero value is
// not usable; it must not be used by two goroutines at a time.
type Extractor struct {
	cfg       Config
	transform *melTransform

	y    []float64 // pre-emphasised samples from index base on
	base int       // index of y[0] in the signal
	n    int       // samples pushed so far
	last float64   // previous sample, before pre-emphasis
	peak float32
	next int // first frame not yet returned
	err  error
	out  []float32
}

// NewExtractor returns an Extractor for signals at cfg.SampleRate. It fails
// only on an invalid Config.
func NewExtractor(cfg Config) (*Extractor, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Extractor{cfg: cfg, transform: transformFor(cfg)}, nil
}

// Push takes the next samples of the signal and returns the frames that can
// be computed by now.
//
//	samples [S]    float32, any S ≥ 0
//	db      [n, M] float32 (dB re 1.0), raw level, n ≥ 0; valid until the next call
//
// A frame is returned as soon as the WinLength/2 samples after its centre are
// there.
//
// A sample that is not finite counts as 0 and makes Err report it.
func (e *Extractor) Push(samples []float32) (db []float32) {
	e.out = e.out[:0]
	for len(samples) > 0 {
		chunk := samples[:min(len(samples), blockFrames*e.cfg.HopLength)]
		samples = samples[len(chunk):]
		e.append(chunk)
		ready := e.next
		for e.computable(ready) {
			ready++
		}
		e.compute(ready)
		e.discard()
	}
	return e.out
}

// Flush ends the signal and returns the remaining frames, in all
// T = 1 + S/HopLength (none if S = 0). db [n, M] float32 (dB re 1.0) is valid
// until the next call. The next Push starts another signal.
func (e *Extractor) Flush() (db []float32) {
	e.out = e.out[:0]
	if e.n > 0 {
		e.compute(1 + e.n/e.cfg.HopLength)
	}
	e.y, e.base, e.n, e.last, e.next = e.y[:0], 0, 0, 0, 0
	return e.out
}

// Peak returns the largest absolute sample of the signal so far.
func (e *Extractor) Peak() float32 { return e.peak }

// Err reports the first sample that was not a finite number.
func (e *Extractor) Err() error { return e.err }

// infinity is the smallest bit pattern of a number that is not finite, but for
// its sign.
const infinity = 0x7f800000

func (e *Extractor) append(samples []float32) {
	if e.n == 0 {
		e.peak, e.err = 0, nil
	}
	at := len(e.y)
	e.y = slices.Grow(e.y, len(samples))[:at+len(samples)]
	y, last, peak := e.y[at:], e.last, math.Float32bits(e.peak)
	for i, s := range samples {
		size := math.Float32bits(s) &^ (1 << 31) // ordered as the absolute values are
		if size >= infinity {
			if e.err == nil {
				e.err = fmt.Errorf("features: sample %d is %v, want a finite number", e.n+i, s)
			}
			s, size = 0, 0
		}
		peak = max(peak, size)
		x := float64(s)
		y[i] = x - e.cfg.PreEmphasis*last
		last = x
	}
	e.last, e.peak = last, math.Float32frombits(peak)
	e.n += len(samples)
}

// computable says whether every sample of frame t is there, including those
// that the reflection at the beginning asks for.
func (e *Extractor) computable(t int) bool {
	half, centre := e.cfg.WinLength/2, t*e.cfg.HopLength
	return e.n >= centre+half && e.n > half-centre
}

// discard drops the samples that no later frame needs. The end of the signal
// may come at any time and reflects up to WinLength/2 samples.
func (e *Extractor) discard() {
	keep := min(e.next*e.cfg.HopLength-e.cfg.WinLength/2, e.n-e.cfg.WinLength-1)
	if drop := keep - e.base; drop > 0 {
		e.y = e.y[:copy(e.y, e.y[drop:])]
		e.base = keep
	}
}

// compute appends the frames next..end-1 to out.
func (e *Extractor) compute(end int) {
	frames, m := end-e.next, e.cfg.NMels
	if frames <= 0 {
		return
	}
	at := len(e.out)
	e.out = append(e.out, make([]float32, frames*m)...)
	dst := e.out[at:]

	blocks := (frames + rowsAtOnce - 1) / rowsAtOnce
	simd.Parallel(blocks, 1, func(lo, hi int) {
		for b := lo; b < hi; b++ {
			first, end := b*frames/blocks, (b+1)*frames/blocks
			e.block(dst[first*m:end*m], e.next+first)
		}
	})
	e.next = end
}

// block computes at most rowsAtOnce frames, from t on, into dst [rows, M].
func (e *Extractor) block(dst []float32, t int) {
	m, width := e.cfg.NMels, e.cfg.WinLength
	rows := len(dst) / m
	folded := simd.Borrow(rows * width)
	defer simd.Return(folded)
	scratch := simd.Borrow(rows * e.transform.scratch())
	defer simd.Return(scratch)
	var offsets [rowsAtOnce]float32 // (dB)
	for r := range rows {
		offsets[r] = e.fold(folded[r*width:][:width], t+r)
	}
	e.transform.magnitudes(scratch, folded, rows)
	e.transform.amplitudes(dst, scratch, rows)
	simd.Log(dst, dst)
	const scale = 20 / math.Ln10
	for r, offset := range offsets[:rows] {
		row := dst[r*m:][:m]
		for i, v := range row {
			row[i] = max(v*scale+offset, RawFloorDB)
		}
	}
}

// Samples above loud are scaled by quiet, lest the squares of their magnitudes
// overflow. Nothing within 80 dB of the largest of a frame goes lost.
const (
	loud  = 1 << 50
	quiet = 1.0 / (1 << 90)
)

// fold sets dst [WinLength] to the folded values of frame t, and returns the
// level that the frame has lost on the way (dB).
func (e *Extractor) fold(dst []float32, t int) (offset float32) {
	y := e.window(t)
	if e.peak > loud {
		var top float64
		for _, v := range y {
			top = max(top, math.Abs(v))
		}
		if top > loud {
			y = slices.Clone(y)
			for i := range y {
				y[i] *= quiet
			}
			offset = float32(-20 * math.Log10(quiet))
		}
	}
	fold(dst, y)
	return offset
}

// window returns the samples [WinLength] around the centre of frame t, not to
// be written to. Outside the signal they are reflected, the edge sample not
// repeated; a short signal is reflected back and forth, period 2(S-1)
// (numpy.pad, mode="reflect").
func (e *Extractor) window(t int) []float64 {
	width := e.cfg.WinLength
	start := t*e.cfg.HopLength - width/2
	if start >= 0 && start+width <= e.n {
		return e.y[start-e.base:][:width]
	}
	frame := make([]float64, width)
	for i := range frame {
		frame[i] = e.y[reflect(start+i, e.n)-e.base]
	}
	return frame
}

// reflect maps any index to 0..n-1.
func reflect(i, n int) int {
	if n == 1 {
		return 0
	}
	period := 2 * (n - 1)
	i = ((i % period) + period) % period
	return min(i, period-i)
}
