// Package flac reads FLAC audio (RFC 9639) in order and in bounded memory.
//
// Frames are decoded by github.com/mewkiz/flac. This package adds what that
// library leaves to its caller: a check of the header before anything is
// allocated, sample sizes that only the header states, agreement of every frame
// with the header, the promised number of samples and the MD5 of the audio.
//
// # Format
//
// Native FLAC, 4 to 24 bits, 1 to 8 channels, blocks of fixed or variable size; of
// 32 bits only what that library decodes, frames that leave the size to the header.
// Samples are divided by 2^(bits-1), so they lie in [-1, 1). A header without a
// length or without an MD5 (both 0, as encoders write them into a pipe) is
// accepted, and the check is left out. Bytes after the promised last sample are
// ignored.
package flac

import "fmt"

// A FormatError reports that the bytes are not a valid FLAC stream.
type FormatError string

func (e FormatError) Error() string { return "flac: " + string(e) }

// An UnsupportedError reports a valid FLAC stream that this package does not
// read, and says what to do about it.
type UnsupportedError string

func (e UnsupportedError) Error() string { return "flac: unsupported: " + string(e) }

func invalidf(format string, args ...any) error {
	return FormatError("invalid format: " + fmt.Sprintf(format, args...))
}

func truncatedf(format string, args ...any) error {
	return FormatError("truncated: " + fmt.Sprintf(format, args...))
}
