package image

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"math/rand/v2"
)

// posteriorDraws returns a draw [B, h, w, D] of the latents of every image of a
// vae, from the image's own generator. Means will not do in their place: most
// latents of a vae are little more than noise, and a decoder that was trained on
// unit deviations has seen nothing like their means.
func posteriorDraws(r Result, n int, generator func(image int) rand.Source) []float32 {
	z := make([]float32, len(r.Mean))
	size := len(z) / n
	for i := range n {
		rng := rand.New(generator(i))
		for k := i * size; k < (i+1)*size; k++ {
			z[k] = float32(float64(r.Mean[k]) + math.Exp(float64(r.LogVar[k])/2)*rng.NormFloat64())
		}
	}
	return z
}

// digests are hashes of the images of a batch: seeds of draws that neither chance
// nor the images beside one decide.
func (b batch) digests() []uint64 {
	digests := make([]uint64, b.n)
	var bits [4]byte
	for i := range digests {
		h := fnv.New64a()
		for _, v := range b.pixels[i*len(b.pixels)/b.n : (i+1)*len(b.pixels)/b.n] {
			binary.LittleEndian.PutUint32(bits[:], math.Float32bits(v))
			h.Write(bits[:])
		}
		for _, v := range b.labels[i*len(b.labels)/b.n : (i+1)*len(b.labels)/b.n] {
			binary.LittleEndian.PutUint32(bits[:], uint32(v))
			h.Write(bits[:])
		}
		digests[i] = h.Sum64()
	}
	return digests
}
