package units

// packedSize returns the bytes that n units of the given width take.
func packedSize(n, width int) int { return (n*width + 7) / 8 }

// pack appends the codes to dst, width bits each, least significant bit first.
// The unused high bits of the last byte are zero.
func pack(dst []byte, codes []uint16, width int) []byte {
	var acc uint32
	have := 0
	for _, c := range codes {
		acc |= uint32(c) << have
		for have += width; have >= 8; have -= 8 {
			dst = append(dst, byte(acc))
			acc >>= 8
		}
	}
	if have > 0 {
		dst = append(dst, byte(acc))
	}
	return dst
}

// unpack fills dst with codes and returns the unused high bits of the last
// byte. len(src) must be packedSize(len(dst), width).
func unpack(dst []uint16, src []byte, width int) (padding byte) {
	var acc uint32
	have := 0
	for i := range dst {
		for have < width {
			acc |= uint32(src[0]) << have
			src = src[1:]
			have += 8
		}
		dst[i] = uint16(acc & (1<<width - 1))
		acc >>= width
		have -= width
	}
	return byte(acc)
}
