package wav

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/go-audio/wav"
)

// blockSize is the most audio (bytes) that a Reader holds.
const blockSize = 1 << 16

// A Reader reads the samples of a WAV file in order, in bounded memory.
type Reader struct {
	info    Info
	chunk   io.Reader // the data chunk of the go-audio decoder
	convert func(dst []float32, src []byte)
	want    int64 // bytes that the data chunk promises, -1 unknown
	got     int64 // bytes read so far
	buf     []byte
	held    int   // bytes at the start of buf that wait for the rest of their frame
	done    int64 // samples returned so far, all channels
	err     error
}

// NewReader reads the header of a WAV file and returns a Reader of its samples.
// It reads from r in order and never seeks.
//
// The error is a [FormatError], an [UnsupportedError] or an error of r.
func NewReader(r io.Reader) (*Reader, error) {
	info, size, err := scan(r)
	if err != nil {
		return nil, err
	}
	rd := &Reader{info: info, want: size, convert: converter(info), buf: make([]byte, blockSize)}
	data := r
	if size >= 0 {
		data = io.LimitReader(r, size)
	}
	dec := wav.NewDecoder(&view{header: header(info), data: data})
	if err := dec.FwdToPCM(); err != nil {
		return nil, fmt.Errorf("wav: %w", err)
	}
	if err := dec.Err(); err != nil {
		return nil, fmt.Errorf("wav: %w", err)
	}
	if dec.PCMChunk == nil || int(dec.SampleRate) != info.SampleRate || int(dec.NumChans) != info.Channels {
		return nil, errors.New("wav: decoder disagrees with the header it was given")
	}
	// The chunk's own limit is a 32-bit size; a stream may go on for longer.
	dec.PCMChunk.R = data
	rd.chunk = dec.PCMChunk
	return rd, nil
}

// Info returns what the header says about the samples.
func (r *Reader) Info() Info { return r.info }

// SampleRate returns the sample rate (Hz).
func (r *Reader) SampleRate() int { return r.info.SampleRate }

// Channels returns the number of channels.
func (r *Reader) Channels() int { return r.info.Channels }

// Frames returns the number of samples per channel, or -1 where the header does
// not say.
func (r *Reader) Frames() int64 { return r.info.Frames }

// Read fills dst with samples, channels interleaved, and returns how many it
// wrote: always a whole number of frames, fewer than len(dst) where the input
// has no more at hand. It returns io.EOF after the last sample, a [FormatError]
// where the input ends early or holds a sample that is not finite, and
// io.ErrShortBuffer if dst is smaller than one frame.
func (r *Reader) Read(dst []float32) (int, error) {
	frame := r.info.frameSize()
	if len(dst) < r.info.Channels {
		return 0, io.ErrShortBuffer
	}
	if r.err != nil {
		return 0, r.err
	}
	want := min(len(dst)/r.info.Channels, len(r.buf)/frame) * frame
	for r.held < frame {
		n, err := r.chunk.Read(r.buf[r.held:want])
		r.held += n
		r.got += int64(n)
		if err != nil && r.held < frame {
			r.err = r.end(err)
			return 0, r.err
		}
	}
	used := r.held - r.held%frame
	n := used / (r.info.BitsPerSample / 8)
	r.convert(dst[:n], r.buf[:used])
	r.held = copy(r.buf, r.buf[used:r.held])
	if r.info.Float {
		if i := notFinite(dst[:n]); i >= 0 {
			r.err = invalidf("sample %d is %v, want a finite number", (r.done+int64(i))/int64(r.info.Channels), dst[i])
			return 0, r.err
		}
	}
	r.done += int64(n)
	return n, nil
}

// end decides what the end of the input means.
func (r *Reader) end(err error) error {
	switch {
	case !errors.Is(err, io.EOF):
		return err
	case r.want >= 0 && r.got < r.want:
		return truncatedf("data chunk promises %d bytes, %d are there", r.want, r.got)
	case r.held > 0:
		return truncatedf("last sample frame has %d of %d bytes", r.held, r.info.frameSize())
	}
	return io.EOF
}

// header returns the 44 bytes that the go-audio decoder gets to see: the
// checked format as a plain fmt chunk, and a data chunk of the largest even
// size (an odd one would be rounded up, and 0xFFFFFFFF thereby to 0).
func header(info Info) []byte {
	le := binary.LittleEndian
	h := append([]byte(nil), "RIFF\xfe\xff\xff\xffWAVEfmt \x10\x00\x00\x00"...)
	tag := uint16(tagPCM)
	if info.Float {
		tag = tagFloat
	}
	frame := info.frameSize()
	h = le.AppendUint16(h, tag)
	h = le.AppendUint16(h, uint16(info.Channels))
	h = le.AppendUint32(h, uint32(info.SampleRate))
	h = le.AppendUint32(h, uint32(info.SampleRate*frame))
	h = le.AppendUint16(h, uint16(frame))
	h = le.AppendUint16(h, uint16(info.BitsPerSample))
	return append(h, "data\xfe\xff\xff\xff"...)
}

// view is the rewritten header followed by the audio.
type view struct {
	header []byte
	data   io.Reader
}

func (v *view) Read(p []byte) (int, error) {
	if len(v.header) > 0 {
		n := copy(p, v.header)
		v.header = v.header[n:]
		return n, nil
	}
	return v.data.Read(p)
}

// Seek is there for the decoder's signature; it seeks only when chunks precede
// fmt, and in a view none do.
func (v *view) Seek(int64, int) (int64, error) {
	return 0, errors.New("wav: input is read in order")
}
