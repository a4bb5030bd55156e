// Package quant turns latents into codes and back: a Codebook assigns every
// latent to its most probable code vector and looks codes up. Training lives in
// quant/sq and quant/vq, files of codes in quant/units, counts in quant/metric.
//
// Shapes use the project's letters: N latents, D code dimension, K codebook
// size.
package quant

import (
	"fmt"

	"vqspeech/internal/simd"
)

// Codebook holds K code vectors of dimension D.
type Codebook struct {
	Size    int       // K
	Dim     int       // D
	Vectors []float32 // [K, D]
}

// Assign writes, for every latent, the index of the code vector with the least
// sum_j w_j (z_j - b_kj)^2: the nearest under the precisions w (Takida et al.
// 2022). With precision nil all w are 1 and this is the nearest neighbour of
// van den Oord et al. 2017, eq. 2.
//
//	codes [N], latents [N, D] float32, precision [1], [N], [N, D] float32 or nil
//
// Ties go to the lowest index. Assign panics if the lengths do not fit.
func (c *Codebook) Assign(codes []uint16, latents, precision []float32) {
	n := len(codes)
	if len(latents) != n*c.Dim {
		panic(fmt.Sprintf("quant: %d latent elements for %d codes of dimension %d", len(latents), n, c.Dim))
	}
	if n == 0 {
		return
	}
	a := simd.Borrow(n * c.Size)
	defer simd.Return(a)
	c.Logits(a, latents, precision)
	index := make([]int32, n)
	simd.ArgMax(index, a, n, c.Size)
	for i, k := range index {
		codes[i] = uint16(k)
	}
}

// MultiplyAdds returns the number of multiply-adds in the matrix products of
// Assign for n latents and a precision of the given length.
func (c *Codebook) MultiplyAdds(n, precision int) int64 {
	product := int64(n) * int64(c.Dim) * int64(c.Size)
	if precision == n*c.Dim { // the squares of the code vectors need one more
		return 2 * product
	}
	return product
}

// Logits writes -1/2 sum_j w_j (z_j - b_kj)^2 for every latent and code; see
// Assign for the arguments.
//
//	a [N, K] float32
func (c *Codebook) Logits(a, latents, precision []float32) {
	if precision == nil {
		precision = one
	}
	simd.GaussianLogits(a, latents, precision, c.Vectors, len(latents)/c.Dim, c.Dim, c.Size)
}

// PosteriorEntropy writes the entropy (nats) of the posterior over the codes,
// softmax of Logits, for every latent (Takida et al. 2022): ln K where all codes
// are as probable, 0 where one is certain. See Assign for the arguments.
//
//	h [N] float32
func (c *Codebook) PosteriorEntropy(h, latents, precision []float32) {
	n := len(h)
	if len(latents) != n*c.Dim {
		panic(fmt.Sprintf("quant: %d latent elements for %d entropies of dimension %d", len(latents), n, c.Dim))
	}
	if n == 0 {
		return
	}
	a, p := simd.Borrow(n*c.Size), simd.Borrow(n*c.Size)
	defer simd.Return(a)
	defer simd.Return(p)
	c.Logits(a, latents, precision)
	simd.NegEntropy(p, h, a, n, c.Size)
	for i, v := range h {
		h[i] = max(0, -v) // rounding, and no -0
	}
}

var one = []float32{1}

// Lookup writes the code vectors of codes.
//
//	dst [N, D] float32, codes [N], each < K
func (c *Codebook) Lookup(dst []float32, codes []uint16) {
	for i, k := range codes {
		copy(dst[i*c.Dim:(i+1)*c.Dim], c.Vectors[int(k)*c.Dim:])
	}
}
