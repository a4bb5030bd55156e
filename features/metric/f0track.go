package metric

import (
	"errors"
	"fmt"
	"math"

	"vqspeech/audio/resample"
	"vqspeech/internal/simd"
)

// F0Config is the range of a pitch tracker. The zero value is not valid; start
// from DefaultF0.
type F0Config struct {
	FMin, FMax float64 // Hz
}

// DefaultF0 returns the range of adult speech, 60 to 400 Hz.
func DefaultF0() F0Config { return F0Config{FMin: 60, FMax: 400} }

// Validate reports the first field that is out of range.
func (c F0Config) Validate() error {
	if !(c.FMax >= 60 && c.FMax <= 1000) {
		return fmt.Errorf("metric.f_max: must be between 60 and 1000 Hz (got %v)", c.FMax)
	}
	if !(c.FMin >= 30 && c.FMin <= c.FMax/2) {
		return fmt.Errorf("metric.f_min: must be between 30 Hz and half of f_max, %v (got %v)", c.FMax/2, c.FMin)
	}
	return nil
}

// F0FrameRate is the number of frames of TrackF0 a second.
const F0FrameRate = f0Rate / f0Hop

const (
	f0Rate = 16000 // Hz
	f0Hop  = 160   // samples, the hop of the published mel frames

	// f0Smoothing is the length of the Hann window that the signal is smoothed
	// with (samples): -6 dB at 1.3 kHz. It makes correlation peaks wide enough to
	// be interpolated, and keeps breath out of the voicing decision.
	f0Smoothing = 12

	f0Candidates = 8   // pitches a frame may have
	f0Lowest     = 0.3 // correlation below which there is no pitch
)

// The costs of the path through the candidates, named as in Boersma 1993,
// Accurate short-term analysis of the fundamental frequency; correlation is 1
// for a periodic signal. They were chosen on 26 training utterances of
// LibriSpeech so that pitch and voicing agree with Praat (autocorrelation, 60 to
// 400 Hz). On the 34 validation utterances 0.5 % of the frames voiced in both are
// off by more than 20 %, the others by 21 cents, and 6 % differ in voicing; the
// medians of the ten speakers agree to 2 %.
const (
	f0VoicingThreshold = 0.6  // correlation at which voiced and unvoiced weigh alike
	f0OctaveCost       = 0.04 // for being an octave lower
	f0OctaveJumpCost   = 0.35 // for a change by an octave between frames
	f0VoicedUnvoiced   = 0.14 // for a change of voicing between frames
	f0SilenceDB        = -30  // re the loudest frame; below, voicing gets harder
	f0SilenceSlopeDB   = 10   // by a correlation of 1 for so many dB
)

// TrackF0 returns the pitch of a recording.
//
//	samples [S] mono
//	f0      [T] (Hz), 0 where unvoiced; T = 1 + S16/160 for S16 samples at 16 kHz
//
// Frame t is centred on 10 t ms, as the mel frames are. At other rates the
// recording is converted to 16 kHz. The level of the recording does not matter.
//
// The candidates of a frame are the highest peaks, parabolically interpolated,
// of the normalised correlation between two stretches of 1/FMin that lie
// symmetrically about its centre (RAPT, Talkin 1995, with both stretches free of
// their means). The path through all frames that has the highest sum of
// correlations less costs of octaves, jumps and changes of voicing is the
// result (Boersma 1993).
//
// It fails on an invalid Config or rate, on an empty recording and on a sample
// that is not finite.
func TrackF0(samples []float32, rate int, cfg F0Config) (f0 []float32, err error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if len(samples) == 0 {
		return nil, errors.New("metric: recording has no samples")
	}
	if err := finite(samples); err != nil {
		return nil, fmt.Errorf("metric: %w", err)
	}
	if rate != f0Rate {
		if samples, err = resample.Resample(samples, rate, f0Rate); err != nil {
			return nil, err
		}
	}
	return bestPath(pitches(cfg, smooth(samples))), nil
}

