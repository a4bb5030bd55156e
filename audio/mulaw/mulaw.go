// Package mulaw quantises samples to 256 levels on a logarithmic scale, the
// alphabet of autoregressive waveform decoders (van den Oord et al. 2016; as
// bshall/ZeroSpeech codes it, which is not the bit layout of ITU-T G.711).
package mulaw

import "math"

// Levels is the number of codes.
const Levels = 256

const mu = Levels - 1

// Encode returns the code of a sample in [-1, 1]: with
// f = sign(x) ln(1 + mu|x|)/ln(1 + mu), floor((f+1)/2 * mu + 1/2). Samples
// outside are clipped.
func Encode(x float32) uint8 {
	code := 0
	for step := Levels / 2; step > 0; step /= 2 {
		if x >= least[code+step] {
			code += step
		}
	}
	return uint8(code)
}

// least has the smallest sample of each code: autoregressive decoders encode
// several values for each sample, and a search takes less time than a logarithm.
var least = func() (t [Levels]float32) {
	t[0] = float32(math.Inf(-1))
	for code := 1; code < Levels; code++ {
		// The formula rounds, so that its boundary is only near the inverse's.
		x := expand(float64(code) - 0.5)
		near := float32(1e-6*math.Abs(float64(x)) + 1e-15)
		lo, hi := ordinal(x-near), ordinal(x+near)
		for lo < hi {
			if mid := lo + (hi-lo)/2; compress(ofOrdinal(mid)) < uint8(code) {
				lo = mid + 1
			} else {
				hi = mid
			}
		}
		t[code] = ofOrdinal(lo)
	}
	return t
}()

// ordinal numbers finite float32 values in their order.
func ordinal(x float32) int64 {
	n := int64(math.Float32bits(float32(math.Abs(float64(x)))))
	if x < 0 {
		return -n
	}
	return n
}

func ofOrdinal(n int64) float32 {
	if n < 0 {
		return -math.Float32frombits(uint32(-n))
	}
	return math.Float32frombits(uint32(n))
}

// compress is Encode by its formula.
func compress(x float32) uint8 {
	v := min(max(float64(x), -1), 1)
	f := math.Copysign(math.Log1p(mu*math.Abs(v))/math.Log(Levels), v)
	return uint8((f+1)/2*mu + 0.5)
}

// Decode returns the sample in [-1, 1] that a code stands for.
func Decode(code uint8) float32 { return expand(float64(code)) }

func expand(code float64) float32 {
	y := 2*code/mu - 1
	return float32(math.Copysign((math.Pow(Levels, math.Abs(y))-1)/mu, y))
}
