package vq

import "math/rand/v2"

// Reset moves dead codes onto random latents of the batch and returns how many
// it moved. A code is dead when uses, its assignments since the last check, is
// below threshold (Dhariwal et al. 2020, Jukebox). ema may be nil; its averages
// of a moved code restart at one latent.
//
//	codebook [K, D], latents [N, D] float32, uses [K]
func Reset(codebook, latents []float32, uses []int, threshold int, ema *EMA, rng *rand.Rand) int {
	k := len(uses)
	d := len(codebook) / k
	n := len(latents) / d
	moved := 0
	for i, u := range uses {
		if u >= threshold {
			continue
		}
		moved++
		src := latents[rng.IntN(n)*d:][:d]
		copy(codebook[i*d:(i+1)*d], src)
		if ema != nil {
			ema.Count[i] = 1
			copy(ema.Sum[i*d:(i+1)*d], src)
		}
	}
	return moved
}
