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
	v := min(max(float64(x), -1), 1)
	f := math.Copysign(math.Log1p(mu*math.Abs(v))/math.Log(Levels), v)
	return uint8((f+1)/2*mu + 0.5)
}

// Decode returns the sample in [-1, 1] that a code stands for.
func Decode(code uint8) float32 {
	y := 2*float64(code)/mu - 1
	return float32(math.Copysign((math.Pow(Levels, math.Abs(y))-1)/mu, y))
}
