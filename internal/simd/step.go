package simd

// The functions of this file work on one row on the caller's goroutine, for
// networks that run sample by sample.

// GateRow computes the gated activation z = tanh(a) * sigmoid(b) of h = [a, b],
// which it overwrites (see [Gate]).
//
//	z [D], h [2D] float32
func GateRow(z, h []float32) {
	checkLen("GateRow h", len(h), 2*len(z))
	gate(z, h)
}

// AddRow computes y += x.
//
//	y, x [N] float32
func AddRow(y, x []float32) {
	checkLen("AddRow y", len(y), len(x))
	add(y, x)
}

// ScaleRow computes x *= factor.
//
//	x [N] float32
func ScaleRow(x []float32, factor float32) { affine(x, x, factor, 0) }

// ReLURow computes y = max(x, 0). y may be x. NaN stays NaN.
//
//	y, x [N] float32
func ReLURow(y, x []float32) {
	checkLen("ReLURow y", len(y), len(x))
	rectify(y, x)
}

// SoftmaxRow computes weights proportional to softmax(a/tau), the largest of
// them 1, and returns their sum.
//
//	y, a [N] float32
func SoftmaxRow(y, a []float32, tau float32) float64 {
	checkLen("SoftmaxRow y", len(y), len(a))
	inv := 1 / tau
	affine(y, a, 1, -peak(a))
	affine(y, y, inv, 0)
	Exp(y, y)
	return sum(y)
}
