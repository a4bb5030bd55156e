package wav

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Wave format tags (mmreg.h).
const (
	tagPCM        = 0x0001
	tagFloat      = 0x0003
	tagExtensible = 0xFFFE
)

// tagNames holds the tags that are met in speech corpora and telephony.
var tagNames = map[uint16]string{
	0x0002: "Microsoft ADPCM", 0x0006: "A-law", 0x0007: "mu-law", 0x0011: "IMA ADPCM",
	0x0031: "GSM 6.10", 0x0050: "MPEG audio", 0x0055: "MP3", 0x00FF: "AAC", 0x0161: "Windows Media Audio",
}

// guidTail is the part of an EXTENSIBLE sub-format GUID after the format tag:
// {0000tttt-0000-0010-8000-00AA00389B71}.
var guidTail = [14]byte{0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71}

// Info describes the samples of a WAV file.
type Info struct {
	SampleRate    int   // Hz
	Channels      int   // interleaved
	BitsPerSample int   // of one channel, as stored
	Float         bool  // IEEE float instead of integer PCM
	Frames        int64 // samples per channel; -1 where the header does not say
}

func (i Info) frameSize() int { return i.Channels * i.BitsPerSample / 8 } // bytes

// scan reads r up to the first byte of audio. On success r stands there, and
// dataSize is the length of the audio in bytes, or -1 for all that follows.
func scan(r io.Reader) (info Info, dataSize int64, err error) {
	var riff [12]byte
	if n, err := io.ReadFull(r, riff[:]); err != nil {
		return info, 0, shortRead(err, "file is %d bytes, want at least 44", n)
	}
	switch id := string(riff[:4]); id {
	case "RIFF":
	case "RIFX", "RF64", "BW64":
		return info, 0, UnsupportedError(id + " file, convert it to plain RIFF or FLAC first: ffmpeg -i in.wav out.flac")
	default:
		return info, 0, invalidf("file starts with %q, want \"RIFF\"", id)
	}
	if form := string(riff[8:]); form != "WAVE" {
		return info, 0, invalidf("RIFF form is %q, want \"WAVE\"", form)
	}
	riffSize := binary.LittleEndian.Uint32(riff[4:8])

	haveFmt := false
	for pos := int64(12); ; {
		var head [8]byte
		if _, err := io.ReadFull(r, head[:]); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return info, 0, truncatedf("file ends at byte %d without a data chunk", pos)
		} else if err != nil {
			return info, 0, err
		}
		pos += 8
		id, size := string(head[:4]), binary.LittleEndian.Uint32(head[4:])
		switch id {
		case "fmt ":
			if haveFmt {
				return info, 0, invalidf("two fmt chunks")
			}
			if info, err = readFormat(r, size); err != nil {
				return info, 0, err
			}
			haveFmt = true
		case "data":
			if !haveFmt {
				return info, 0, invalidf("data chunk before the fmt chunk")
			}
			return withLength(info, size, riffSize, pos)
		default:
			// Skipped without being stored, whatever its size.
			padded := int64(size) + int64(size&1)
			if n, err := io.CopyN(io.Discard, r, padded); err != nil {
				return info, 0, shortRead(err, "%q chunk promises %d bytes, %d are there", id, size, n)
			}
		}
		pos += int64(size) + int64(size&1)
	}
}

// withLength fills in Frames from the size field of the data chunk, which
// starts at byte pos of the file.
func withLength(info Info, size, riffSize uint32, pos int64) (Info, int64, error) {
	info.Frames = -1
	if isStreamed(size, riffSize, pos) {
		return info, -1, nil
	}
	frame := int64(info.frameSize())
	if int64(size)%frame != 0 {
		return info, 0, invalidf("data chunk of %d bytes is not a whole number of %d-byte sample frames", size, frame)
	}
	info.Frames = int64(size) / frame
	return info, int64(size), nil
}

// isStreamed reports whether a data size stands for "until the end of the
// input": the largest values (ffmpeg and others, some less a header), those
// around 2^31 (sox 0x7FFFF000, arecord 0x80000000), and 0, unless the RIFF size
// says that other chunks follow an empty data chunk.
func isStreamed(size, riffSize uint32, pos int64) bool {
	switch {
	case size >= 0xFFFFFF00, size >= 0x7FFFF000 && size <= 0x80000000:
		return true
	case size == 0:
		return int64(riffSize) <= pos-8 || riffSize >= 0x7FFFF000
	}
	return false
}

// readFormat reads the body of a fmt chunk and checks every field.
func readFormat(r io.Reader, size uint32) (Info, error) {
	if size < 16 {
		return Info{}, invalidf("fmt chunk is %d bytes, want at least 16", size)
	}
	if size > 64 {
		return Info{}, invalidf("fmt chunk is %d bytes, want at most 64", size)
	}
	var buf [64]byte
	body := buf[:size+size&1]
	if n, err := io.ReadFull(r, body); err != nil {
		return Info{}, shortRead(err, "fmt chunk promises %d bytes, %d are there", size, n)
	}
	le := binary.LittleEndian
	tag, channels, rate := le.Uint16(body), le.Uint16(body[2:]), le.Uint32(body[4:])
	align, bits := le.Uint16(body[12:]), le.Uint16(body[14:])
	if tag == tagExtensible {
		if size < 40 {
			return Info{}, invalidf("extensible fmt chunk is %d bytes, want at least 40", size)
		}
		if [14]byte(body[26:40]) != guidTail {
			return Info{}, UnsupportedError(fmt.Sprintf("sub-format %x, %s", body[24:40], advice))
		}
		tag = le.Uint16(body[24:])
	}
	switch {
	case tag != tagPCM && tag != tagFloat:
		name := tagNames[tag]
		if name == "" {
			name = fmt.Sprintf("format tag 0x%04x", tag)
		}
		return Info{}, UnsupportedError(name + " audio, " + advice)
	case channels == 0:
		return Info{}, invalidf("0 channels")
	case channels > MaxChannels:
		return Info{}, UnsupportedError(fmt.Sprintf("%d channels, want at most %d", channels, MaxChannels))
	case rate == 0:
		return Info{}, invalidf("sample rate is 0 Hz")
	case rate > MaxSampleRate:
		return Info{}, UnsupportedError(fmt.Sprintf("sample rate of %d Hz, want at most %d", rate, MaxSampleRate))
	case tag == tagPCM && bits != 8 && bits != 16 && bits != 24 && bits != 32:
		return Info{}, UnsupportedError(fmt.Sprintf("%d-bit PCM, want 8, 16, 24 or 32: ffmpeg -i in.wav -c:a pcm_s16le out.wav", bits))
	case tag == tagFloat && bits != 32 && bits != 64:
		return Info{}, UnsupportedError(fmt.Sprintf("%d-bit float, want 32 or 64: ffmpeg -i in.wav -c:a pcm_f32le out.wav", bits))
	}
	info := Info{SampleRate: int(rate), Channels: int(channels), BitsPerSample: int(bits), Float: tag == tagFloat, Frames: -1}
	if int(align) != info.frameSize() {
		return Info{}, invalidf("block align is %d, want %d for %d channels of %d bits", align, info.frameSize(), channels, bits)
	}
	return info, nil
}

const advice = "want PCM or float, convert it first: ffmpeg -i in.wav -c:a pcm_s16le out.wav (or sox in.wav -e signed -b 16 out.wav)"

// shortRead turns an early end of input into a FormatError and leaves other
// read errors as they are.
func shortRead(err error, format string, args ...any) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return truncatedf(format, args...)
	}
	return err
}
