package wav

import (
	"encoding/binary"
	"math"
)

// converter returns the function that turns stored samples into float32:
// integers over 2^(bits-1), floats unchanged (64-bit ones rounded).
func converter(info Info) func(dst []float32, src []byte) {
	switch {
	case info.Float && info.BitsPerSample == 32:
		return fromFloat32
	case info.Float:
		return fromFloat64
	case info.BitsPerSample == 8:
		return fromUint8
	case info.BitsPerSample == 16:
		return fromInt16
	case info.BitsPerSample == 24:
		return fromInt24
	default:
		return fromInt32
	}
}

func fromUint8(dst []float32, src []byte) {
	for i, b := range src[:len(dst)] {
		dst[i] = float32(int(b)-128) / 128
	}
}

func fromInt16(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = float32(int16(binary.LittleEndian.Uint16(src[2*i:]))) / (1 << 15)
	}
}

func fromInt24(dst []float32, src []byte) {
	for i := range dst {
		b := src[3*i : 3*i+3]
		v := int32(uint32(b[0])<<8|uint32(b[1])<<16|uint32(b[2])<<24) >> 8
		dst[i] = float32(v) / (1 << 23)
	}
}

// fromInt32 rounds to 24 significant bits; a sample within 2^-25 of 1 would
// round up to it and is held below, to keep the range [-1, 1).
func fromInt32(dst []float32, src []byte) {
	const below1 = 1 - 1.0/(1<<24)
	for i := range dst {
		v := float32(int32(binary.LittleEndian.Uint32(src[4*i:]))) / (1 << 31)
		dst[i] = min(v, below1)
	}
}

func fromFloat32(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
	}
}

func fromFloat64(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:])))
	}
}

// notFinite returns the index of the first NaN or infinity in x, or -1.
func notFinite(x []float32) int {
	for i, v := range x {
		if v-v != 0 {
			return i
		}
	}
	return -1
}
