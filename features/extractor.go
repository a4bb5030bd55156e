package features

import (
	"fmt"
	"math"
	"sync"

	"vqspeech/internal/simd"
)

// RawFloorDB is the guard under the logarithm: the raw level of silence (dB).
const RawFloorDB = -200

// blockFrames bounds the frames computed between two slides of the sample
// buffer, hence the memory of a Push however long its input.
const blockFrames = 512

// An Extractor computes raw-level log-mel frames of a signal that arrives in
// pieces. It holds a few windows of samples, not the signal. The zero value is
// not usable; it must not be used by two goroutines at a time.
type Extractor struct {
	cfg  Config
	bank *filterBank
	dft  *DFT
	win  []float64 // [WinLength]

	y     []float64 // pre-emphasised samples from index base on
	base  int       // index of y[0] in the signal
	n     int       // samples pushed so far
	last  float64   // previous sample, before pre-emphasis
	peak  float32
	next  int // first frame not yet returned; even until Flush
	err   error
	out   []float32
	slots sync.Pool // of *slot
}

// A slot is the scratch space of one goroutine.
type slot struct {
	in         []complex128 // [NFFT]
	frame, mag [2][]float64
	mel        []float64
}

// NewExtractor returns an Extractor for signals at cfg.SampleRate. It fails
// only on an invalid Config.
func NewExtractor(cfg Config) (*Extractor, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Extractor{
		cfg:  cfg,
		bank: newFilterBank(cfg.SampleRate, cfg.NFFT, cfg.NMels, cfg.FMin, cfg.FMax),
		dft:  NewDFT(cfg.NFFT),
		win:  Window(cfg.WinLength),
	}, nil
}

// Push takes the next samples of the signal and returns the frames that can
// be computed by now.
//
//	samples [S]    float32, any S ≥ 0
//	db      [n, M] float32 (dB re 1.0), raw level, n ≥ 0; valid until the next call
//
// Frames come in pairs (2i, 2i+1), so that the transform they share, and with
// it every bit of the result, does not depend on the chunk size. A frame is
// thus returned at most WinLength/2 + HopLength samples after its centre.
//
// A sample that is not finite counts as 0 and makes Err report it.
func (e *Extractor) Push(samples []float32) (db []float32) {
	e.out = e.out[:0]
	for len(samples) > 0 {
		chunk := samples[:min(len(samples), blockFrames*e.cfg.HopLength)]
		samples = samples[len(chunk):]
		e.append(chunk)
		ready := e.next
		for e.computable(ready + 1) {
			ready += 2
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

func (e *Extractor) append(samples []float32) {
	if e.n == 0 {
		e.peak, e.err = 0, nil
	}
	for _, s := range samples {
		x := float64(s)
		if math.IsNaN(x) || math.IsInf(x, 0) {
			if e.err == nil {
				e.err = fmt.Errorf("features: sample %d is %v, want a finite number", e.n, s)
			}
			x = 0
		}
		e.peak = max(e.peak, float32(math.Abs(x)))
		e.y = append(e.y, x-e.cfg.PreEmphasis*e.last)
		e.last = x
		e.n++
	}
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

	const grain = 4 // pairs worth handing over to a thread
	simd.Parallel((frames+1)/2, grain, func(lo, hi int) {
		s, ok := e.slots.Get().(*slot)
		if !ok {
			s = e.newSlot()
		}
		for p := lo; p < hi; p++ {
			e.pair(s, e.next+2*p, dst[2*p*m:min(2*p+2, frames)*m])
		}
		e.slots.Put(s)
	})
	e.next = end
}

func (e *Extractor) newSlot() *slot {
	s := &slot{in: make([]complex128, e.cfg.NFFT), mel: make([]float64, e.cfg.NMels)}
	for i := range s.frame {
		s.frame[i] = make([]float64, e.cfg.WinLength)
		s.mag[i] = make([]float64, e.dft.Bins())
	}
	return s
}

// pair computes the frames t and t+1 into dst [1 or 2, M]. With room for one
// frame only, the second of the pair is silence.
func (e *Extractor) pair(s *slot, t int, dst []float32) {
	m := e.cfg.NMels
	rows := len(dst) / m
	e.magnitudes(s, t, rows)
	for r := range rows {
		e.bank.apply(s.mel, s.mag[r])
		for i, v := range s.mel {
			dst[r*m+i] = float32(20 * math.Log10(max(v, 1e-10))) // RawFloorDB
		}
	}
}

// magnitudes sets s.mag to |DFT| of the frames t and, if rows is 2, t+1.
func (e *Extractor) magnitudes(s *slot, t, rows int) {
	for r := range 2 {
		if r >= rows {
			clear(s.frame[r])
			continue
		}
		e.window(s.frame[r], t+r)
	}
	e.dft.pair(s.in, s.frame[0], s.frame[1], func(k int, a, b complex128) {
		s.mag[0][k] = math.Sqrt(real(a)*real(a) + imag(a)*imag(a))
		s.mag[1][k] = math.Sqrt(real(b)*real(b) + imag(b)*imag(b))
	})
}

// window sets dst [WinLength] to the windowed samples around the centre of
// frame t. Outside the signal they are reflected, the edge sample not
// repeated; a short signal is reflected back and forth, period 2(S-1)
// (numpy.pad, mode="reflect").
func (e *Extractor) window(dst []float64, t int) {
	start := t*e.cfg.HopLength - e.cfg.WinLength/2
	if start >= 0 && start+len(dst) <= e.n {
		for i, v := range e.y[start-e.base:][:len(dst)] {
			dst[i] = v * e.win[i]
		}
		return
	}
	for i := range dst {
		dst[i] = e.y[reflect(start+i, e.n)-e.base] * e.win[i]
	}
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
