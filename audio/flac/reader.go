package flac

import (
	"bufio"
	"bytes"
	"crypto/md5"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"

	"github.com/mewkiz/flac"
	"github.com/mewkiz/flac/frame"
)

// A Reader reads the samples of a FLAC stream in order. It holds one frame at a
// time, at most 65535 samples of 8 channels.
type Reader struct {
	src      *source
	stream   *flac.Stream
	rate     int
	channels int
	bits     int
	total    int64 // samples per channel, 0 unknown
	done     int64 // samples per channel decoded so far
	sum      hash.Hash
	want     [md5.Size]byte // all zero: not stored
	hashBuf  []byte

	frame *frame.Frame // being handed out
	next  int          // first sample of frame not yet handed out
	err   error
}

// NewReader reads the header of a FLAC stream and returns a Reader of its
// samples. It reads from r in order and never seeks.
//
// The error is a [FormatError], an [UnsupportedError] or an error of r.
func NewReader(r io.Reader) (*Reader, error) {
	src := &source{r: r}
	br := bufio.NewReaderSize(src, 1<<16)
	if err := checkHeader(br); err != nil {
		return nil, src.cause(err)
	}
	stream, err := flac.New(br)
	if err != nil {
		return nil, src.cause(wrap("metadata", err))
	}
	info := stream.Info
	if info.BitsPerSample < 4 {
		return nil, invalidf("%d bits per sample, want 4 to 32", info.BitsPerSample)
	}
	if info.SampleRate == 24000 || info.SampleRate == 176400 {
		muteNotice()
	}
	return &Reader{
		src: src, stream: stream, rate: int(info.SampleRate), channels: int(info.NChannels), bits: int(info.BitsPerSample),
		total: int64(info.NSamples), sum: md5.New(), want: info.MD5sum,
	}, nil
}

// checkHeader looks at the signature and at the head of the first metadata
// block, whose length the decoder would take on trust.
func checkHeader(br *bufio.Reader) error {
	const size = 4 + 4 + 34 // signature, block header, STREAMINFO
	b, err := br.Peek(size)
	switch {
	case len(b) >= 4 && string(b[:4]) != "fLaC":
		return invalidf("stream starts with %q, want \"fLaC\"", b[:4])
	case err != nil:
		return truncatedf("stream is %d bytes, want at least %d", len(b), size)
	case b[4]&0x7F != 0:
		return invalidf("first metadata block is of type %d, want 0 (STREAMINFO)", b[4]&0x7F)
	case !bytes.Equal(b[5:8], []byte{0, 0, 34}):
		return invalidf("STREAMINFO is %d bytes, want 34", int(b[5])<<16|int(b[6])<<8|int(b[7]))
	}
	return nil
}

// SampleRate returns the sample rate (Hz).
func (r *Reader) SampleRate() int { return r.rate }

// Channels returns the number of channels.
func (r *Reader) Channels() int { return r.channels }

// Frames returns the number of samples per channel, or -1 where the header does
// not say.
func (r *Reader) Frames() int64 {
	if r.total == 0 {
		return -1
	}
	return r.total
}

// Read fills dst with samples, channels interleaved, and returns how many it
// wrote: always a multiple of the number of channels. It returns io.EOF after
// the last sample, a [FormatError] where the stream is damaged, ends early or
// does not have the MD5 that its header states, and io.ErrShortBuffer if dst
// has no room for one sample of every channel.
func (r *Reader) Read(dst []float32) (int, error) {
	if len(dst) < r.channels {
		return 0, io.ErrShortBuffer
	}
	for r.frame == nil || r.next == int(r.frame.BlockSize) {
		if r.err == nil {
			r.err = r.decode()
		}
		if r.err != nil {
			return 0, r.err
		}
	}
	n := min(len(dst)/r.channels, int(r.frame.BlockSize)-r.next)
	scale := 1 / float32(int64(1)<<(r.bits-1))
	for c, sub := range r.frame.Subframes {
		convert(dst[c:], r.channels, sub.Samples[r.next:r.next+n], scale)
	}
	r.next += n
	return n * r.channels, nil
}

// convert writes src to every step-th element of dst. A 32-bit sample within
// 2^-25 of 1 would round up to it and is held below, to keep the range [-1, 1).
func convert(dst []float32, step int, src []int32, scale float32) {
	const below1 = 1 - 1.0/(1<<24)
	for i, v := range src {
		dst[i*step] = min(float32(v)*scale, below1)
	}
}

