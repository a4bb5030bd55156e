package flac

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
)

// bitWriter writes fields most significant bit first, as FLAC does.
type bitWriter struct {
	b    []byte
	free uint // unused low bits of the last byte
}

func (w *bitWriter) put(v uint64, n uint) {
	for ; n > 0; n-- {
		if w.free == 0 {
			w.b, w.free = append(w.b, 0), 8
		}
		w.free--
		w.b[len(w.b)-1] |= byte(v>>(n-1)&1) << w.free
	}
}

func crc(data []byte, poly, width uint) uint64 {
	var c uint64
	for _, b := range data {
		c ^= uint64(b) << (width - 8)
		for range 8 {
			if c <<= 1; c>>width&1 == 1 {
				c ^= uint64(1)<<width | uint64(poly)
			}
		}
	}
	return c
}

// stream builds FLAC streams of verbatim frames field by field, so that a test
// can make any of them lie.
type stream struct {
	magic      string
	blockType  byte
	blockSize  uint32
	rate       uint32
	bits       uint
	total      uint64
	md5        [md5.Size]byte
	channels   [][]int32
	block      int  // samples of a frame
	frameBits  byte // 3-bit code of the sample size, 0 = see header
	frameRate  byte // 4-bit code of the rate, 0 = see header
	frameChans byte // 4-bit code of the channels
	tail       []byte
}

func newStream(bits uint, block int, channels ...[]int32) stream {
	s := stream{
		magic: "fLaC", blockSize: 34, rate: 16000, bits: bits, total: uint64(len(channels[0])),
		channels: channels, block: block, frameChans: byte(len(channels) - 1),
	}
	var pcm []byte
	for i := range channels[0] {
		for _, c := range channels {
			pcm = append(pcm, binary.LittleEndian.AppendUint32(nil, uint32(c[i]))[:(bits+7)/8]...)
		}
	}
	s.md5 = md5.Sum(pcm)
	return s
}

func (s stream) header() []byte {
	var w bitWriter
	w.b = append(w.b, s.magic...)
	w.put(uint64(0x80|s.blockType), 8)
	w.put(uint64(s.blockSize), 24)
	w.put(16, 16)
	w.put(65535, 16)
	w.put(0, 48)
	w.put(uint64(s.rate), 20)
	w.put(uint64(len(s.channels)-1), 3)
	w.put(uint64(s.bits-1), 5)
	w.put(s.total, 36)
	return append(w.b, s.md5[:]...)
}

func (s stream) bytes() []byte {
	out := s.header()
	for i, n := 0, 0; i < len(s.channels[0]); i, n = i+s.block, n+1 {
		end := min(i+s.block, len(s.channels[0]))
		var w bitWriter
		w.put(0xFFF8, 16)
		w.put(7, 4) // 16-bit block size follows
		w.put(uint64(s.frameRate), 4)
		w.put(uint64(s.frameChans), 4)
		w.put(uint64(s.frameBits), 3)
		w.put(0, 1)
		w.put(uint64(n&0x7F), 8)
		w.put(uint64(end-i-1), 16)
		w.put(crc(w.b, 0x07, 8), 8)
		for _, c := range s.channels {
			w.put(0b00000010, 8) // verbatim
			for _, v := range c[i:end] {
				w.put(uint64(uint32(v)), s.bits)
			}
		}
		w.free = 0
		w.put(crc(w.b, 0x8005, 16), 16)
		out = append(out, w.b...)
	}
	return append(out, s.tail...)
}

func replace(b []byte, at int, with ...byte) []byte {
	b = bytes.Clone(b)
	copy(b[at:], with)
	return b
}
