// Package units reads and writes .vqs files: the codes of one utterance, packed
// into as many bits as the codebook needs, with all that is necessary to turn
// them back into speech of the right length.
//
//	units.NewWriter, Writer.Write, Writer.Close    codes → file, streaming
//	units.NewReader, Reader.Read, Reader.SeekUnit  file → codes, streaming
//	units.Encode, units.Decode, units.ReadFile     the same for whole files
//	units.NewSink                                  codes → text, JSON, .npy or .vqs
//
// # Format
//
// FORMAT.md, beside this file, gives every byte. A checksum covers each byte:
// a changed bit, a cut anywhere and trailing bytes are errors.
//
// # Compatibility
//
// Files written by version 1 are read by every later version of this package.
package units

import (
	"errors"
	"fmt"
	"math"
	"math/bits"

	"vqspeech/internal/strict"
)

// BlockUnits is the number of units in every block but the last.
const BlockUnits = 4096

// Streamed is the value of Header.Samples when the number was not known when
// the header was written.
const Streamed = -1

// Header is what a file says about its units.
type Header struct {
	Fingerprint  [8]byte // of the model that made the units
	SampleRate   int     // of the model (Hz), 1 to 2^32-1
	Hop          int     // samples per unit, 1 to 65535
	CodebookSize int     // every unit is below it, 2 to 65536
	Samples      int64   // at SampleRate, or Streamed
	Speaker      string  // id of the source speaker, "" if not known; at most 255 bytes
}

// CodeRate returns the number of units per second (Hz).
func (h Header) CodeRate() float64 { return float64(h.SampleRate) / float64(h.Hop) }

// Bitrate returns the nominal rate CodeRate * log2(CodebookSize) (bit/s).
func (h Header) Bitrate() float64 { return h.CodeRate() * math.Log2(float64(h.CodebookSize)) }

// unitBits returns the bits that a packed unit takes, 1 to 16.
func (h Header) unitBits() int { return bits.Len(uint(h.CodebookSize - 1)) }

// Validate reports every field that is out of range.
func (h Header) Validate() error {
	var errs []error
	check := func(ok bool, field, want string, got any) {
		if !ok {
			errs = append(errs, fmt.Errorf("units: %s must be %s (got %v)", field, want, got))
		}
	}
	check(h.SampleRate >= 1 && int64(h.SampleRate) <= math.MaxUint32, "sample rate", "between 1 and 4294967295 Hz", h.SampleRate)
	check(h.Hop >= 1 && h.Hop <= math.MaxUint16, "hop", "between 1 and 65535 samples", h.Hop)
	check(h.CodebookSize >= 2 && h.CodebookSize <= 1<<16, "codebook size", "between 2 and 65536", h.CodebookSize)
	check(h.Samples >= Streamed && h.Samples <= maxSamples, "sample count", "between 0 and 2^53, or -1", h.Samples)
	check(len(h.Speaker) <= math.MaxUint8, "speaker", "at most 255 bytes", len(h.Speaker))
	check(strict.Printable(h.Speaker), "speaker", "printable text", fmt.Sprintf("%q", h.Speaker))
	return errors.Join(errs...)
}

// maxSamples keeps counts exact in programs that hold numbers in float64.
const maxSamples = 1 << 53

// checkSamples reports a number of samples that units of them cannot stand for.
//
// A unit stands for Hop samples. How many samples at the ends have no unit of
// their own, or how far the last unit reaches over the end, depends on the
// model's framing, but is less than two units; the published encoder has
// units*Hop + Hop/2 <= samples < units*Hop + 3*Hop/2. So the rule is
//
//	|samples - units*Hop| <= 2*Hop
func (h Header) checkSamples(units, samples int64) error {
	hop := int64(h.Hop)
	if lo, hi := max(0, (units-2)*hop), (units+2)*hop; samples < lo || samples > hi {
		return fmt.Errorf("%d samples cannot have %d units of %d samples, want between %d and %d",
			samples, units, hop, lo, hi)
	}
	return nil
}

// A FormatError reports that the input is not a valid .vqs file.
type FormatError string

func (e FormatError) Error() string { return "units: invalid format: " + string(e) }

func formatErrorf(format string, args ...any) error { return FormatError(fmt.Sprintf(format, args...)) }

// An UnsupportedError reports a file of a later version of the format.
type UnsupportedError string

func (e UnsupportedError) Error() string { return "units: unsupported feature: " + string(e) }
