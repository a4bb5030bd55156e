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
		move(codebook, i, latents[rng.IntN(n)*d:][:d], ema)
	}
	return moved
}

// splitDeviation is how far Split puts a code from the one it splits.
const splitDeviation = 0.01

// Split moves the least used code beside the most used one, by normal noise with a
// deviation of 0.01, if it has less than fraction of its uses, and reports whether it
// did: the codeword reset of Williams et al. 2020 (HQA), as its implementations
// have it, with the fraction 0.03 every 25 batches. uses are the assignments since
// the last check. ema may be nil; its averages of the moved code restart at one
// latent in the new place.
//
//	codebook [K, D] float32, uses [K]
func Split(codebook []float32, uses []int, fraction float64, ema *EMA, rng *rand.Rand) bool {
	least, most := 0, 0
	for i, u := range uses {
		if u < uses[least] {
			least = i
		}
		if u > uses[most] {
			most = i
		}
	}
	if !(float64(uses[least]) < fraction*float64(uses[most])) {
		return false
	}
	d := len(codebook) / len(uses)
	beside := make([]float32, d)
	for j, v := range codebook[most*d : (most+1)*d] {
		beside[j] = v + float32(splitDeviation*rng.NormFloat64())
	}
	move(codebook, least, beside, ema)
	return true
}

// move puts code i at x [D].
func move(codebook []float32, i int, x []float32, ema *EMA) {
	d := len(x)
	copy(codebook[i*d:(i+1)*d], x)
	if ema != nil {
		ema.Count[i] = 1
		copy(ema.Sum[i*d:(i+1)*d], x)
	}
}
