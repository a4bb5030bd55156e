// Package flactest makes FLAC files for the tests of packages that read them.
package flactest

import (
	"io"

	"github.com/mewkiz/flac"
	"github.com/mewkiz/flac/frame"
	"github.com/mewkiz/flac/meta"
)

// Encode compresses channels of a recording at a rate (Hz) and of a sample size
// (bits), in frames of block samples, with the encoder of mewkiz/flac: fixed
// prediction, and channel decorrelation if mode is one of the stereo modes.
func Encode(rate int, bits uint8, block int, mode frame.Channels, channels ...[]int32) ([]byte, error) {
	var mem seekBuffer
	info := &meta.StreamInfo{BlockSizeMin: 16, BlockSizeMax: 65535, SampleRate: uint32(rate), NChannels: uint8(len(channels)), BitsPerSample: bits}
	enc, err := flac.NewEncoder(&mem, info)
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(channels[0]); i += block {
		end := min(i+block, len(channels[0]))
		f := &frame.Frame{Header: frame.Header{
			HasFixedBlockSize: true, BlockSize: uint16(end - i), SampleRate: uint32(rate), Channels: mode, BitsPerSample: bits,
		}}
		for _, c := range channels {
			f.Subframes = append(f.Subframes, &frame.Subframe{
				SubHeader: frame.SubHeader{Pred: frame.PredVerbatim}, Samples: append([]int32(nil), c[i:end]...), NSamples: end - i,
			})
		}
		if err := enc.WriteFrame(f); err != nil {
			return nil, err
		}
	}
	if err := enc.Close(); err != nil {
		return nil, err
	}
	return mem.b, nil
}

// seekBuffer is a file in memory.
type seekBuffer struct {
	b   []byte
	pos int
}

func (s *seekBuffer) Write(p []byte) (int, error) {
	s.b = append(s.b, make([]byte, max(0, s.pos+len(p)-len(s.b)))...)
	n := copy(s.b[s.pos:], p)
	s.pos += n
	return n, nil
}

func (s *seekBuffer) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekStart:
		s.pos = int(offset)
	case io.SeekEnd:
		s.pos = len(s.b) + int(offset)
	}
	return int64(s.pos), nil
}
