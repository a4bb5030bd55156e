// Package wav reads and writes RIFF/WAVE audio.
//
// [NewReader] reads from any io.Reader, a pipe as well as a file, and holds one
// block of samples at a time. [NewWriter] writes 16-bit mono PCM, to a pipe as
// well as to a file; [Encode] writes a whole clip whose length is known.
//
// The chunk walking and the header layout are those of
// github.com/go-audio/wav. That library returns wrong samples without an error
// for float, mu-law and streamed files and allocates what a header promises, so
// it only ever sees a header that this package has checked and rewritten.
//
// # Format
//
// Read: PCM of 8 (unsigned), 16, 24 and 32 bits, IEEE float of 32 and 64 bits,
// plain or WAVE_FORMAT_EXTENSIBLE, 1 to 64 channels, 1 Hz to 768 kHz. Integers
// are divided by 2^(bits-1), so they lie in [-1, 1); float samples are taken as
// they are and must be finite.
//
// A data chunk of size 0, or of one of the sizes that programs write when they
// cannot know it (0xFFFFFFFF from ffmpeg, 0x7FFFF000 from sox, 0x80000000 from
// arecord), extends to the end of the input; one of size 0 is empty where the size
// of the file says that more chunks follow. Any other size is a promise, and
// an input that ends earlier is an error.
package wav

import "fmt"

// MaxSampleRate is the highest accepted sample rate (Hz).
const MaxSampleRate = 768000

// MaxChannels is the highest accepted number of channels.
const MaxChannels = 64

// A FormatError reports that the bytes are not a valid WAV file.
type FormatError string

func (e FormatError) Error() string { return "wav: " + string(e) }

// An UnsupportedError reports a valid WAV file that this package does not read,
// and says what to do about it.
type UnsupportedError string

func (e UnsupportedError) Error() string { return "wav: unsupported: " + string(e) }

func invalidf(format string, args ...any) error {
	return FormatError("invalid format: " + fmt.Sprintf(format, args...))
}

func truncatedf(format string, args ...any) error {
	return FormatError("truncated: " + fmt.Sprintf(format, args...))
}
