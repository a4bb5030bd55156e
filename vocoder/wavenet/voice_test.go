package wavenet_test

import (
	"os"
	"path/filepath"
	"testing"

	"vqspeech/features"
	"vqspeech/vocoder/envelope"
	"vqspeech/vocoder/wavenet"
	"vqspeech/vocoder/wavenet/wavenettest"
)

// voiceFile returns the bytes of a small vocoder file.
func voiceFile(t testing.TB) []byte { return voiceFileOf(t, 0) }

// voiceFileOf is voiceFile with a recurrent layer of so many units, if any.
func voiceFileOf(t testing.TB, units int) []byte {
	t.Helper()
	f := features.Default(features.Stream)
	cfg := wavenet.Config{
		Dim: f.NMels + wavenet.PitchDims, Upsampling: f.HopLength, Features: f, Prediction: true, Speakers: 1,
		CondChannels: 2, SpeakerDim: 2, Cycles: 1, CycleLayers: 2, Kernel: 2, Residual: 2, Gate: 2, Skip: 2, Post: 2, GRU: units,
	}
	v := wavenet.Voice{Network: cfg, Speakers: []string{"a"}, Temperature: 1, Voiced: 1, Envelope: envelope.Options{Most: 6, Passes: 1}}
	path := filepath.Join(t.TempDir(), "vocoder.safetensors")
	if err := wavenet.Save(path, v, wavenettest.Random(cfg, 1), nil); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Whatever the bytes, Read returns a vocoder that starts an utterance for each
// of its speakers, or an error.
func FuzzRead(f *testing.F) {
	whole := voiceFile(f)
	f.Add(whole)
	f.Add(voiceFileOf(f, 3))
	f.Add(whole[:len(whole)/2])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		v, g, err := wavenet.Read(b)
		if err != nil {
			return
		}
		for _, speaker := range v.Speakers {
			o, err := v.Options(speaker, 0)
			if err != nil {
				t.Fatal(err)
			}
			if w, err := v.NewVocoder(g, o); err == nil {
				if _, err := w.Flush(); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
