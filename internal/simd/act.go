package simd

// add computes dst += src over len(dst) elements.
func add(dst, src []float32) {
	src = src[:len(dst)]
	for i, v := range src {
		dst[i] += v
	}
}

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
		acc := make([]float64, hi-lo)
		for r := range n {
			for j, v := range x[r*c+lo : r*c+hi] {
				acc[j] += float64(v)
			}
		}
		for j, v := range acc {
			sum[lo+j] = float32(v)
		}
	})
}

// columnGrain is the least number of columns worth a goroutine.
const columnGrain = 32

// ReLU computes y = max(x, 0). NaN stays NaN.
func ReLU(y, x []float32) {
	checkLen("ReLU y", len(y), len(x))
	Parallel(len(x), 16384, func(lo, hi int) {
		dst, src := y[lo:hi], x[lo:hi]
		for i, v := range src {
			dst[i] = max(v, 0)
		}
	})
}

// ReLUBackward passes dy where the output y is positive; the gradient at 0 is 0.
func ReLUBackward(dx, dy, y []float32) {
	checkLen("ReLU dx", len(dx), len(dy))
	Parallel(len(dy), 16384, func(lo, hi int) {
		dst, g, out := dx[lo:hi], dy[lo:hi], y[lo:hi]
		for i, v := range out {
			if v > 0 {
				dst[i] = g[i]
			} else {
				dst[i] = 0
			}
		}
	})
}
