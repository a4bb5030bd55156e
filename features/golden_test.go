package features

import (
	"encoding/binary"
	"os"
	"testing"

	"vqspeech/audio"
	"vqspeech/internal/golden"
)

// goldenConfig is the front end that the fixture's metadata describes.
func goldenConfig(f *golden.File) Config {
	return Config{
		FrontEnd: Reference, SampleRate: f.Int("sr"), NFFT: f.Int("n_fft"), WinLength: f.Int("win_length"),
		HopLength: f.Int("hop_length"), NMels: f.Int("n_mels"), FMin: f.Float("fmin"), FMax: float64(f.Int("sr")) / 2,
		PreEmphasis: f.Float("preemphasis"), TopDB: f.Float("top_db"), FloorDB: -70,
	}
}

// transposed turns mel [T, M] into the [M, T] of files.
func transposed(mel []float32, bands int) []float32 {
	frames := len(mel) / bands
	out := make([]float32, len(mel))
	for t := range frames {
		for m := range bands {
			out[m*frames+t] = mel[t*bands+m]
		}
	}
	return out
}

func TestGoldenFilterBankAndWindow(t *testing.T) {
	f := golden.Open(t, "features.safetensors")
	cfg := goldenConfig(f)
	fb := newFilterBank(cfg.SampleRate, cfg.NFFT, cfg.NMels, cfg.FMin, cfg.FMax)
	f.Check("mel.edges_hz", narrow(fb.edges))
	f.Check("mel.basis", narrow(fb.dense()), cfg.NMels, fb.bins)
	f.Check("mel.window", narrow(Window(cfg.WinLength)))
}

func narrow(x []float64) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(v)
	}
	return out
}

// goldenClips returns the clips of the fixture at its own rate, the segment
// among them, by name.
func goldenClips(t *testing.T, f *golden.File) map[string]*audio.Clip {
	var files map[string]string
	f.JSON("files_16k", &files)
	clips := make(map[string]*audio.Clip)
	for id, name := range files {
		clips[id] = loadWAV(t, golden.Path(t, name))
	}
	var segment struct {
		File           string
		OffsetSeconds  float64 `json:"offset_s"`
		DurationSecond float64 `json:"duration_s"`
	}
	f.JSON("segment", &segment)
	for id, name := range files {
		if name == segment.File {
			whole := clips[id]
			rate := float64(whole.SampleRate)
			first := int(segment.OffsetSeconds * rate)
			clips[id+"_segment"] = &audio.Clip{
				Samples:    whole.Samples[first:][:int(segment.DurationSecond*rate)],
				SampleRate: whole.SampleRate,
			}
		}
	}
	return clips
}

func TestGoldenLogMel(t *testing.T) {
	f := golden.Open(t, "features.safetensors")
	cfg := goldenConfig(f)
	for id, clip := range goldenClips(t, f) {
		mel, err := LogMel(clip, cfg)
		if err != nil {
			t.Errorf("%s: %v", id, err)
			continue
		}
		got := transposed(mel, cfg.NMels)
		f.Check(id+".logmel", got, cfg.NMels, len(got)/cfg.NMels)
		t.Logf("%s: largest error %.2g", id, largestDifference(got, f.F32(id+".logmel")))

		db, err := LogMelDB(clip, cfg)
		if err != nil {
			t.Fatal(err)
		}
		level := cfg.level(db, peak(clip))
		f.Check(id+".max_db", []float32{level.FloorDB + level.TopDB})
	}
}

func TestGoldenMagnitudes(t *testing.T) {
	f := golden.Open(t, "features.safetensors")
	cfg := goldenConfig(f)
	checked := 0
	for id, clip := range goldenClips(t, f) {
		if !f.Has(id + ".frame_index") {
			continue
		}
		e, err := NewExtractor(cfg)
		if err != nil {
			t.Fatal(err)
		}
		e.append(clip.Samples)
		s := e.newSlot()
		scale := PeakLevel / float64(peak(clip))
		var mags, mels []float32
		for _, frame := range f.I32(id + ".frame_index") {
			e.magnitudes(s, int(frame), 1)
			e.bank.apply(s.mel, s.mag[0])
			for _, v := range s.mag[0] {
				mags = append(mags, float32(v*scale))
			}
			for _, v := range s.mel {
				mels = append(mels, float32(v*scale))
			}
			checked++
		}
		f.Check(id+".stft_mag", mags)
		f.Check(id+".mel_mag", mels)
	}
	if checked == 0 {
		t.Error("the fixture has no magnitudes")
	}
}

// The features of a test signal evaluated at the working rate, before any
// resampler has touched it.
func TestGoldenIdealLogMel(t *testing.T) {
	f := golden.Open(t, "features.safetensors")
	cfg := goldenConfig(f)
	var files map[string]string
	f.JSON("files_resample", &files)
	for id := range files {
		mel, err := LogMel(&audio.Clip{Samples: f.F32(id + ".ideal_16k"), SampleRate: cfg.SampleRate}, cfg)
		if err != nil {
			t.Fatal(err)
		}
		got := transposed(mel, cfg.NMels)
		f.Check(id+".ideal_logmel", got, cfg.NMels, len(got)/cfg.NMels)
		t.Logf("%s: largest error %.2g", id, largestDifference(got, f.F32(id+".ideal_logmel")))
	}
}

func largestDifference(a, b []float32) (d float32) {
	for i, v := range a {
		d = max(d, v-b[i], b[i]-v)
	}
	return d
}

func peak(c *audio.Clip) (p float32) {
	for _, v := range c.Samples {
		p = max(p, v, -v)
	}
	return p
}

// loadWAV reads a 16-bit PCM file with the 44-byte header that the fixtures
// have, channels averaged.
func loadWAV(t *testing.T, path string) *audio.Clip {
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	channels := int(binary.LittleEndian.Uint16(b[22:]))
	c := &audio.Clip{SampleRate: int(binary.LittleEndian.Uint32(b[24:]))}
	for b = b[44:]; len(b) >= 2*channels; b = b[2*channels:] {
		var sum float32
		for ch := range channels {
			sum += float32(int16(binary.LittleEndian.Uint16(b[2*ch:]))) / 32768
		}
		c.Samples = append(c.Samples, sum/float32(channels))
	}
	return c
}
