package graph

import (
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vqspeech/internal/simd"
)

// BatchNormStats are the running statistics of one batch normalisation, each
// [C] float32. A training run of the graph moves them.
type BatchNormStats struct {
	Mean, Var []float32 // Var is the unbiased estimate
}

// BatchNorm normalises every channel of x over batch and time with the batch's
// own statistics and moves stats towards them by momentum.
//
//	x [..., C], gamma [C], beta [C] → y [..., C]
func BatchNorm(x, gamma, beta *G.Node, stats BatchNormStats, eps, momentum float64) *G.Node {
	return batchNorm("batch norm", x, gamma, beta, nil, stats, eps, momentum, false)
}

// BatchNormReLU is ReLU(BatchNorm(…)) without the value in between.
func BatchNormReLU(x, gamma, beta *G.Node, stats BatchNormStats, eps, momentum float64) *G.Node {
	return batchNorm("batch norm relu", x, gamma, beta, nil, stats, eps, momentum, true)
}

// ResidualBatchNorm is residual + BatchNorm(…) without the value in between.
//
//	residual [..., C], as x
func ResidualBatchNorm(x, gamma, beta, residual *G.Node, stats BatchNormStats, eps, momentum float64) *G.Node {
	CheckShape("residual batch norm", residual, x.Shape()...)
	return batchNorm("residual batch norm", x, gamma, beta, residual, stats, eps, momentum, false)
}

// batchNorm adds a normalisation; residual may be nil.
func batchNorm(name string, x, gamma, beta, residual *G.Node, stats BatchNormStats, eps, momentum float64, relu bool) *G.Node {
	n, c := rows(x.Shape())
	CheckShape(name+" gamma", gamma, c)
	CheckShape(name+" beta", beta, c)
	mean, variance, invStd := make([]float32, c), make([]float32, c), make([]float32, c)
	in, wrt := []*G.Node{x, gamma, beta}, []bool{true, true, true}
	if residual != nil {
		in, wrt = append(in, residual), append(wrt, true)
	}
	return apply(name, x.Shape(), func(y []float32, in []G.Value) {
		var residual []float32
		if len(in) == 4 {
			residual = floats(in[3])
		}
		simd.BatchNormTrain(y, floats(in[0]), residual, floats(in[1]), floats(in[2]), mean, variance, invStd, n, c, eps, relu)
		unbiased := 1.0
		if n > 1 {
			unbiased = float64(n) / float64(n-1)
		}
		for j := range mean {
			stats.Mean[j] = float32((1-momentum)*float64(stats.Mean[j]) + momentum*float64(mean[j]))
			stats.Var[j] = float32((1-momentum)*float64(stats.Var[j]) + momentum*unbiased*float64(variance[j]))
		}
	}, wrt, func(in G.Nodes, out, grad *G.Node, _ []bool) G.Nodes {
		grads := gradients(name+"/d", []tensor.Shape{x.Shape(), {c}, {c}}, func(d [][]float32, v []G.Value) {
			var rectified []float32
			if relu {
				rectified = floats(v[3])
			}
			simd.BatchNormBackward(d[0], d[1], d[2], floats(v[2]), floats(v[0]), rectified, floats(v[1]), mean, invStd, n, c)
		}, in[0], in[1], grad, out)
		if residual != nil {
			grads = append(grads, grad)
		}
		return grads
	}, in...)
}

// BatchNormEval normalises with running statistics, which stay as they are.
//
//	x [..., C], gamma [C], beta [C] → y [..., C]
func BatchNormEval(x, gamma, beta *G.Node, stats BatchNormStats, eps float64) *G.Node {
	n, c := rows(x.Shape())
	scale, shift := make([]float32, c), make([]float32, c)
	return apply("batch norm (eval)", x.Shape(), func(y []float32, in []G.Value) {
		simd.BatchNormEval(scale, shift, floats(in[1]), floats(in[2]), stats.Mean, stats.Var, eps)
		simd.ScaleShift(y, floats(in[0]), scale, shift, n, c)
	}, []bool{true, true, true}, func(in G.Nodes, _, grad *G.Node, _ []bool) G.Nodes {
		return gradients("batch norm (eval)/d", []tensor.Shape{x.Shape(), {c}, {c}}, func(out [][]float32, v []G.Value) {
			simd.BatchNormEvalBackward(out[0], out[1], out[2], floats(v[2]), floats(v[0]), floats(v[1]), stats.Mean, stats.Var, n, c, eps)
		}, in[0], in[1], grad)
	}, x, gamma, beta)
}
