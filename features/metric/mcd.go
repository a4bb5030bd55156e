package metric

import (
	"fmt"
	"math"

	"vqspeech/features"
)

// MCDConvention names what MCD and AlignedMCD compute. Figures of another
// convention (MGC of SPTK or WORLD, other orders, with c_0) do not compare.
//
// With M_n the amplitudes of the M = 80 mel bands of a frame (published
// front end at 16 kHz: pre-emphasis 0.97, Hann window of 25 ms, hop of 10 ms,
// Slaney mel bands from 50 Hz to 8 kHz), guarded at 1e-5:
//
//	c_m = 2/M Σ_n ln max(M_n, 1e-5) cos(π m (n + 1/2)/M), m = 1..13
//	distance = 10/ln 10 · sqrt(2 Σ_m (c_m - c'_m)²)  (dB)
//
// c_0, and with it the level, does not count. All frames do, silence included.
const MCDConvention = "mcd-mfcc13"

const (
	mcdOrder   = 13
	mcdFloorDB = -100 // amplitude 1e-5
)

// mcdScale turns the Euclidean distance of cepstra into dB.
var mcdScale = 10 * math.Sqrt2 / math.Ln10

// maxAlignCells bounds the frame pairs that AlignedMCD looks at: two recordings
// of 11 minutes.
const maxAlignCells = 1 << 32

// MCD returns the mel-cepstral distortion (dB, [MCDConvention]) of two
// recordings, frame t against frame t, over all T = 1 + S/hop frames.
func MCD(reference, estimate []float32, rate int) (Mean, error) {
	r, e, err := common(reference, estimate, rate)
	if err != nil {
		return Mean{}, err
	}
	want, got, err := waveCepstra(r, e, rate)
	if err != nil {
		return Mean{}, err
	}
	return cepstralDistortion(want, got), nil
}

// AlignedMCD returns the mel-cepstral distortion (dB, [MCDConvention]) of two
// recordings of any lengths along the cheapest alignment of their frames
// (dynamic time warping): the sum over the path and its number of steps. Steps
// go one frame ahead in either recording or both, at equal weight.
//
// Memory is linear and time is quadratic in the length; it is an error if the
// product of the two numbers of frames exceeds 2^32 (11 minutes each).
func AlignedMCD(reference, estimate []float32, rate int) (Mean, error) {
	if err := check(reference, estimate, rate); err != nil {
		return Mean{}, err
	}
	want, got, err := waveCepstra(reference, estimate, rate)
	if err != nil {
		return Mean{}, err
	}
	if n, m := int64(len(want)), int64(len(got)); n*m > maxAlignCells {
		return Mean{}, fmt.Errorf("metric: %d and %d frames are too many to align, want a product of at most %d", n, m, int64(maxAlignCells))
	}
	return alignedDistortion(want, got), nil
}

// cepstrum is c_1..c_13 of a frame.
type cepstrum [mcdOrder]float64

// distance returns the Euclidean distance of two cepstra.
func (c *cepstrum) distance(d *cepstrum) float64 {
	var sum float64
	for i, v := range c {
		v -= d[i]
		sum += float64(v * v)
	}
	return math.Sqrt(sum)
}

// cepstralDistortion compares frame with frame.
func cepstralDistortion(a, b []cepstrum) Mean {
	m := Mean{N: int64(len(a))}
	for t := range a {
		m.Sum += mcdScale * a[t].distance(&b[t])
	}
	return m
}

// alignedDistortion compares along the cheapest path.
func alignedDistortion(a, b []cepstrum) Mean {
	cost, steps := warp(len(a), len(b), func(i, j int) float64 { return a[i].distance(&b[j]) })
	return Mean{Sum: mcdScale * cost, N: int64(steps)}
}

// warp returns the cost of the cheapest path from (0, 0) to (n-1, m-1) over
// steps (1, 0), (0, 1) and (1, 1), the sum of distance over its cells, and how
// many cells it has. Of paths that cost the same, the one counts that, seen
// from its end, prefers a step in both, then in j, then in i. Memory is linear
// in m.
func warp(n, m int, distance func(i, j int) float64) (cost float64, steps int) {
	type path struct {
		cost  float64
		steps int
	}
	row := make([]path, m) // row i-1 from j on, row i before
	for i := range n {
		var diagonal, left path
		for j := range m {
			up, from := row[j], path{}
			switch {
			case i > 0 && j > 0:
				switch {
				case diagonal.cost <= left.cost && diagonal.cost <= up.cost:
					from = diagonal
				case left.cost <= up.cost:
					from = left
				default:
					from = up
				}
			case i > 0:
				from = up
			case j > 0:
				from = left
			}
			left = path{distance(i, j) + from.cost, from.steps + 1}
			row[j], diagonal = left, up
		}
	}
	return row[m-1].cost, row[m-1].steps
}

// waveCepstra returns the cepstra [T] of both recordings.
func waveCepstra(reference, estimate []float32, rate int) (r, e []cepstrum, err error) {
	cfg := features.Default(features.Stream) // of which LogMelDB takes no level
	want, got, err := mels(reference, estimate, rate, cfg, features.LogMelDB)
	if err != nil {
		return nil, nil, err
	}
	return cepstra(want, cfg.NMels), cepstra(got, cfg.NMels), nil
}

// cepstra returns the cepstra [T] of log-mel levels db [T, M] (dB re 1.0).
func cepstra(db []float32, bands int) []cepstrum {
	basis := cosineBasis(bands, mcdOrder)
	const lnPerDB = math.Ln10 / 20
	out := make([]cepstrum, len(db)/bands)
	for t := range out {
		for n, v := range db[t*bands:][:bands] {
			l := lnPerDB * max(float64(v), mcdFloorDB)
			for m, w := range basis[n*mcdOrder:][:mcdOrder] {
				out[t][m] += float64(w * l)
			}
		}
	}
	return out
}

// cosineBasis returns what c_1..c_order take of every band: [M, order].
func cosineBasis(bands, order int) []float64 {
	basis := make([]float64, 0, bands*order)
	for n := range bands {
		for m := range order {
			basis = append(basis, 2/float64(bands)*math.Cos(math.Pi*float64(m+1)*(float64(n)+0.5)/float64(bands)))
		}
	}
	return basis
}