// smooth returns the samples under a Hann window of f0Smoothing samples, without
// delay.
func smooth(x []float32) []float32 {
	const half = f0Smoothing / 2
	var taps [f0Smoothing - 1]float64
	for i := range taps {
		taps[i] = (1 - math.Cos(2*math.Pi*float64(i+1)/f0Smoothing)) / f0Smoothing // sum 1
	}
	y := make([]float32, len(x))
	simd.Parallel(len(x), 4096, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			from := i - half + 1
			first, last := max(0, -from), min(len(taps), len(x)-from)
			var sum float64
			for k := first; k < last; k++ {
				sum += float64(taps[k] * float64(x[from+k]))
			}
			y[i] = float32(sum)
		}
	})
	return y
}

// A pitch is one that a frame may have.
type pitch struct {
	hz       float32 // 0: unvoiced
	strength float32
}

// A pitchFrame has its candidates in pitches[:n].
type pitchFrame struct {
	pitches [f0Candidates]pitch
	n       int
	rms     float64
}

// pitches returns the candidates of all frames [T] of a smoothed signal.
func pitches(cfg F0Config, x []float32) []pitchFrame {
	frames := make([]pitchFrame, 1+len(x)/f0Hop)
	simd.Parallel(len(frames), 16, func(lo, hi int) {
		c := newCorrelator(cfg)
		for t := lo; t < hi; t++ {
			c.load(x, t*f0Hop)
			c.candidates(&frames[t])
		}
	})
	return frames
}

// A correlator compares stretches around the centre of a frame.
type correlator struct {
	cfg    F0Config
	width  int // samples of a stretch
	lo, hi int // lags with a correlation (samples)
	span   []float64
	sum    []float64 // [len(span)+1] sums of span before index i
	square []float64 // [len(span)+1] of its squares
	corr   []float64 // [hi+1], of lag l at corr[l]
}

func newCorrelator(cfg F0Config) *correlator {
	c := &correlator{
		cfg:   cfg,
		width: int(math.Ceil(f0Rate / cfg.FMin)),
		lo:    int(f0Rate/cfg.FMax) - 2,
		hi:    int(math.Ceil(f0Rate/cfg.FMin)) + 2,
	}
	n := c.width + c.hi + 1
	c.span, c.sum, c.square = make([]float64, n), make([]float64, n+1), make([]float64, n+1)
	c.corr = make([]float64, c.hi+1)
	return c
}

// load takes the samples around a centre; there are zeros outside the signal.
func (c *correlator) load(x []float32, centre int) {
	from := centre - len(c.span)/2
	var mean float64
	for i := range c.span {
		c.span[i] = 0
		if at := from + i; at >= 0 && at < len(x) {
			c.span[i] = float64(x[at])
		}
		mean += c.span[i]
	}
	mean /= float64(len(c.span))
	for i := range c.span {
		c.span[i] -= mean // sums of squares then keep their digits
		c.sum[i+1] = c.sum[i] + c.span[i]
		c.square[i+1] = c.square[i] + float64(c.span[i]*c.span[i])
	}
}

// moments returns the mean of the stretch at i and the sum of its squared
// deviations.
func (c *correlator) moments(i int) (mean, deviation float64) {
	n := float64(c.width)
	mean = (c.sum[i+c.width] - c.sum[i]) / n
	return mean, c.square[i+c.width] - c.square[i] - n*mean*mean
}

// correlate returns the correlation, in [-1, 1], of the two stretches that are
// lag apart, symmetrically about the centre. It is 0 where one is constant.
func (c *correlator) correlate(lag int) float64 {
	i := (len(c.span) - c.width - lag) / 2
	a, b := c.span[i:][:c.width], c.span[i+lag:][:c.width]
	meanA, devA := c.moments(i)
	meanB, devB := c.moments(i + lag)
	power := devA * devB
	if tiny := 1e-12 * c.square[len(c.span)]; !(power > tiny*tiny) {
		return 0
	}
	return (inner(a, b) - float64(c.width)*meanA*meanB) / math.Sqrt(power)
}

