package audio

import (
	"bytes"
	"strings"
	"testing"
)

func TestDetect(t *testing.T) {
	cases := []struct{ name, data, want string }{
		{"empty", "", "empty file, want WAV or FLAC"},
		{"mp3", "\xff\xfb\x90\x64" + strings.Repeat("\x00", 100), "ffmpeg -i in.mp3 out.wav"},
		{"aac", "\xff\xf1\x50\x80", "MPEG audio"},
		{"id3-mp3", "ID3\x04\x00\x00\x00\x00\x00\x05.....\xff\xfb\x90\x64", "MP3 is not supported, convert it first"},
		{"id3-cut", "ID3\x04\x00\x00\x7f\x7f\x7f\x7f...", "MP3 is not supported"},
		{"ogg", "OggS\x00\x02", "Ogg (Vorbis, Opus) is not supported, convert it first: ffmpeg -i in.ogg out.wav"},
		{"m4a", "\x00\x00\x00\x20ftypM4A ", "MP4 (AAC)"},
		{"sphere", "NIST_1A\n   1024\n", "ffmpeg -i in.sph out.wav"},
		{"aiff", "FORM\x00\x00\x00\x00AIFF", "AIFF"},
		{"gzip", "\x1f\x8b\x08\x00", "unpack it first"},
		{"text", "hello, world\n", `text (starts with "hello, world\n"), want WAV or FLAC`},
		{"utf16", "\xff\xfeh\x00i\x00", "text (UTF-16)"},
		{"umlaut-cut", strings.Repeat("a", 63) + "ä", "text"},
		{"zeros", "\x00\x00\x00\x00\x00\x00\x00\x00\x00", `unknown format (starts with 00 00 00 00 00 00 00 00)`},
		{"riff-cut", "RIFF", "wav: truncated"},
		{"avi", "RIFF\x00\x00\x00\x00AVI LIST", `wav: invalid format: RIFF form is "AVI "`},
		{"rf64", "RF64\xff\xff\xff\xffWAVEds64", "wav: unsupported: RF64"},
		{"flac-cut", "fLaC", "flac: truncated"},
	}
	for _, c := range cases {
		_, err := Load(write(t, []byte(c.data)))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q in it", c.name, err, c.want)
		}
	}
}

func FuzzNewStream(f *testing.F) {
	f.Add([]byte("ID3\x04\x00\x00\x00\x00\x00\x05.....fLaC"))
	f.Add([]byte("RIFF\x00\x00\x00\x00WAVE"))
	f.Add([]byte("\xff\xfb\x90\x64"))
	f.Add([]byte("text"))
	f.Add(wavBytes(f, sine(10), 16000))
	f.Add(silence(f, 2))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4096 {
			return
		}
		s, err := NewStream(bytes.NewReader(data))
		if err != nil {
			if msg := err.Error(); strings.Contains(msg, "\n") || !strings.Contains(msg, ": ") {
				t.Fatalf("%q", msg)
			}
			return
		}
		if s.SampleRate() < 1 {
			t.Fatalf("rate of %d Hz", s.SampleRate())
		}
		if clip, err := s.readAll(s); err == nil && len(clip.Samples) > 1<<24 {
			t.Fatalf("%d samples from %d bytes", len(clip.Samples), len(data))
		}
	})
}
