package simd

// CrossEntropy computes p = softmax(a) and the negative log-likelihood of one
// class per row, nll = ln(sum exp a) - a[target] (nats).
//
//	nll [N], p, a [N, K] float32, target [N] int32
//
// It panics on a target outside [0, K).
func CrossEntropy(nll, p, a []float32, target []int32, n, k int) {
	checkLen("CrossEntropy nll", len(nll), n)
	checkLen("CrossEntropy target", len(target), n)
	Softmax(p, a, nil, n, k, 1)
	Parallel(n, rowGrain(k), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			src := a[r*k : (r+1)*k]
			nll[r] = float32(logSumExp(src, p[r*k:(r+1)*k]) - float64(src[target[r]]))
		}
	})
}

// CrossEntropyBackward computes the gradient of the logits in the place of
// their softmax: p = dnll * (p - onehot(target)).
//
//	p [N, K], dnll [N] float32, target [N] int32
func CrossEntropyBackward(p, dnll []float32, target []int32, n, k int) {
	checkLen("CrossEntropyBackward p", len(p), n*k)
	checkLen("CrossEntropyBackward dnll", len(dnll), n)
	Parallel(n, rowGrain(k), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			row := p[r*k : (r+1)*k]
			row[target[r]]--
			affine(row, row, dnll[r], 0)
		}
	})
}