// decode decodes the next frame into r.frame. It returns io.EOF at the end of a
// stream that is whole.
func (r *Reader) decode() error {
	r.frame = nil
	if r.total > 0 && r.done == r.total {
		return r.finish()
	}
	f, err := r.stream.Next()
	if err == io.EOF {
		// Also what a failing source looks like at the start of a frame.
		return r.src.cause(r.finish())
	}
	if err != nil {
		return r.fail(err)
	}
	if err := r.check(f); err != nil {
		return err
	}
	// The decoder would read samples of 0 bits where the frame refers to the
	// header for their size.
	f.BitsPerSample = uint8(r.bits)
	if err := f.Parse(); err != nil {
		return r.fail(err)
	}
	r.done += int64(f.BlockSize)
	if r.total > 0 && r.done > r.total {
		return invalidf("header promises %d samples, there are at least %d", r.total, r.done)
	}
	if r.want != [md5.Size]byte{} {
		r.hashBuf = appendPCM(r.hashBuf[:0], f.Subframes, int(f.BlockSize), (r.bits+7)/8)
		r.sum.Write(r.hashBuf)
	}
	r.frame, r.next = f, 0
	return nil
}

// check compares a frame header with the stream's.
func (r *Reader) check(f *frame.Frame) error {
	switch {
	case f.BlockSize == 0:
		// 65536, one more than the format allows, wraps to 0 in the decoder.
		return invalidf("frame at sample %d has a block of 65536 samples, want at most 65535", r.done)
	case f.Channels.Count() != r.channels:
		return invalidf("frame at sample %d has %d channels, the header says %d", r.done, f.Channels.Count(), r.channels)
	case f.BitsPerSample != 0 && int(f.BitsPerSample) != r.bits:
		return invalidf("frame at sample %d has %d bits per sample, the header says %d", r.done, f.BitsPerSample, r.bits)
	case f.SampleRate != 0 && int(f.SampleRate) != r.rate:
		return invalidf("frame at sample %d has a rate of %d Hz, the header says %d", r.done, f.SampleRate, r.rate)
	case r.bits == 32 && f.Channels >= frame.ChannelsLeftSide:
		// The side channel has 33 bits, the decoder keeps 32.
		return UnsupportedError("32-bit FLAC with channel decorrelation, " + convert32)
	}
	return nil
}

const convert32 = "convert it first: ffmpeg -i in.flac -c:a pcm_s32le out.wav"

// finish checks what the header promised about the stream as a whole.
func (r *Reader) finish() error {
	if r.done < r.total {
		return truncatedf("header promises %d samples, %d are there", r.total, r.done)
	}
	if got := [md5.Size]byte(r.sum.Sum(nil)); r.want != [md5.Size]byte{} && got != r.want {
		return invalidf("MD5 of the audio is %x, the header says %x", got, r.want)
	}
	return io.EOF
}

// fail names the place of a decoding error.
func (r *Reader) fail(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		if r.total > 0 {
			err = truncatedf("header promises %d samples, %d are there", r.total, r.done)
		} else {
			err = truncatedf("stream ends inside the frame at sample %d", r.done)
		}
	} else if r.bits == 32 && strings.Contains(err.Error(), "reserved sample size bit pattern (111)") {
		// RFC 9639 gave the pattern to 32 bits after the decoder was written.
		err = UnsupportedError("32-bit FLAC, " + convert32)
	} else {
		err = wrap(fmt.Sprintf("frame at sample %d", r.done), err)
	}
	return r.src.cause(err)
}

// wrap turns an error of the decoder ("frame.Frame.Parse: CRC-16 checksum
// mismatch; …") into a FormatError without the decoder's function names.
func wrap(where string, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return truncatedf("stream ends inside the %s", where)
	}
	msg := err.Error()
	if _, after, ok := strings.Cut(msg, ": "); ok {
		msg = after
	}
	return invalidf("%s: %s", where, msg)
}

// appendPCM appends n samples of every channel, interleaved, little-endian,
// size bytes each: the form in which the MD5 covers them.
func appendPCM(dst []byte, channels []*frame.Subframe, n, size int) []byte {
	if len(channels) == 1 && size == 2 { // nearly all speech corpora
		for _, v := range channels[0].Samples[:n] {
			dst = append(dst, byte(v), byte(v>>8))
		}
		return dst
	}
	for i := range n {
		for _, c := range channels {
			v := c.Samples[i]
			for range size {
				dst = append(dst, byte(v))
				v >>= 8
			}
		}
	}
	return dst
}

// source remembers the first error of the input other than its end, which the
// decoder may report as something else.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF && s.err == nil {
		s.err = err
	}
	return n, err
}

// cause returns the input's own error if there is one, else err.
func (s *source) cause(err error) error {
	if s.err != nil {
		return s.err
	}
	return err
}
