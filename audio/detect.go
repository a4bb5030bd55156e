package audio

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"unicode"
	"unicode/utf8"
)

// A FormatError reports that the input is not audio.
type FormatError string

func (e FormatError) Error() string { return "audio: " + string(e) }

// An UnsupportedError reports audio, or something that may contain audio, that
// is neither WAV nor FLAC, and says what to do about it.
type UnsupportedError string

func (e UnsupportedError) Error() string { return "audio: " + string(e) }

type kind int

const (
	kindWAV kind = iota
	kindFLAC
)

// known lists what people pass to a speech program by mistake, by the bytes at
// an offset. ext is the usual suffix, for the command that helps.
var known = []struct {
	offset int
	magic  string
	name   string
	ext    string
}{
	{0, "OggS", "Ogg (Vorbis, Opus)", "ogg"},
	{4, "ftyp", "MP4 (AAC)", "m4a"},
	{0, "FORM", "AIFF", "aiff"},
	{0, ".snd", "AU", "au"},
	{0, "caff", "Core Audio", "caf"},
	{0, "NIST_1A", "NIST SPHERE", "sph"},
	{0, "wvPK", "WavPack", "wv"},
	{0, "MAC ", "Monkey's Audio", "ape"},
	{0, "#!AMR", "AMR", "amr"},
	{0, "\x1a\x45\xdf\xa3", "Matroska/WebM", "webm"},
	{0, "\x30\x26\xb2\x75", "Windows Media", "wma"},
}

// detect tells the format of what br is about to read by its first bytes. It
// consumes only an ID3 tag that precedes a FLAC stream.
func detect(br *bufio.Reader) (kind, error) {
	head, err := br.Peek(64)
	if err != nil && err != io.EOF {
		return 0, err
	}
	has := func(offset int, magic string) bool {
		return len(head) >= offset && bytes.HasPrefix(head[offset:], []byte(magic))
	}
	switch {
	case len(head) == 0:
		return 0, FormatError("empty file, want WAV or FLAC")
	case has(0, "RIFF"), has(0, "RIFX"), has(0, "RF64"), has(0, "BW64"):
		return kindWAV, nil
	case has(0, "fLaC"):
		return kindFLAC, nil
	case has(0, "ID3"):
		return skipID3(br)
	case has(0, "\x1f\x8b"), has(0, "PK\x03\x04"), has(0, "BZh"), has(0, "\xfd7zXZ"), has(0, "\x28\xb5\x2f\xfd"):
		return 0, UnsupportedError("compressed archive, unpack it first; want WAV or FLAC")
	case has(0, "\xff\xfe"), has(0, "\xfe\xff"):
		return 0, FormatError("text (UTF-16), want WAV or FLAC")
	case len(head) >= 2 && head[0] == 0xFF && head[1]&0xE0 == 0xE0 && head[1]&0x06 != 0x06: // not layer I
		return 0, convertFirst("MPEG audio (MP3, AAC)", "mp3")
	}
	for _, k := range known {
		if has(k.offset, k.magic) {
			return 0, convertFirst(k.name, k.ext)
		}
	}
	if isText(head) {
		return 0, FormatError(fmt.Sprintf("text (starts with %q), want WAV or FLAC", head[:min(len(head), 16)]))
	}
	return 0, FormatError(fmt.Sprintf("unknown format (starts with % x), want WAV (\"RIFF\") or FLAC (\"fLaC\")", head[:min(len(head), 8)]))
}

func convertFirst(name, ext string) error {
	return UnsupportedError(fmt.Sprintf("%s is not supported, convert it first: ffmpeg -i in.%s out.wav", name, ext))
}

// skipID3 skips an ID3v2 tag: FLAC may follow; otherwise it is MP3.
func skipID3(br *bufio.Reader) (kind, error) {
	mp3 := convertFirst("MP3", "mp3")
	head, err := br.Peek(10)
	if err != nil {
		return 0, mp3
	}
	// Four digits of 7 bits (ID3v2.4.0, section 6.2).
	size := int64(head[6]&0x7F)<<21 | int64(head[7]&0x7F)<<14 | int64(head[8]&0x7F)<<7 | int64(head[9]&0x7F)
	if _, err := io.CopyN(io.Discard, br, 10+size); err != nil {
		return 0, mp3
	}
	if head, err := br.Peek(4); err != nil || string(head) != "fLaC" {
		return 0, mp3
	}
	return kindFLAC, nil
}

// isText reports whether b is printable UTF-8, apart from a character that is
// cut at the end.
func isText(b []byte) bool {
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		if r == utf8.RuneError && size == 1 {
			return len(b) < utf8.UTFMax && !utf8.FullRune(b)
		}
		if !unicode.IsPrint(r) && !unicode.IsSpace(r) && r != '\uFEFF' {
			return false
		}
		b = b[size:]
	}
	return true
}