// inner returns the inner product of two vectors of equal length.
func inner(a, b []float64) float64 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float64
	i := 0
	for ; i+4 <= len(a); i += 4 {
		p, q := a[i:i+4:i+4], b[i:i+4:i+4]
		s0 += float64(p[0] * q[0])
		s1 += float64(p[1] * q[1])
		s2 += float64(p[2] * q[2])
		s3 += float64(p[3] * q[3])
	}
	for ; i < len(a); i++ {
		s0 += float64(a[i] * b[i])
	}
	return (s0 + s1) + (s2 + s3)
}

// candidates finds the pitches of the loaded frame.
func (c *correlator) candidates(f *pitchFrame) {
	mid := (len(c.span) - c.width) / 2
	_, deviation := c.moments(mid)
	f.rms = math.Sqrt(max(0, deviation) / float64(c.width))
	if f.rms == 0 {
		return
	}
	for lag := c.lo; lag <= c.hi; lag++ {
		c.corr[lag] = c.correlate(lag)
	}
	for lag := c.lo + 1; lag < c.hi; lag++ {
		before, here, after := c.corr[lag-1], c.corr[lag], c.corr[lag+1]
		if !(here > f0Lowest && here >= before && here > after) {
			continue
		}
		bend := before - 2*here + after // < 0
		shift := (before - after) / (2 * bend)
		height := min(1, here-bend*shift*shift/2)
		hz := f0Rate / (float64(lag) + shift)
		if hz < c.cfg.FMin*0.99 || hz > c.cfg.FMax*1.01 { // an end of the range is in it
			continue
		}
		f.insert(pitch{
			hz:       float32(min(max(hz, c.cfg.FMin), c.cfg.FMax)),
			strength: float32(height + f0OctaveCost*math.Log2(hz/c.cfg.FMax)),
		})
	}
}

// insert keeps the strongest candidates, the strongest first.
func (f *pitchFrame) insert(p pitch) {
	at := f.n
	for at > 0 && f.pitches[at-1].strength < p.strength {
		at--
	}
	if at == f0Candidates {
		return
	}
	f.n = min(f.n+1, f0Candidates)
	copy(f.pitches[at+1:f.n], f.pitches[at:])
	f.pitches[at] = p
}

// bestPath returns the pitch [T] of the best path through the candidates.
func bestPath(frames []pitchFrame) []float32 {
	const states = f0Candidates + 1 // the last is unvoiced
	loudest := 0.0
	for i := range frames {
		loudest = max(loudest, frames[i].rms)
	}
	from := make([][states]uint8, len(frames)) // state of the frame before
	var score, next [states]float64
	before := &pitchFrame{}
	for t := range frames {
		f := &frames[t]
		silence := 0.0
		if f.rms > 0 {
			silence = max(0, (f0SilenceDB-20*math.Log10(f.rms/loudest))/f0SilenceSlopeDB)
		}
		for s := range states {
			if s >= f.n && s < f0Candidates {
				continue
			}
			to := pitch{strength: float32(f0VoicingThreshold + silence)}
			if s < f0Candidates {
				to = f.pitches[s]
			}
			best := math.Inf(-1)
			for b := range states {
				var old pitch
				switch {
				case b < before.n:
					old = before.pitches[b]
				case b < f0Candidates:
					continue
				}
				if v := score[b] - transition(old, to); v > best {
					best, from[t][s] = v, uint8(b)
				}
			}
			next[s] = best + float64(to.strength)
		}
		score, before = next, f
	}
	state := uint8(f0Candidates)
	for s := range before.n {
		if score[s] > score[state] {
			state = uint8(s)
		}
	}
	f0 := make([]float32, len(frames))
	for t := len(frames) - 1; t >= 0; t-- {
		if state < f0Candidates {
			f0[t] = frames[t].pitches[state].hz
		}
		state = from[t][state]
	}
	return f0
}

// transition returns the cost of one pitch after another.
func transition(a, b pitch) float64 {
	switch {
	case a.hz == 0 && b.hz == 0:
		return 0
	case a.hz == 0 || b.hz == 0:
		return f0VoicedUnvoiced
	}
	return f0OctaveJumpCost * math.Abs(math.Log2(float64(a.hz)/float64(b.hz)))
}
