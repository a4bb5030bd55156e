package features

import (
	"errors"
	"io"
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
		level := cfg.Level(db, peak(clip))
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
		scale := PeakLevel / float64(peak(clip))
		var mags, mels []float32
		for _, frame := range f.I32(id + ".frame_index") {
			mag, mel := fastMagnitudes(e, int(frame))
			for _, v := range mag {
				mags = append(mags, float32(v*scale))
			}
			for _, v := range mel {
				mels = append(mels, float32(float64(v)*scale))
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

// The features of a test signal at the working rate: evaluated there, before
// any resampler has touched it, and as the published interpolation makes it.
func TestGoldenIdealLogMel(t *testing.T) {
	f := golden.Open(t, "features.safetensors")
	cfg := goldenConfig(f)
	var files map[string]string
	f.JSON("files_resample", &files)
	for id := range files {
		for _, kind := range []string{".ideal", ".kaiser_best"} {
			mel, err := LogMel(&audio.Clip{Samples: f.F32(id + kind + "_16k"), SampleRate: cfg.SampleRate}, cfg)
			if err != nil {
				t.Fatal(err)
			}
			got := transposed(mel, cfg.NMels)
			f.Check(id+kind+"_logmel", got, cfg.NMels, len(got)/cfg.NMels)
			t.Logf("%s%s: largest error %.2g", id, kind, largestDifference(got, f.F32(id+kind+"_logmel")))
		}
	}
}

// The same from the files at their own rates: within 40 dB of the maximum the
// resampler costs less than 3e-4.
func TestGoldenResampledLogMel(t *testing.T) {
	f := golden.Open(t, "features.safetensors")
	cfg := goldenConfig(f)
	var files map[string]string
	f.JSON("files_resample", &files)
	for id, name := range files {
		mel, err := LogMel(resampled(t, golden.Path(t, name), cfg.SampleRate), cfg)
		if err != nil {
			t.Fatal(err)
		}
		got, want := transposed(mel, cfg.NMels), f.F32(id+".ideal_logmel")
		if len(got) != len(want) {
			t.Errorf("%s: %d features, want %d", id, len(got), len(want))
			continue
		}
		_, top := Range(want)
		var worst float32
		for i, w := range want {
			if w > top-float32(40/cfg.TopDB) {
				worst = max(worst, got[i]-w, w-got[i])
			}
		}
		if worst > 3e-4 {
			t.Errorf("%s: features differ by %.2g within 40 dB of the maximum, want at most 3e-4", id, worst)
		}
		t.Logf("%s: largest error %.2g", id, worst)
	}
}

func resampled(t *testing.T, path string, rate int) *audio.Clip {
	t.Helper()
	stream, err := audio.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	source, err := audio.Resampled(stream, rate)
	if err != nil {
		t.Fatal(err)
	}
	c := &audio.Clip{SampleRate: rate}
	buf := make([]float32, 4096)
	for {
		n, err := source.Read(buf)
		c.Samples = append(c.Samples, buf[:n]...)
		if errors.Is(err, io.EOF) {
			return c
		}
		if err != nil {
			t.Fatal(err)
		}
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

func loadWAV(t *testing.T, path string) *audio.Clip {
	t.Helper()
	c, err := audio.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
