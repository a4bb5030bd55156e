package metric

import "math"

// grossRatio is the relative error of a pitch beyond which it is a gross error
// (Rabiner et al. 1976).
const grossRatio = 0.2

// F0Errors tracks the pitch of two recordings ([TrackF0] with cfg) and compares
// them frame by frame.
func F0Errors(reference, estimate []float32, rate int, cfg F0Config) (F0Error, error) {
	r, e, err := common(reference, estimate, rate)
	if err != nil {
		return F0Error{}, err
	}
	var f F0Error
	want, err := TrackF0(r, rate, cfg)
	if err != nil {
		return f, err
	}
	got, err := TrackF0(e, rate, cfg)
	if err != nil {
		return f, err
	}
	f.Add(want, got)
	return f, nil
}

// An F0Error compares pitch tracks, pooled over the frames of all utterances.
// The zero value is ready to use.
type F0Error struct {
	Frames  int64 // all frames
	Both    int64 // voiced in reference and estimate
	Gross   int64 // of those, off by more than 20 % of the reference
	Voicing int64 // voiced in one of the two only

	hz, log moments
}

// Add compares the pitch of an utterance: reference, estimate [T] (Hz), 0 where
// unvoiced.
func (f *F0Error) Add(reference, estimate []float32) {
	for t, v := range reference {
		r, e := float64(v), float64(estimate[t])
		f.Frames++
		if (r > 0) != (e > 0) {
			f.Voicing++
		}
		if r > 0 && e > 0 {
			f.Both++
			if math.Abs(e/r-1) > grossRatio {
				f.Gross++
			}
			f.hz.add(r, e)
			f.log.add(math.Log(r), math.Log(e))
		}
	}
}

// Merge pools another comparison.
func (f *F0Error) Merge(o F0Error) {
	f.Frames += o.Frames
	f.Both += o.Both
	f.Gross += o.Gross
	f.Voicing += o.Voicing
	f.hz.merge(o.hz)
	f.log.merge(o.log)
}

// RMSEHz returns the root mean squared error (Hz) of the frames voiced in both;
// NaN if there are none, as the other measures of those frames.
func (f *F0Error) RMSEHz() float64 { return f.hz.rmse(f.Both) }

// RMSELog returns the root mean squared error of ln F0.
func (f *F0Error) RMSELog() float64 { return f.log.rmse(f.Both) }

// RMSECents returns the root mean squared error in cents, 1/1200 octave.
func (f *F0Error) RMSECents() float64 { return f.RMSELog() * 1200 / math.Ln2 }

// CorrelationHz returns Pearson's correlation of F0, NaN if one is constant.
func (f *F0Error) CorrelationHz() float64 { return f.hz.correlation(f.Both) }

// CorrelationLog returns Pearson's correlation of ln F0, NaN if one is constant.
func (f *F0Error) CorrelationLog() float64 { return f.log.correlation(f.Both) }

// GPE returns the gross pitch error, Gross/Both, in [0, 1].
func (f *F0Error) GPE() float64 { return float64(f.Gross) / float64(f.Both) }

// VDE returns the voicing decision error, Voicing/Frames, in [0, 1].
func (f *F0Error) VDE() float64 { return float64(f.Voicing) / float64(f.Frames) }

// FFE returns the F0 frame error (Chu and Alwan 2009), (Gross + Voicing)/Frames,
// in [0, 1].
func (f *F0Error) FFE() float64 { return float64(f.Gross+f.Voicing) / float64(f.Frames) }

// moments are sums over pairs (x, y).
type moments struct{ x, y, xx, yy, xy, dd float64 }

func (m *moments) add(x, y float64) {
	m.merge(moments{x: x, y: y, xx: x * x, yy: y * y, xy: x * y, dd: (x - y) * (x - y)})
}

func (m *moments) merge(o moments) {
	m.x += o.x
	m.y += o.y
	m.xx += o.xx
	m.yy += o.yy
	m.xy += o.xy
	m.dd += o.dd
}

func (m *moments) rmse(n int64) float64 { return math.Sqrt(m.dd / float64(n)) }

func (m *moments) correlation(n int64) float64 {
	k := float64(n)
	varX, varY := m.xx-m.x*m.x/k, m.yy-m.y*m.y/k
	if !(varX > 1e-12*m.xx && varY > 1e-12*m.yy) { // rounding of a constant
		return math.NaN()
	}
	return (m.xy - m.x*m.y/k) / math.Sqrt(varX*varY)
}
