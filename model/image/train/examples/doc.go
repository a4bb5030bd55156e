// Package examples holds, as tests, what the papers on vector-quantised
// autoencoders show with small or large examples of their own (van den Oord et
// al. 2017; Razavi et al. 2019; Takida et al. 2022), on data from
// internal/synthetic: each test builds its model of the graph's layers and the
// training nodes of quant/sq and quant/vq, trains it for seconds and checks the
// claim.
//
//	compression_test.go  128×128 images in 32×32 of 512 codes: 42.67 times less
//	mixture_test.go      every quantiser finds 16 Gaussians; dead codes; fixed variances
//	systems_test.go      images of shapes; a decoder's own concentration
//	hierarchy_test.go    two levels of codes, the upper of which holds the layout
//	collapse_test.go     a strong decoder ignores the latents of a VAE, but not codes
//	video_test.go        a film that goes on in the space of codes, by actions
package examples
