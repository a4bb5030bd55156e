package audio

import (
	"bufio"
	"errors"
	"io"
	"os"

	"vqspeech/audio/flac"
	"vqspeech/audio/resample"
	"vqspeech/audio/wav"
	"vqspeech/internal/strict"
)

// A Source is a sequence of mono samples.
type Source interface {
	// SampleRate returns the sample rate (Hz).
	SampleRate() int

	// Read fills dst with the next samples and returns how many it wrote,
	// perhaps fewer than len(dst) but at least one where err is nil. It returns
	// io.EOF after the last sample.
	Read(dst []float32) (n int, err error)
}

// ReadFull fills dst from s, as io.ReadFull does: fewer samples come with
// io.ErrUnexpectedEOF, none with io.EOF.
func ReadFull(s Source, dst []float32) (n int, err error) {
	for n < len(dst) && err == nil {
		var k int
		k, err = s.Read(dst[n:])
		n += k
	}
	switch {
	case n == len(dst):
		return n, nil
	case n > 0 && err == io.EOF:
		return n, io.ErrUnexpectedEOF
	}
	return n, err
}

// decoder is what the format packages offer: interleaved samples.
type decoder interface {
	SampleRate() int
	Channels() int
	Frames() int64
	Read(dst []float32) (int, error)
}

// A Stream reads a recording in order, in bounded memory. Channels are
// averaged.
type Stream struct {
	dec   decoder
	count *counter
	file  io.Closer // nil: not ours
	mix   []float32 // interleaved samples that wait to be averaged
}

// Open opens the WAV or FLAC file at path, or standard input if path is "-".
func Open(path string) (*Stream, error) {
	if path == "-" {
		return NewStream(os.Stdin)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, strict.Cause(err)
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		f.Close()
		return nil, errors.New("is a folder, want a WAV or FLAC file")
	}
	s, err := NewStream(f)
	if err != nil {
		f.Close()
		return nil, err
	}
	s.file = f
	return s, nil
}

// NewStream reads the header of a WAV or FLAC recording from r. It reads in
// order, ahead of what it returns, and never seeks. Close does not close r.
func NewStream(r io.Reader) (*Stream, error) {
	s := &Stream{count: &counter{r: r}}
	br := bufio.NewReaderSize(s.count, 1<<16)
	k, err := detect(br)
	if err != nil {
		return nil, err
	}
	if k == kindFLAC {
		s.dec, err = flac.NewReader(br)
	} else {
		s.dec, err = wav.NewReader(br)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// SampleRate returns the sample rate (Hz).
func (s *Stream) SampleRate() int { return s.dec.SampleRate() }

// Len returns the number of samples of the whole recording, or -1 where the
// header does not say.
func (s *Stream) Len() int64 { return s.dec.Frames() }

// Read implements [Source]. Input that is damaged or ends early is an error
// of the format's package.
func (s *Stream) Read(dst []float32) (int, error) {
	channels := s.dec.Channels()
	if len(dst) == 0 {
		return 0, nil
	}
	if channels == 1 {
		return s.dec.Read(dst)
	}
	if s.mix == nil {
		s.mix = make([]float32, 4096*channels)
	}
	n, err := s.dec.Read(s.mix[:min(len(s.mix), len(dst)*channels)])
	if err != nil {
		return 0, err
	}
	n /= channels
	for i := range dst[:n] {
		var sum float64
		for _, x := range s.mix[i*channels : (i+1)*channels] {
			sum += float64(x)
		}
		dst[i] = float32(sum / float64(channels))
	}
	return n, nil
}

// Close closes the file that Open opened.
func (s *Stream) Close() error {
	if s.file == nil {
		return nil
	}
	f := s.file
	s.file = nil
	return strict.Cause(f.Close())
}

// counter counts the bytes read and strips the path from errors.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if err != nil && err != io.EOF {
		err = strict.Cause(err)
	}
	return n, err
}

// Resampled returns the source at another rate (Hz): the source itself if it
// has that rate, else one whose samples are those of [resample.Resample], the
// same for any sizes of Read. Closing stays with the caller.
func Resampled(s Source, rate int) (Source, error) {
	if s.SampleRate() == rate {
		return s, nil
	}
	conv, err := resample.New(s.SampleRate(), rate)
	if err != nil {
		return nil, err
	}
	return &resampled{src: s, conv: conv, rate: rate, in: make([]float32, 4096)}, nil
}

type resampled struct {
	src  Source
	conv *resample.Resampler
	rate int
	in   []float32
	buf  []float32 // converted
	out  []float32 // the part of buf not yet returned
	err  error
}

func (r *resampled) SampleRate() int { return r.rate }

func (r *resampled) Read(dst []float32) (int, error) {
	for len(r.out) == 0 && len(dst) > 0 {
		if r.err != nil {
			return 0, r.err
		}
		var n int
		n, r.err = r.src.Read(r.in)
		r.buf = r.conv.Push(r.buf[:0], r.in[:n])
		if r.err == io.EOF {
			r.buf = r.conv.Flush(r.buf)
		}
		r.out = r.buf
	}
	n := copy(dst, r.out)
	r.out = r.out[n:]
	return n, nil
}

// Source returns a source that reads the clip from its start.
func (c *Clip) Source() Source { return &clipSource{clip: c} }

type clipSource struct {
	clip *Clip
	next int
}

func (s *clipSource) SampleRate() int { return s.clip.SampleRate }

func (s *clipSource) Read(dst []float32) (int, error) {
	n := copy(dst, s.clip.Samples[s.next:])
	if s.next += n; n == 0 && len(dst) > 0 {
		return 0, io.EOF
	}
	return n, nil
}
