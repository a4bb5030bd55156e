// Package image holds autoencoders of images and of maps of class labels (SQ-VAE
// and its rivals; Takida et al. 2022, networks of sony/sqvae vision): an image
// becomes a small grid of codes, and codes an image. The package needs no
// gorgonia; training is in model/image/train, the quantisers' training nodes
// are those of speech (quant/sq, quant/vq).
//
//	set → Model.Encode → codes → Model.Decode → set
//
// Letters of shapes: B images of a batch, N images of a set, H and W pixels, C
// channels of a pixel, h and w rows and columns of the grid of latents, D code
// dimension, K codebook size, F channels of the decoder's output. Everything is
// channels last.
package image
