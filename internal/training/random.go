package training

import (
	"math/rand/v2"

	"vqspeech/internal/simd"
)

// Random returns the generator of one random stream of a run at one step. Every
// draw is a function of the seed, the stream (below 256) and the step, so a
// resumed run needs no generator state.
func Random(seed uint64, stream, step int) *rand.Rand {
	return rand.New(rand.NewPCG(seed, uint64(stream)<<56|uint64(step)))
}

// noiseChunk is the number of values of Noise that one generator draws.
const noiseChunk = 1 << 14

// Noise fills dst from a stream at a step, the same for any number of threads.
// draw fills a part of it.
func Noise(dst []float32, seed uint64, stream, step int, draw func(dst []float32, rng *rand.Rand)) {
	chunks := (len(dst) + noiseChunk - 1) / noiseChunk
	simd.Parallel(chunks, 1, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			// Bits 40 to 55 tell the chunks apart.
			rng := Random(seed, stream, i<<40|step)
			draw(dst[i*noiseChunk:min((i+1)*noiseChunk, len(dst))], rng)
		}
	})
}

// Uniform fills dst with values uniform in (0, 1), which it never reaches.
func Uniform(dst []float32, rng *rand.Rand) {
	for i := 0; i < len(dst); i += 2 {
		word := rng.Uint64()
		dst[i] = unit(uint32(word))
		if i+1 < len(dst) {
			dst[i+1] = unit(uint32(word >> 32))
		}
	}
}

// unit maps 24 bits to the middle of one of 2^24 intervals of (0, 1), rounded.
func unit(bits uint32) float32 { return (float32(bits>>8) + 0.5) / (1 << 24) }

// Normal fills dst with standard normal values.
func Normal(dst []float32, rng *rand.Rand) {
	for i := range dst {
		dst[i] = float32(rng.NormFloat64())
	}
}
