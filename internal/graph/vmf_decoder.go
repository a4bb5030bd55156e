package graph

import (
	"math"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vqspeech/internal/bessel"
	"vqspeech/internal/simd"
)

// VMFRecon is the reconstruction term of a vMF decoder (Takida et al. 2022):
// every pixel is drawn about the direction u/|u|, and class c is axis c. With
// kappa = bessel.VMFKappa(t) it is -kappa mean_b sum u_label/|u| - D
// c(kappa) nats per sample, D its pixels, c the log normaliser
// (bessel.VMFLogNormalizer), additive constants dropped.
//
//	u [B, ..., F], F even; label [B, ...] int32, t [1] → scalar
func VMFRecon(u, label, t *G.Node) *G.Node {
	n, f := rows(u.Shape())
	CheckShape("vmf recon label", label, u.Shape()[:u.Dims()-1]...)
	CheckShape("vmf recon spread", t, 1)
	b := float64(u.Shape()[0])
	pixels := float64(n) / b
	cosines := make([]float32, n)
	var kappa, mean float64 // mean: of the cosines' sum over a sample
	return applyScalar("vmf recon", func(in []G.Value) float64 {
		simd.VMFCosines(cosines, floats(in[0]), ints(in[1]), n, f)
		kappa, mean = bessel.VMFKappa(float64(floats(in[2])[0])), total(cosines)/b
		return -kappa*mean - pixels*bessel.VMFLogNormalizer(f, kappa)
	}, []bool{true, false, true}, func(in G.Nodes, out, grad *G.Node, _ []bool) G.Nodes {
		du := apply("vmf recon/du", u.Shape(), func(du []float32, v []G.Value) {
			simd.VMFCosinesBackward(du, floats(v[0]), ints(v[1]), -kappa/b*float64(scalar(v[2])), n, f)
		}, nil, nil, in[0], in[1], grad, out)
		dt := apply("vmf recon/dt", tensor.Shape{1}, func(dt []float32, v []G.Value) {
			slope := -mean + pixels*bessel.VMFMeanCosine(f, kappa) // of kappa
			dt[0] = float32(-slope * kappa * kappa * math.Exp(float64(floats(v[0])[0])) * float64(scalar(v[1])))
		}, nil, nil, in[2], grad, out)
		return G.Nodes{du, nil, dt}
	}, u, label, t)
}
