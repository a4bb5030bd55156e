package resample

// dotGeneric is the inner product of h with the start of x, in the order that
// every implementation keeps, so that the result does not depend on the
// machine: sixteen partial sums, joined as below, then the odd end.
func dotGeneric(h, x []float64) float64 {
	n := len(h) &^ 15
	if n == 0 {
		return dotEnd(0, h, x)
	}
	a, b := lanes(h[:n], x[:n]), lanes(h[8:n], x[8:n])
	var q [4]float64
	for j := range q {
		q[j] = (a[j] + a[4+j]) + (b[j] + b[4+j])
	}
	return dotEnd((q[0]+q[2])+(q[1]+q[3]), h[n:], x[n:])
}

// lanes returns eight of the partial sums, over the first eight of every
// sixteen elements. Eight fit the registers of the machines without a kernel of
// their own. The conversions forbid a fused multiply-add.
func lanes(h, x []float64) (s [8]float64) {
	var s0, s1, s2, s3, s4, s5, s6, s7 float64
	for len(h) >= 8 {
		a, b := (*[8]float64)(h), (*[8]float64)(x)
		s0 += float64(a[0] * b[0])
		s1 += float64(a[1] * b[1])
		s2 += float64(a[2] * b[2])
		s3 += float64(a[3] * b[3])
		s4 += float64(a[4] * b[4])
		s5 += float64(a[5] * b[5])
		s6 += float64(a[6] * b[6])
		s7 += float64(a[7] * b[7])
		step := min(16, len(h))
		h, x = h[step:], x[step:]
	}
	return [8]float64{s0, s1, s2, s3, s4, s5, s6, s7}
}

// dotEnd adds the products of fewer than 16 elements to sum.
func dotEnd(sum float64, h, x []float64) float64 {
	for i, v := range h {
		sum += float64(v * x[i])
	}
	return sum
}
