// Package vocoder holds what waveform decoders have in common: the part of
// the path that turns units or features into samples.
//
//	codes [L], mel [T, M] → Vocoder → samples [T*HopLength]
//
// A vocoder is a stream. [Vocoder.Push] takes the next part of an utterance and
// returns the samples that can be computed by now, [Vocoder.Flush] the rest.
// In all there are HopLength samples for every mel frame: frame t covers the
// samples t*HopLength up to (t+1)*HopLength. What comes out depends on what
// went in, not on how it was cut, and memory on neither.
//
// Package griffinlim needs the mel only and no trained weights. Package wavenet
// draws samples from a trained network; packages lpc and envelope are what it
// needs before and after that.
package vocoder

// Conditioning is a part of an utterance. A vocoder that does not need one of
// the two ignores it; it may then be empty.
type Conditioning struct {
	Codes []uint16  // [L] units, in time order
	Mel   []float32 // [T, M] features, as the Config's level scales them
}

// A Vocoder synthesises one utterance after the other. It must not be used by
// two goroutines at a time.
type Vocoder interface {
	// Push takes the next part of the utterance and returns the next samples
	// (float32, full scale is 1, not clipped), valid until the next call.
	Push(c Conditioning) ([]float32, error)

	// Flush ends the utterance and returns its last samples. The next Push
	// starts another utterance.
	Flush() ([]float32, error)
}
