// Package audio loads and saves speech: mono float32 samples, full scale [-1, 1),
// and a sample rate. Files of floating-point samples and resampling may go beyond
// full scale.
//
// [Load] and [Save] work on whole clips, [Open], [NewStream] and [Create] on
// sequences of any length in bounded memory, pipes included. What a file holds
// is found out from its first bytes, never from its name: WAV and FLAC are
// read, 16-bit WAV is written. Channels are averaged. [Resampled] converts the
// sample rate.
//
// The path "-" is standard input or output. Errors do not contain the path; the
// caller adds it.
//
// The formats live in their own packages, usable alone: vqspeech/audio/wav,
// vqspeech/audio/flac and, for rates, vqspeech/audio/resample.
package audio

import (
	"fmt"
	"io"
	"os"

	"vqspeech/audio/resample"
	"vqspeech/audio/wav"
	"vqspeech/internal/atomicfile"
	"vqspeech/internal/strict"
)

// A Clip is a mono recording.
type Clip struct {
	Samples    []float32 // full scale is [-1, 1)
	SampleRate int       // Hz
}

// Seconds returns the length of the clip (s).
func (c *Clip) Seconds() float64 { return float64(len(c.Samples)) / float64(c.SampleRate) }

// Resample returns the clip at another rate (Hz), as [resample.Resample]. The
// clip itself is returned if it has that rate.
func (c *Clip) Resample(rate int) (*Clip, error) {
	if rate == c.SampleRate {
		return c, nil
	}
	samples, err := resample.Resample(c.Samples, c.SampleRate, rate)
	if err != nil {
		return nil, err
	}
	return &Clip{Samples: samples, SampleRate: rate}, nil
}

// Limits of Load, in samples after mixing down (4 bytes each).
const (
	// maxLoad is the longest clip: 1 GiB, 4.6 hours at 16 kHz.
	maxLoad = 1 << 28

	// maxSmall samples may come from any file, 8.7 minutes at 16 kHz. Beyond,
	// a file must have at least one byte for maxExpansion samples: speech takes
	// a byte for one or two, a file made to fill the memory for hundreds.
	maxSmall     = 1 << 23
	maxExpansion = 8
)

// Load reads the recording at path, a WAV or FLAC file or "-" for standard
// input.
//
// A clip of more than 1 GiB (4.6 hours at 16 kHz) is an error, and so is one
// above 32 MiB that the file packs into less than a byte for 8 samples; [Open]
// reads them.
func Load(path string) (*Clip, error) { return LoadSegment(path, Range{}) }

// LoadSegment reads the part r of the recording at path; see [Segment] and [Load].
func LoadSegment(path string, r Range) (*Clip, error) {
	s, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	part, err := Segment(s, r)
	if err != nil {
		return nil, err
	}
	return s.readAll(part)
}

// ReadAll collects the rest of the recording; [Load] says what it refuses.
func (s *Stream) ReadAll() (*Clip, error) { return s.readAll(s) }

// readAll collects the rest of part, which reads from s. Blocks are joined at the end, so
// that no more than twice the clip is ever allocated, whatever a header says.
func (s *Stream) readAll(part Source) (*Clip, error) {
	const blockSize = 1 << 16
	var blocks [][]float32
	total := 0
	for {
		block := make([]float32, blockSize)
		n, err := ReadFull(part, block)
		blocks = append(blocks, block[:n])
		total += n
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if total > maxLoad {
			return nil, fmt.Errorf("audio: clip has more than %d samples, too long to load at once", maxLoad)
		}
		if total > maxSmall && int64(total) > maxExpansion*s.count.n {
			return nil, fmt.Errorf("audio: %d bytes expand to more than %d samples, refused as a whole clip", s.count.n, total)
		}
	}
	samples := blocks[0]
	if len(blocks) > 1 {
		samples = make([]float32, 0, total)
		for _, b := range blocks {
			samples = append(samples, b...)
		}
	}
	return &Clip{Samples: samples, SampleRate: s.SampleRate()}, nil
}

// Save writes the clip to path as 16-bit mono WAV, or to standard output if
// path is "-". Samples are rounded half to even and clipped to [-1, 1); one
// that is not finite is an error. The file appears at path when it is complete,
// and not at all after an error.
func Save(path string, c *Clip) error {
	if path == "-" {
		return strict.Cause(wav.Encode(os.Stdout, c.Samples, c.SampleRate))
	}
	f, err := atomicfile.Create(path)
	if err != nil {
		return err
	}
	defer f.Abort()
	if err := wav.Encode(f, c.Samples, c.SampleRate); err != nil {
		return strict.Cause(err)
	}
	return f.Commit()
}
