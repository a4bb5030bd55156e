// Package figures makes figures 2, 4 and 5 of Takida et al. 2022 from a prepared
// corpus of images: it trains every point of a sweep, each in a folder of its
// own, and writes what they measured as CSV and as a picture.
//
//	selfanneal  figure 2: a trained posterior variance against fixed ones
//	kappa       figure 4: von Mises-Fisher against naive categorical decoders
//	capacity    figure 5: size K and dimension d of the codebook, SQ-VAE I against VQ-VAE EMA
//
// A sweep can be stopped or killed at any time and run again: points that are
// finished are kept, one that is not goes on from its last checkpoint.
package figures
