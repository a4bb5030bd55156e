package celeba

import "math"

// precision is the number of fractional bits of the weights, as in Pillow.
const precision = 32 - 8 - 2

// resize makes a square image smaller as Pillow does with its bilinear filter:
// a triangle as wide as the reduction asks for, along rows and then along
// columns, with weights in fixed point and values rounded to uint8 after each.
//
//	dst [to, to, 3] uint8
//	src [from, from, 3] uint8
func resize(dst, src []uint8, from, to int) {
	taps := triangle(from, to)
	narrow := make([]uint8, from*to*3) // [from, to, 3]
	for y := range from {
		for x, t := range taps {
			for c := range 3 {
				narrow[(y*to+x)*3+c] = t.apply(src[y*from*3+c:], 3)
			}
		}
	}
	for y, t := range taps {
		for i := range to * 3 {
			dst[y*to*3+i] = t.apply(narrow[i:], to*3)
		}
	}
}

// tap is what one value is made of: weights of the values from first on.
type tap struct {
	first   int
	weights []int32
}

func (t tap) apply(src []uint8, stride int) uint8 {
	sum := int32(1) << (precision - 1)
	for i, w := range t.weights {
		sum += w * int32(src[(t.first+i)*stride])
	}
	return clamp(sum >> precision)
}

// triangle returns the taps of a reduction.
func triangle(from, to int) []tap {
	scale := float64(from) / float64(to)
	taps := make([]tap, to)
	for i := range taps {
		center := (float64(i) + 0.5) * scale
		first := max(int(center-scale+0.5), 0)
		last := min(int(center+scale+0.5), from)
		weights := make([]float64, last-first)
		total := 0.0
		for k := range weights {
			weights[k] = max(0, 1-math.Abs((float64(k+first)-center+0.5)/scale))
			total += weights[k]
		}
		t := tap{first, make([]int32, len(weights))}
		for k, w := range weights {
			t.weights[k] = int32(0.5 + w/total*(1<<precision))
		}
		taps[i] = t
	}
	return taps
}
