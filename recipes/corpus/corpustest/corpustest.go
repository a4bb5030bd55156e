// Package corpustest makes corpora in miniature, in the folders and formats of
// the real ones, for tests.
package corpustest

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/mewkiz/flac/frame"

	"vqspeech/audio"
	"vqspeech/audio/flac/flactest"
	"vqspeech/audio/wav"
)

// Makers make each layout in a folder, by name.
var Makers = map[string]func(dir string) error{
	"librispeech":         LibriSpeech,
	"vctk-0.80":           VCTK080,
	"vctk-0.92":           VCTK092,
	"zerospeech":          ZeroSpeech,
	"zerospeech-surprise": ZeroSpeechSurprise,
	"zerospeech-lists":    ZeroSpeechLists,
}

// Voice returns a recording of a buzz whose pitch depends on the speaker, and
// whose loudness over time on k.
func Voice(speaker, k, samples, rate int) *audio.Clip {
	c := &audio.Clip{SampleRate: rate, Samples: make([]float32, samples)}
	pitch := 2 * math.Pi * (100 + 35*float64(speaker%5)) / float64(rate)
	for i := range c.Samples {
		swell := math.Sin(float64(5+k%7) * math.Pi * float64(i) / float64(samples))
		for _, h := range []float64{1, 3, 7, 16} {
			c.Samples[i] += float32(0.1 * (1 + swell*math.Sin(h)) * math.Sin(h*pitch*float64(i)))
		}
	}
	return c
}

// Write writes a recording as FLAC or WAV of 16 bits, by the suffix of path, and
// makes the folders above it.
func Write(path string, c *audio.Clip) error {
	var b bytes.Buffer
	if strings.HasSuffix(path, ".flac") {
		pcm := make([]int32, len(c.Samples))
		for i, x := range c.Samples {
			pcm[i] = int32(math.RoundToEven(float64(x) * (1 << 15)))
		}
		data, err := flactest.Encode(c.SampleRate, 16, 4096, frame.ChannelsMono, pcm)
		if err != nil {
			return err
		}
		b.Write(data)
	} else if err := wav.Encode(&b, c.Samples, c.SampleRate); err != nil {
		return err
	}
	return write(path, b.Bytes())
}

func write(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o666)
}

// tree writes files below dir until one fails.
type tree struct {
	dir string
	n   int // recordings so far
	err error
}

func (t *tree) voice(name string, speaker, samples, rate int) {
	if t.n++; t.err == nil {
		t.err = Write(filepath.Join(t.dir, filepath.FromSlash(name)), Voice(speaker, t.n, samples, rate))
	}
}

func (t *tree) text(name, text string) {
	if t.err == nil {
		t.err = write(filepath.Join(t.dir, filepath.FromSlash(name)), []byte(text))
	}
}

// LibriSpeech makes LibriSpeech/ with three speakers and splits/ with train,
// valid and encoder-extra.
func LibriSpeech(dir string) error {
	t := &tree{dir: dir}
	t.text("LibriSpeech/SPEAKERS.TXT", ";ID  |SEX| SUBSET           |MINUTES| NAME\n14   | F | dev-clean        | 25.03 | A\n16   | M | dev-clean        | 25.11 | B\n")
	splits := map[string]string{}
	for k, s := range []string{"14/208", "14/208", "16/122", "16/122", "9/1"} {
		id := fmt.Sprintf("%s-%04d", strings.ReplaceAll(s, "/", "-"), k)
		t.voice("LibriSpeech/dev-clean/"+s+"/"+id+".flac", len(s)+int(s[1]), 17000+1000*k, 16000)
		split := []string{"train", "valid", "train", "valid", "encoder-extra"}[k]
		splits[split] += "dev-clean/" + s + "/" + id + ".flac\n"
	}
	for name, text := range splits {
		t.text("splits/"+name+".txt", text)
	}
	return t.err
}

// vctkUtterances is the number of utterances of a speaker: the last comes to the
// test split.
const vctkUtterances = 20

// VCTK080 makes VCTK 0.80 with the speakers p225 and p226, and p315, of whom
// there is no text. Its speaker-info.txt leaves out the p.
func VCTK080(dir string) error {
	t := &tree{dir: dir}
	t.text("COPYING", "licence\n")
	t.text("speaker-info.txt", "ID  AGE  GENDER  ACCENTS  REGION \n225  23  F    English    Southern  England\n226  22  M    English    Surrey\n315  18  M  American  New  England\n")
	for s, speaker := range []string{"p225", "p226", "p315"} {
		for k := range vctkUtterances {
			id := fmt.Sprintf("%s_%03d", speaker, k+1)
			t.voice("wav48/"+speaker+"/"+id+".wav", s, 18000, 48000)
			if speaker != "p315" {
				t.text("txt/"+speaker+"/"+id+".txt", "Please call Stella.\n")
			}
		}
	}
	return t.err
}

