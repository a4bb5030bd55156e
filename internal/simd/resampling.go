package simd

// Upsample repeats every frame factor times (nearest neighbour).
//
//	y [B, factor*T, C], x [B, T, C] float32
func Upsample(y, x []float32, frames, c, factor int) {
	for i := range frames {
		src := x[i*c : (i+1)*c]
		for f := range factor {
			copy(y[(i*factor+f)*c:], src)
		}
	}
}

// UpsampleBackward sums the gradients of the repeats.
func UpsampleBackward(dx, dy []float32, frames, c, factor int) {
	for i := range frames {
		dst := dx[i*c : (i+1)*c]
		copy(dst, dy[i*factor*c:])
		for f := 1; f < factor; f++ {
			add(dst, dy[(i*factor+f)*c:])
		}
	}
}

// Jitter replaces frame t by frame t+offset; offsets that leave the sequence
// are clamped to it.
//
//	y, x [B, L, C] float32, offset [B, L] int32
func Jitter(y, x []float32, offset []int32, b, l, c int) {
	for i := range b * l {
		copy(y[i*c:(i+1)*c], x[jitterSource(i, offset[i], l)*c:])
	}
}

// JitterBackward adds every gradient to the frame it was copied from.
func JitterBackward(dx, dy []float32, offset []int32, b, l, c int) {
	clear(dx)
	for i := range b * l {
		s := jitterSource(i, offset[i], l)
		add(dx[s*c:(s+1)*c], dy[i*c:])
	}
}

func jitterSource(i int, offset int32, l int) int {
	item, t := i/l, i%l
	return item*l + min(max(t+int(offset), 0), l-1)
}
