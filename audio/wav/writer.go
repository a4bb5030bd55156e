package wav

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/go-audio/audio"
	"github.com/go-audio/wav"
)

// headerSize is the length (bytes) of the header that is written.
const headerSize = 44

// maxData is the most audio (bytes) that the 32-bit size fields can state.
const maxData = math.MaxUint32 - headerSize

// streamed is the size that ffmpeg writes where it cannot know it.
const streamed = math.MaxUint32

// A Writer writes 16-bit mono PCM.
type Writer struct {
	w    io.Writer
	seek io.WriteSeeker // w where it can be patched, else nil
	buf  []byte         // samples not yet handed to w
	n    int64          // samples accepted
	err  error
}

// NewWriter writes a header to w and returns a Writer of samples at sampleRate
// (Hz, 1 to [MaxSampleRate]).
//
// If w can seek, Close goes back and states the length; w must stand at its
// start. Otherwise the sizes are 0xFFFFFFFF, as ffmpeg writes them
// into a pipe, and the length is unlimited.
func NewWriter(w io.Writer, sampleRate int) (*Writer, error) {
	h, err := newHeader(sampleRate, streamed)
	if err != nil {
		return nil, err
	}
	wr := &Writer{w: w, buf: make([]byte, 0, blockSize)}
	if s, ok := w.(io.WriteSeeker); ok {
		if _, err := s.Seek(0, io.SeekCurrent); err == nil { // a pipe may have a Seek that fails
			wr.seek = s
		}
	}
	if _, err := w.Write(h); err != nil {
		return nil, err
	}
	return wr, nil
}

// Write appends samples, rounded half to even to 16 bits; what lies outside
// [-1, 1) is clipped. A sample that is not finite is an error, and so is audio
// beyond the 4 GB that a file with stated sizes can hold. After an error, Write
// and Close return the same error.
func (w *Writer) Write(samples []float32) error {
	if w.err != nil {
		return w.err
	}
	for len(samples) > 0 {
		room := (cap(w.buf) - len(w.buf)) / 2
		part := samples[:min(room, len(samples))]
		if w.seek != nil && 2*(w.n+int64(len(part))) > maxData {
			w.err = UnsupportedError("more than 4 GB of audio in one file, write several")
			return w.err
		}
		if w.buf, w.err = appendPCM(w.buf, part, w.n); w.err != nil {
			return w.err
		}
		w.n += int64(len(part))
		samples = samples[len(part):]
		if len(w.buf) == cap(w.buf) {
			if w.err = w.flush(); w.err != nil {
				return w.err
			}
		}
	}
	if w.seek == nil { // whoever listens at the other end of a pipe need not wait
		w.err = w.flush()
	}
	return w.err
}

func (w *Writer) flush() error {
	_, err := w.w.Write(w.buf)
	w.buf = w.buf[:0]
	return err
}

// Close writes what is left and, where it can, the sizes in the header. It does
// not close the underlying writer.
func (w *Writer) Close() error {
	if w.err != nil {
		return w.err
	}
	w.err = errors.New("wav: writer is closed")
	if err := w.flush(); err != nil {
		return err
	}
	if w.seek == nil {
		return nil
	}
	size := uint32(2 * w.n)
	for _, field := range []struct {
		offset int64
		value  uint32
	}{{4, size + headerSize - 8}, {headerSize - 4, size}} {
		if _, err := w.seek.Seek(field.offset, io.SeekStart); err != nil {
			return err
		}
		if _, err := w.w.Write(binary.LittleEndian.AppendUint32(nil, field.value)); err != nil {
			return err
		}
	}
	_, err := w.seek.Seek(0, io.SeekEnd)
	return err
}

// Encode writes samples [S] float32 at sampleRate (Hz) to w as a complete WAV
// file, 16-bit mono, without seeking. Rounding, clipping and errors are those
// of [Writer].
func Encode(w io.Writer, samples []float32, sampleRate int) error {
	if 2*int64(len(samples)) > maxData {
		return UnsupportedError("more than 4 GB of audio in one file, write several")
	}
	h, err := newHeader(sampleRate, uint32(2*len(samples)))
	if err != nil {
		return err
	}
	if _, err := w.Write(h); err != nil {
		return err
	}
	// An anonymous struct hides Seek: the sizes are already right.
	wr := &Writer{w: struct{ io.Writer }{w}, buf: make([]byte, 0, blockSize)}
	if err := wr.Write(samples); err != nil {
		return err
	}
	return wr.Close()
}

// newHeader returns the header of 16-bit mono audio of size bytes.
//
// The layout comes from the go-audio encoder; the samples do not pass through
// it, because it writes each with its own reflective call (16 allocations per
// millisecond of speech), wraps what is out of range and needs to seek.
func newHeader(sampleRate int, size uint32) ([]byte, error) {
	if sampleRate < 1 || sampleRate > MaxSampleRate {
		return nil, fmt.Errorf("wav: sample rate must be between 1 and %d Hz (got %d)", MaxSampleRate, sampleRate)
	}
	var mem memory
	// NewEncoder reserves a minute of audio at the rate it is told and divides
	// by it, hence a constant here and the true rate after.
	enc := wav.NewEncoder(&mem, 1, 16, 1, tagPCM)
	enc.SampleRate = sampleRate
	empty := &audio.IntBuffer{Format: &audio.Format{NumChannels: 1, SampleRate: sampleRate}, SourceBitDepth: 16}
	if err := enc.Write(empty); err != nil {
		return nil, fmt.Errorf("wav: %w", err)
	}
	h := mem.b
	if len(h) != headerSize {
		return nil, fmt.Errorf("wav: encoder wrote a header of %d bytes, want %d", len(h), headerSize)
	}
	riffSize := uint32(streamed)
	if size != streamed {
		riffSize = size + headerSize - 8
	}
	binary.LittleEndian.PutUint32(h[4:], riffSize)
	binary.LittleEndian.PutUint32(h[headerSize-4:], size)
	return h, nil
}

// appendPCM appends samples to dst as little-endian 16-bit integers. first is
// the index of the first sample, for errors.
func appendPCM(dst []byte, samples []float32, first int64) ([]byte, error) {
	for i, x := range samples {
		if x-x != 0 {
			return dst, fmt.Errorf("wav: sample %d is %v, want a finite number", first+int64(i), x)
		}
		v := math.RoundToEven(float64(x) * (1 << 15))
		v = min(max(v, math.MinInt16), math.MaxInt16)
		dst = binary.LittleEndian.AppendUint16(dst, uint16(int16(v)))
	}
	return dst, nil
}

// memory collects the encoder's header; the encoder seeks only when it closes.
type memory struct{ b []byte }

func (m *memory) Write(p []byte) (int, error) {
	m.b = append(m.b, p...)
	return len(p), nil
}

func (m *memory) Seek(int64, int) (int64, error) {
	return 0, errors.New("wav: header is written in order")
}
