package simd

// AddRows adds bias to every row of y.
//
//	y [N, C], bias [C] float32
func AddRows(y, bias []float32, n, c int) {
	checkLen("AddRows bias", len(bias), c)
	Parallel(n, 1+8192/c, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			add(y[r*c:(r+1)*c], bias)
		}
	})
}

// SumRows computes the column sums of x, each accumulated in float64 in row
// order.
//
//	sum [C], x [N, C] float32
func SumRows(sum, x []float32, n, c int) {
	checkLen("SumRows x", len(x), n*c)
	Parallel(c, columnGrain, func(lo, hi int) {
		acc := borrowWide(hi - lo)
		defer returnWide(acc)
		clear(acc)
		for r := range n {
			AddWide(acc, x[r*c+lo:r*c+hi])
		}
		for j, v := range acc {
			sum[lo+j] = float32(v)
		}
	})
}

// columnGrain is the least number of columns worth a goroutine.
const columnGrain = 128

// ReLU computes y = max(x, 0). NaN stays NaN.
func ReLU(y, x []float32) {
	checkLen("ReLU y", len(y), len(x))
	Parallel(len(x), 16384, func(lo, hi int) { rectify(y[lo:hi], x[lo:hi]) })
}

// ReLUBackward passes dy where the output y is positive; the gradient at 0 is 0.
func ReLUBackward(dx, dy, y []float32) {
	checkLen("ReLU dx", len(dx), len(dy))
	Parallel(len(dy), 16384, func(lo, hi int) { rectifyGrad(dx[lo:hi], dy[lo:hi], y[lo:hi]) })
}

// Sum computes y = x_0 + x_1 + …, in this order.
//
//	y, x_i [N] float32
func Sum(y []float32, x [][]float32) {
	const block = 2048 // stays in L1
	Parallel(len(y), 16384, func(lo, hi int) {
		for from := lo; from < hi; from += block {
			to := min(from+block, hi)
			copy(y[from:to], x[0][from:to])
			for _, part := range x[1:] {
				add(y[from:to], part[from:to])
			}
		}
	})
}

// ScaleBy computes y = x*factor. y may be x.
//
//	y, x [N] float32
func ScaleBy(y, x []float32, factor float32) {
	checkLen("ScaleBy y", len(y), len(x))
	Parallel(len(x), 16384, func(lo, hi int) { affine(y[lo:hi], x[lo:hi], factor, 0) })
}

// SigmoidBackward computes dx = dy*y*(1-y) from the output y.
func SigmoidBackward(dx, dy, y []float32) {
	checkLen("Sigmoid dx", len(dx), len(dy))
	checkLen("Sigmoid y", len(y), len(dy))
	Parallel(len(dy), 16384, func(lo, hi int) {
		g, y := dy[lo:hi], y[lo:hi]
		for i, v := range y {
			dx[lo+i] = g[i] * v * (1 - v)
		}
	})
}

// Softplus computes y = ln(1 + e^x). y may be x.
func Softplus(y, x []float32) {
	checkLen("Softplus y", len(y), len(x))
	const block = 4096 // stays in the first cache
	Parallel(len(x), block, func(lo, hi int) {
		slope := Borrow(block)
		defer Return(slope)
		for ; lo < hi; lo += block {
			to := min(lo+block, hi)
			softplusSlope(y[lo:to], slope, x[lo:to])
		}
	})
}
