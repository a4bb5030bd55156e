package simd

// window is a matrix [B*to, kernel*in] whose row r holds the frames that output
// frame r%to of sequence r/to of a convolution sees: kernel frames, dilation
// apart, the first of them frame (r%to)*stride-padLeft. Frames outside the
// sequence are zero. It is never built as a whole: a product gathers the part
// it is about to pack.
type window struct {
	in, kernel, stride, dilation, padLeft int
	t, to                                 int // frames of a sequence of x, and of rows
}

// gather copies columns c0 to c1-1 of rows r0 to r1-1 to dst, one row after the
// other.
//
//	x [B, t, in] float32
func (w window) gather(dst, x []float32, r0, r1, c0, c1 int) {
	// Columns of span values are neighbours in x as well.
	span := w.in
	if w.dilation == 1 {
		span *= w.kernel
	}
	size := w.t * w.in
	for r := r0; r < r1; r++ {
		seq := x[r/w.to*size:][:size]
		first := r%w.to*w.stride - w.padLeft
		for c := c0; c < c1; {
			tap := c / span
			end := min((tap+1)*span, c1)
			from := (first+tap*w.dilation)*w.in + c - tap*span // of column c in seq
			row := dst[:end-c]
			lo := min(max(-from, 0), len(row))
			hi := max(min(size-from, len(row)), lo)
			clear(row[:lo])
			if lo < hi {
				copy(row[lo:hi], seq[from+lo:])
			}
			clear(row[hi:])
			dst = dst[end-c:]
			c = end
		}
	}
}

// tapOrder reads convolution weights [kernel*in, out] as the matrix
// [count*out, in] that multiplies gradients of the output: block i of out rows
// is the transpose of tap first+step*(count-1-i).
type tapOrder struct{ in, out, first, step, count int }

// source returns where value p of column j lies in the weights, and how many
// values of the column follow each other from there, itself included.
func (o tapOrder) source(p, j int) (at, n int) {
	tap := o.first + o.step*(o.count-1-p/o.out)
	at = p % o.out
	return (tap*o.in+j)*o.out + at, o.out - at
}
