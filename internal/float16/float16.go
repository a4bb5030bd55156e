// Package float16 converts between float32 and the two 16-bit formats of tensor
// files, IEEE 754 binary16 and bfloat16.
package float16

import "math"

// Float32 returns the value of an IEEE 754 binary16 bit pattern, exactly.
func Float32(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exp, frac := uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch exp {
	case 0: // zero or subnormal: frac * 2^-24, which float32 holds as a normal number
		return math.Float32frombits(math.Float32bits(float32(frac)*0x1p-24) | sign)
	case 0x1f: // infinity or NaN, payload kept
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	}
	return math.Float32frombits(sign | (exp+127-15)<<23 | frac<<13)
}

// FromFloat32 rounds to the nearest binary16, ties to even. Values beyond
// 65504 by half a step or more become infinite; NaN stays NaN.
func FromFloat32(f float32) uint16 {
	b := math.Float32bits(f)
	sign := uint16(b >> 16 & 0x8000)
	b &= 0x7fffffff
	switch {
	case b > 0x7f800000: // NaN: keep the top of the payload, and never let it become infinity
		return sign | 0x7e00 | uint16(b>>13&0x3ff)
	case b >= 0x477ff000: // 65520 and more
		return sign | 0x7c00
	case b < 0x38800000: // below 2^-14: adding 1/2 lets the FPU round at 2^-24
		sum := math.Float32frombits(b) + 0.5
		return sign | uint16(math.Float32bits(sum)-math.Float32bits(0.5))
	}
	// Rebias the exponent and round the 13 bits that go; a carry runs into the
	// exponent as it should.
	b -= (127 - 15) << 23
	b += 0xfff + b>>13&1
	return sign | uint16(b>>13)
}

// BFloat32 returns the value of a bfloat16 bit pattern, exactly.
func BFloat32(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }
