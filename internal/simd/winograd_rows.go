package simd

// The functions of this file are the transforms of F(4, 3) along one axis: what
// a 3-tap filter needs to compute four outputs with six multiplications (Lavin
// and Gray 2016, "Fast Algorithms for Convolutional Neural Networks", section
// 4.3). Each works on n values, row by row: row i begins at src[i*ss] or
// dst[i*ds]. They are the same bits on every machine; see rowops.go. To multiply
// by a power of two is exact and needs no rounding of its own.

// winogradInput transforms 6 rows of the input to 6.
func winogradInput(dst []float32, ds int, src []float32, ss, n int) {
	o0, o1, o2, o3, o4, o5 := dst[:n], dst[ds:][:n], dst[2*ds:][:n], dst[3*ds:][:n], dst[4*ds:][:n], dst[5*ds:][:n]
	d0, d1, d2, d3, d4, d5 := src[:n], src[ss:][:n], src[2*ss:][:n], src[3*ss:][:n], src[4*ss:][:n], src[5*ss:][:n]
	for i := winogradInputHead(dst, ds, src, ss, n); i < n; i++ {
		far, near := d4[i]-d2[i], 2*(d3[i]-d1[i])
		o0[i] = 4*(d0[i]-d2[i]) + far
		o1[i] = (d3[i] + d4[i]) - 4*(d1[i]+d2[i])
		o2[i] = 4*(d1[i]-d2[i]) + (d4[i] - d3[i])
		o3[i], o4[i] = far+near, far-near
		o5[i] = (d5[i] - d3[i]) - 2*near
	}
}

// winogradOutput transforms 6 rows of products to 4 rows of the output.
func winogradOutput(dst []float32, ds int, src []float32, ss, n int) {
	o0, o1, o2, o3 := dst[:n], dst[ds:][:n], dst[2*ds:][:n], dst[3*ds:][:n]
	m0, m1, m2, m3, m4, m5 := src[:n], src[ss:][:n], src[2*ss:][:n], src[3*ss:][:n], src[4*ss:][:n], src[5*ss:][:n]
	for i := winogradOutputHead(dst, ds, src, ss, n); i < n; i++ {
		s, d, s2, d2 := m1[i]+m2[i], m1[i]-m2[i], m3[i]+m4[i], m3[i]-m4[i]
		o0[i] = (m0[i] + s) + s2
		o1[i] = d + 2*d2
		o2[i] = s + 4*s2
		o3[i] = (d + 8*d2) + m5[i]
	}
}

// winogradGradient is the transpose of winogradOutput.
func winogradGradient(dst []float32, ds int, src []float32, ss, n int) {
	o0, o1, o2, o3, o4, o5 := dst[:n], dst[ds:][:n], dst[2*ds:][:n], dst[3*ds:][:n], dst[4*ds:][:n], dst[5*ds:][:n]
	g0, g1, g2, g3 := src[:n], src[ss:][:n], src[2*ss:][:n], src[3*ss:][:n]
	for i := winogradGradientHead(dst, ds, src, ss, n); i < n; i++ {
		s, d, s2, d2 := g0[i]+g2[i], g1[i]+g3[i], g0[i]+4*g2[i], 2*(g1[i]+4*g3[i])
		o0[i], o1[i], o2[i], o3[i], o4[i], o5[i] = g0[i], s+d, s-d, s2+d2, s2-d2, g3[i]
	}
}

const sixth, twentyfourth = float32(1.0 / 6), float32(1.0 / 24)

// winogradWeight transforms 3 taps to 6 rows.
func winogradWeight(dst []float32, ds int, src []float32, ss, n int) {
	o0, o1, o2, o3, o4, o5 := dst[:n], dst[ds:][:n], dst[2*ds:][:n], dst[3*ds:][:n], dst[4*ds:][:n], dst[5*ds:][:n]
	w0, w1, w2 := src[:n], src[ss:][:n], src[2*ss:][:n]
	for i := winogradWeightHead(dst, ds, src, ss, n); i < n; i++ {
		s, s2, d2 := w0[i]+w2[i], w0[i]+4*w2[i], 2*w1[i]
		o0[i] = 0.25 * w0[i]
		o1[i], o2[i] = -sixth*(s+w1[i]), -sixth*(s-w1[i])
		o3[i], o4[i] = twentyfourth*(s2+d2), twentyfourth*(s2-d2)
		o5[i] = w2[i]
	}
}

// winogradWeightGradient is the transpose of winogradWeight.
func winogradWeightGradient(dst []float32, ds int, src []float32, ss, n int) {
	o0, o1, o2 := dst[:n], dst[ds:][:n], dst[2*ds:][:n]
	s0, s1, s2, s3, s4, s5 := src[:n], src[ss:][:n], src[2*ss:][:n], src[3*ss:][:n], src[4*ss:][:n], src[5*ss:][:n]
	for i := winogradWeightGradientHead(dst, ds, src, ss, n); i < n; i++ {
		a, b := float32(sixth*(s1[i]+s2[i])), float32(twentyfourth*(s3[i]+s4[i]))
		o0[i] = (0.25*s0[i] - a) + b
		o1[i] = float32(sixth*(s2[i]-s1[i])) + 2*float32(twentyfourth*(s3[i]-s4[i]))
		o2[i] = (4*b - a) + s5[i]
	}
}
