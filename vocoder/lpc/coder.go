package lpc

import (
	"math"

	"vqspeech/audio/mulaw"
)

// PerFrame is the number of filters for a mel frame: they change every half hop,
// on a straight line in dB between two frames.
const PerFrame = 2

// Filters appends the filters of a frame whose successor is known.
//
//	mel, next [M] float32 features; the samples from the centre of the one to
//	the centre of the other use the filters in turn
func (a *Analyzer) Filters(dst []Filter, mel, next []float32) []Filter {
	between := make([]float32, len(mel))
	for part := range PerFrame {
		at := (float32(part) + 0.5) / PerFrame
		for i, v := range mel {
			between[i] = v + float32(at*(next[i]-v))
		}
		dst = append(dst, a.Filter(between))
	}
	return dst
}

// Ranges of the µ-law codes, in gains of the filter: a residual has a power of
// one gain and peaks of a few, a signal the prediction's gain on top.
const (
	excitationRange = 16
	signalRange     = 64
)

// Inputs are what an autoregressive decoder is told before it draws the next
// residual, as µ-law codes relative to the gain of the filter (LPCNet's inputs).
type Inputs struct {
	Signal     uint8 // the last sample
	Excitation uint8 // the last residual
	Prediction uint8 // of the sample to come
	Period     uint8 // the residual of a pitch period ago, or that of silence
}

// MaxPeriod is the longest pitch period (samples).
const MaxPeriod = 512

// periodLead is how much less than a period ago the residual is that Inputs has:
// a network sees what is older in its past inputs, but nothing newer, and the
// period is not known to the sample.
const periodLead = 3

// A Coder turns residual codes into samples and back. Each utterance has its own;
// the zero value stands before the first sample.
type Coder struct {
	past   [20 * Order]float32 // recent samples, the newest at past[at-1]
	at     int
	codes  [MaxPeriod]uint8 // residual codes of the last samples, a ring
	newest int              // where the last one is
	begun  bool
}

// Next returns what is known before the next sample under its filter. period is
// that of the pitch (samples, at most MaxPeriod), 0 where there is none.
func (c *Coder) Next(f *Filter, period int) (in Inputs, prediction float32) {
	c.begin()
	prediction = f.Predict(c.past[c.at-Order : c.at])
	scale := 1 / (signalRange * f.Gain)
	ago := silence
	if period > periodLead {
		ago = c.codes[(c.newest+1-period+periodLead+MaxPeriod)%MaxPeriod]
	}
	return Inputs{mulaw.Encode(c.past[c.at-1] * scale), c.codes[c.newest], mulaw.Encode(prediction * scale), ago}, prediction
}

// Code returns the residual code of a sample (pre-emphasised) given its
// prediction.
func Code(f *Filter, sample, prediction float32) uint8 {
	return mulaw.Encode((sample - prediction) / (excitationRange * f.Gain))
}

// Put takes the residual code of the next sample and returns the sample
// (pre-emphasised, not clipped).
func (c *Coder) Put(f *Filter, prediction float32, code uint8) float32 {
	y := prediction + decoded[code]*excitationRange*f.Gain
	c.Force(y, code)
	return y
}

// Force takes a sample as it was instead of as its code has it.
func (c *Coder) Force(sample float32, code uint8) {
	c.begin()
	if c.at == len(c.past) {
		copy(c.past[:], c.past[c.at-Order:])
		c.at = Order
	}
	c.past[c.at] = sample
	c.at++
	c.newest = (c.newest + 1) % MaxPeriod
	c.codes[c.newest] = code
}

func (c *Coder) begin() {
	if !c.begun {
		c.at, c.begun = Order, true
		for i := range c.codes {
			c.codes[i] = silence
		}
	}
}

// silence is the code of no residual.
var silence = mulaw.Encode(0)

// decoded has the residual of each code as a fraction of its range.
var decoded = func() (t [mulaw.Levels]float32) {
	for i := range t {
		t[i] = mulaw.Decode(uint8(i))
	}
	return t
}()

// DeEmphasis undoes the pre-emphasis y[n] = x[n] - coefficient*x[n-1] of the
// features, sample by sample.
type DeEmphasis struct {
	coefficient float64
	last        float64
}

// NewDeEmphasis begins a signal.
func NewDeEmphasis(coefficient float64) DeEmphasis { return DeEmphasis{coefficient: coefficient} }

// Next takes the next value of y and returns that of x.
func (d *DeEmphasis) Next(y float32) float32 {
	d.last = float64(y) + float64(d.coefficient*d.last)
	if math.Abs(d.last) < 1e-30 { // no denormals in silence
		d.last = 0
	}
	return float32(d.last)
}