// VCTK092 makes VCTK 0.92 with the speakers p225, p315, of whom there is no text
// and no recording with the second microphone, and s5.
func VCTK092(dir string) error {
	t := &tree{dir: dir}
	t.text("wav48_silence_trimmed/log.txt", "trimmed\n")
	t.text("speaker-info.txt", "ID  AGE  GENDER  ACCENTS  REGION COMMENTS \np225  23  F    English    Southern  England  \np315  18  M  American  New  England    (mic2 files unavailable)\ns5  29  F    British    England\n")
	for s, speaker := range []string{"p225", "p315", "s5"} {
		for k := range vctkUtterances {
			id := fmt.Sprintf("%s_%03d", speaker, k+1)
			t.voice("wav48_silence_trimmed/"+speaker+"/"+id+"_mic1.flac", s, 18000, 48000)
			if speaker != "p315" {
				t.voice("wav48_silence_trimmed/"+speaker+"/"+id+"_mic2.flac", s, 18000, 48000)
				t.text("txt/"+speaker+"/"+id+".txt", "Please call Stella.\n")
			}
		}
	}
	return t.err
}

// ZeroSpeech makes 2019/english of the ZeroSpeech 2019 challenge without lists:
// two speakers of train/unit, the voices V001 and V002, each with an utterance in
// train/parallel/voice, and two items of test.
func ZeroSpeech(dir string) error {
	t := &tree{dir: dir}
	t.zeroSpeech("english")
	for s, v := range []string{"V001", "V002"} {
		t.voice("2019/english/train/parallel/voice/"+v+"_0000000047.wav", s, 14000, 16000)
		t.voice("2019/english/train/parallel/source/"+[]string{"S027", "S099"}[s]+"_0000000047.wav", 3, 14000, 16000)
	}
	return t.err
}

// ZeroSpeechSurprise makes 2019/surprise, which has no parallel recordings.
func ZeroSpeechSurprise(dir string) error {
	t := &tree{dir: dir}
	t.zeroSpeech("surprise")
	return t.err
}

func (t *tree) zeroSpeech(language string) {
	folder := "2019/" + language + "/"
	for s, name := range []string{"unit/S015_0361841101", "unit/S015_0361841102", "unit/S020_0158477602", "voice/V001_0000000112", "voice/V002_0000000140"} {
		t.voice(folder+"train/"+name+".wav", s, 13000, 16000)
	}
	t.voice(folder+"train/unit/S020_0000000001.wav", 2, 5000, 16000) // shorter than a crop
	t.voice(folder+"test/S002_0379088085.wav", 4, 12000, 16000)
	t.voice(folder+"test/0107_400123.wav", 4, 1408, 16000) // 88 ms, the shortest of the challenge
}

// ZeroSpeechLists makes ZeroSpeech with the four lists, whose segments have
// their own starts and lengths.
func ZeroSpeechLists(dir string) error {
	if err := ZeroSpeech(dir); err != nil {
		return err
	}
	t := &tree{dir: dir}
	for name, text := range Lists {
		t.text("2019/english/"+name, text)
	}
	return t.err
}

// Lists are the lists of ZeroSpeechLists by name.
var Lists = map[string]string{
	"train.json": `[
  ["english/train/unit/S015_0361841101", 0.0, 0.5, "english/train/S015/S015_0361841101"],
  ["english/train/unit/S015_0361841102", 0.1, 0.6, "english/train/S015/S015_0361841102"],
  ["english/train/unit/S020_0158477602", 0.05, 0.45, "english/train/S020/S020_0158477602"],
  ["english/train/unit/S020_0000000001", 0, 0.3125, "english/train/S020/S020_0000000001"],
  ["english/train/voice/V001_0000000112", 0, 0.8125, "english/train/V001/V001_0000000112"],
  ["english/train/voice/V002_0000000140", 0, 0.8125, "english/train/V002/V002_0000000140"]
]`,
	"test.json": `[
  ["english/test/S002_0379088085", 0.0, 0.75, "english/test/S002/S002_0379088085"],
  ["english/test/0107_400123", 0.0, 0.088, "english/test/S002/0107_400123"]
]`,
	"speakers.json":       `["V002", "S015", "V001", "S020"]`,
	"mse_evaluation.json": `[["english/train/parallel/voice/V001_0000000047", "V001"], ["english/train/parallel/voice/V002_0000000047.wav", "V002"]]`,
}
