package simd

// Gate computes the gated activation z = tanh(a) * sigmoid(b) of the rows
// h = [a, b] after adding a context, which changes only every repeat rows
// (van den Oord et al. 2016, eq. 3). It leaves tanh(a) and sigmoid(b) in h, for
// [GateBackward].
//
//	z [N, D], h [N, 2D], context [N/repeat, 2D] or nil float32
func Gate(z, h, context []float32, n, d, repeat int) {
	checkLen("Gate z", len(z), n*d)
	checkLen("Gate h", len(h), n*2*d)
	if context != nil {
		checkLen("Gate context", len(context)*repeat, n*2*d)
	}
	Parallel(n, 1+2048/d, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			row := h[r*2*d : (r+1)*2*d]
			if context != nil {
				add(row, context[r/repeat*2*d:])
			}
			gate(z[r*d:(r+1)*d], row)
		}
	})
}

// gate is GateRow. The assembly interleaves the two functions, which wait for
// their own results most of the time.
func gate(z, h []float32) {
	a, b := h[:len(z)], h[len(z):2*len(z)]
	n := rowGateHead(z, a, b)
	z, a, b = z[n:], a[n:], b[n:]
	Tanh(a, a)
	Sigmoid(b, b)
	multiply(z, a, b)
}

// GateBackward computes the gradient of h from what Gate left there, in place.
//
//	h [N, 2D]: tanh(a), sigmoid(b) → dh, dz [N, D] float32
func GateBackward(h, dz []float32, n, d int) {
	checkLen("GateBackward h", len(h), n*2*d)
	checkLen("GateBackward dz", len(dz), n*d)
	Parallel(n, 1+4096/d, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			gateGrad(h[r*2*d:r*2*d+d], h[r*2*d+d:(r+1)*2*d], dz[r*d:(r+1)*d])
		}
	})
}

// SumGroups adds up every repeat rows: the gradient of what was added to all of
// them.
//
//	y [N, C], x [N*repeat, C] float32
func SumGroups(y, x []float32, n, c, repeat int) {
	checkLen("SumGroups y", len(y), n*c)
	checkLen("SumGroups x", len(x), n*c*repeat)
	Parallel(n, 1+16384/(c*repeat), func(lo, hi int) { UpsampleBackward(y[lo*c:hi*c], x[lo*c*repeat:], hi-lo, c, repeat) })
}

// multiply computes dst = a*b.
func multiply(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := rowMultiplyHead(dst, a, b); i < len(dst); i++ {
		dst[i] = a[i] * b[i]
	}
}

// gateGrad replaces tanh(a) and sigmoid(b) by the gradients of a and b.
func gateGrad(a, b, dz []float32) {
	b, dz = b[:len(a)], dz[:len(a)]
	for i := rowGateGradHead(a, b, dz); i < len(a); i++ {
		t, s, g := a[i], b[i], dz[i]
		u := float32(g * s)
		a[i] = u - float32(float32(u*t)*t)
		b[i] = float32(u*t) - float32(float32(u*t)*s)
	}
}
