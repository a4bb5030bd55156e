package resample

import "math"

// Constants of resampy's and torchaudio's "kaiser_best", which the reference
// speech features resample with.
const (
	zeroCrossings = 64                 // of the sinc on either side
	beta          = 14.769656459379492 // of the Kaiser window
	rolloff       = 0.9475937167399596 // cut-off as a fraction of the lower Nyquist frequency
)

// maxTable is the largest table of exact phases (coefficients, 8 bytes each).
// Every pair of usual rates fits: 44.1 kHz to 16 kHz takes 57 120.
const maxTable = 1 << 19

// steps is the number of tabulated points between two zero crossings where the
// exact phases do not fit and are interpolated. The error of a straight line
// between points is below (π/steps)²/8, -130 dB.
const steps = 2048

// filter is a windowed sinc cut into phases. The output at time base + p/up,
// in input samples, is the sum over j of phase p at j times input base-half+1+j.
type filter struct {
	up, down int       // output and input rate without their common factor
	half     int       // taps on either side
	phases   int       // rows of table, one less if interpolated
	exact    bool      // row p is phase p; otherwise rows are interpolated
	table    []float64 // [phases (+1), 2*half]
}

// newFilter tabulates the filter for up/down, which have no common factor.
func newFilter(up, down int) *filter {
	scale := min(1, float64(up)/float64(down)) // cut-off below the lower of the two Nyquist frequencies
	f := &filter{up: up, down: down, half: int(math.Ceil(zeroCrossings / scale)), phases: up, exact: true}
	rows := up
	if up*2*f.half > maxTable {
		f.exact = false
		f.phases = int(math.Ceil(steps * scale))
		rows = f.phases + 1
	}
	f.table = make([]float64, rows*2*f.half)
	for p := range rows {
		row := f.row(p)
		for j := range row {
			t := float64(j-f.half+1) - float64(p)/float64(f.phases) // input samples from the centre
			row[j] = scale * impulse(scale*t)
		}
	}
	return f
}

// row returns the coefficients of one phase [2*half].
func (f *filter) row(p int) []float64 { return f.table[p*2*f.half : (p+1)*2*f.half] }

// impulse is the continuous filter at t zero crossings of the full-band sinc.
func impulse(t float64) float64 {
	u := t / zeroCrossings
	if u <= -1 || u >= 1 {
		return 0
	}
	x := math.Pi * rolloff * t
	sinc := 1.0
	if x != 0 {
		sinc = math.Sin(x) / x
	}
	return rolloff * sinc * bessel0(beta*math.Sqrt(1-u*u)) / besselBeta
}

var besselBeta = bessel0(beta)

// bessel0 is the modified Bessel function I_0, by its power series.
func bessel0(x float64) float64 {
	q := x * x / 4
	sum, term := 1.0, 1.0
	for k := 1.0; term > sum*1e-17; k++ {
		term *= q / (k * k)
		sum += term
	}
	return sum
}
