package simd

import "math"

// BatchNormTrain normalises every channel over all rows (biased variance) and
// keeps what the backward pass and the running statistics need. With relu, y is
// rectified; then residual is added, unless it is nil.
//
//	x, y, residual [N, C]; gamma, beta [C]; mean, variance (biased), invStd [C], written float32
func BatchNormTrain(y, x, residual, gamma, beta, mean, variance, invStd []float32, n, c int, eps float64, relu bool) {
	checkLen("BatchNorm x", len(x), n*c)
	if residual != nil {
		checkLen("BatchNorm residual", len(residual), n*c)
	}
	checkLen("BatchNorm y", len(y), n*c)
	Parallel(c, columnGrain, func(lo, hi int) {
		w := hi - lo
		acc := borrowWide(2 * w)
		defer returnWide(acc)
		clear(acc)
		sum, sq := acc[:w], acc[w:]
		for r := range n {
			AddWide(sum, x[r*c+lo:r*c+hi])
		}
		for j := range sum {
			sum[j] /= float64(n)
		}
		for r := range n {
			addSquares(sq, x[r*c+lo:r*c+hi], sum)
		}
		factors := Borrow(2 * w)
		defer Return(factors)
		scale, shift := factors[:w], factors[w:]
		for j := range sq {
			v := sq[j] / float64(n)
			inv := 1 / math.Sqrt(v+eps)
			mean[lo+j], variance[lo+j], invStd[lo+j] = float32(sum[j]), float32(v), float32(inv)
			g := float64(gamma[lo+j]) * inv
			scale[j] = float32(g)
			shift[j] = float32(float64(beta[lo+j]) - sum[j]*g)
		}
		for r := range n {
			row := y[r*c+lo : r*c+hi]
			scaleShift(row, x[r*c+lo:], scale, shift, relu)
			if residual != nil {
				add(row, residual[r*c+lo:])
			}
		}
	})
}

// BatchNormBackward computes the gradients of BatchNormTrain. relu is the
// rectified output, nil if it was not rectified.
//
//	dx, dy, x, relu [N, C]; dgamma, dbeta, gamma, mean, invStd [C] float32
func BatchNormBackward(dx, dgamma, dbeta, dy, x, relu, gamma, mean, invStd []float32, n, c int) {
	checkLen("BatchNorm dx", len(dx), n*c)
	Parallel(c, columnGrain, func(lo, hi int) {
		w := hi - lo
		acc := borrowWide(2 * w)
		defer returnWide(acc)
		clear(acc)
		sum, sumX := acc[:w], acc[w:]
		for r := range n {
			g := dy[r*c+lo : r*c+hi]
			if relu != nil {
				rectifyGrad(dx[r*c+lo:r*c+hi], g, relu[r*c+lo:])
				g = dx[r*c+lo : r*c+hi]
			}
			normSums(sum, sumX, g, x[r*c+lo:], mean[lo:])
		}
		// dx = gamma*inv * (dy - mean(dy) - xhat*mean(dy*xhat)) = a*dy + b*(x-mean) + d
		factors := Borrow(3 * w)
		defer Return(factors)
		a, b, d := factors[:w], factors[w:2*w], factors[2*w:]
		for j := range w {
			inv := float64(invStd[lo+j])
			dgamma[lo+j] = float32(sumX[j] * inv)
			dbeta[lo+j] = float32(sum[j])
			g := float64(gamma[lo+j]) * inv
			slope := sumX[j] * inv * inv / float64(n)
			a[j] = float32(g)
			b[j] = float32(-g * slope)
			d[j] = float32(-g * sum[j] / float64(n))
		}
		for r := range n {
			g := dy[r*c+lo : r*c+hi]
			if relu != nil {
				g = dx[r*c+lo : r*c+hi]
			}
			normGrad(dx[r*c+lo:r*c+hi], g, x[r*c+lo:], mean[lo:], a, b, d)
		}
	})
}

// BatchNormEval returns scale and shift [C] such that y = x*scale + shift
// normalises with running statistics.
func BatchNormEval(scale, shift, gamma, beta, mean, variance []float32, eps float64) {
	for j := range scale {
		g := float64(gamma[j]) / math.Sqrt(float64(variance[j])+eps)
		scale[j] = float32(g)
		shift[j] = float32(float64(beta[j]) - float64(mean[j])*g)
	}
}

// ScaleShift computes y = x*scale + shift per channel.
//
//	x, y [N, C]; scale, shift [C] float32
func ScaleShift(y, x, scale, shift []float32, n, c int) {
	Parallel(n, 1+8192/c, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			scaleShift(y[r*c:(r+1)*c], x[r*c:], scale, shift, false)
		}
	})
}

// BatchNormEvalBackward computes the gradients of normalisation with fixed
// statistics.
//
//	dx, dy, x [N, C]; dgamma, dbeta, gamma, mean, variance [C] float32
func BatchNormEvalBackward(dx, dgamma, dbeta, dy, x, gamma, mean, variance []float32, n, c int, eps float64) {
	inv, scale := make([]float32, c), make([]float32, c)
	for j := range inv {
		inv[j] = float32(1 / math.Sqrt(float64(variance[j])+eps))
		scale[j] = gamma[j] * inv[j]
	}
	SumRows(dbeta, dy, n, c)
	xhat := Borrow(n * c)
	defer Return(xhat)
	for r := range n {
		for j := range c {
			i := r*c + j
			xhat[i] = (x[i] - mean[j]) * inv[j] * dy[i]
			dx[i] = scale[j] * dy[i]
		}
	}
	SumRows(dgamma, xhat, n, c)
}
