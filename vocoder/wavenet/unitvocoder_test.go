package wavenet_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"vqspeech/features"
	"vqspeech/model"
	"vqspeech/model/modeltest"
	"vqspeech/vocoder"
	"vqspeech/vocoder/wavenet"
	"vqspeech/vocoder/wavenet/wavenettest"
)

// unitVoice returns a model and a vocoder of its units.
func unitVoice(t *testing.T) (*model.Model, wavenet.Voice, *wavenet.Generator) {
	t.Helper()
	cfg := modeltest.Config(model.Gaussian1, features.Stream)
	m, err := model.New(cfg, modeltest.Weights(cfg))
	if err != nil {
		t.Fatal(err)
	}
	net := wavenet.Config{
		Dim: cfg.Quantizer.CodebookDim, Upsampling: 320, Speakers: len(cfg.Speakers), CondChannels: 4, SpeakerDim: 2,
		Cycles: 1, CycleLayers: 3, Kernel: 2, Residual: 4, Gate: 4, Skip: 4, Post: 4,
	}
	g, err := wavenet.New(net, wavenettest.Random(net, 3))
	if err != nil {
		t.Fatal(err)
	}
	return m, wavenet.Voice{Network: net, Speakers: cfg.Speakers, Model: fmt.Sprintf("%x", m.Fingerprint()), Temperature: 1}, g
}

// However units and features are cut, an utterance has the same samples, a hop
// for every frame, and they are those of a stream of its code vectors.
func TestUnitVocoder(t *testing.T) {
	m, voice, g := unitVoice(t)
	o, err := voice.Options("bob", 5)
	if err != nil {
		t.Fatal(err)
	}
	codes := []uint16{3, 1, 4, 1, 5, 9, 2, 6, 5, 3}
	const frames = 23 // 10 units and a frame that no unit stands for
	speak := func(v *wavenet.UnitVocoder, cut int) []float32 {
		var out []float32
		bands := m.Config.Features.NMels
		take := func(x []float32, err error) {
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, x...)
		}
		for i := 0; i < len(codes); i += cut {
			n := min(cut, len(codes)-i)
			take(v.Push(vocoder.Conditioning{Codes: codes[i : i+n], Mel: make([]float32, 2*n*bands)}))
		}
		take(v.Push(vocoder.Conditioning{Mel: make([]float32, (frames-2*len(codes))*bands)}))
		take(v.Flush())
		return out
	}
	v, err := voice.NewUnitVocoder(g, m, o)
	if err != nil {
		t.Fatal(err)
	}
	want := speak(v, len(codes))
	if len(want) != frames*160 {
		t.Fatalf("%d samples, want %d", len(want), frames*160)
	}
	for _, cut := range []int{1, 3} {
		if got := speak(v, cut); !slices.Equal(got, want) {
			t.Errorf("units in pieces of %d give other samples", cut)
		}
	}
	var latents []float32
	for _, k := range append(codes, 3, 3, 3) { // the last goes on
		latents = append(latents, m.Codebook.Vectors[int(k)*8:int(k)*8+8]...)
	}
	s, err := g.NewStream(o)
	if err != nil {
		t.Fatal(err)
	}
	y, err := s.Push(latents)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(y[:len(want)], want) {
		t.Error("the samples are not those of the code vectors")
	}
}

func TestUnitVocoderErrors(t *testing.T) {
	m, voice, g := unitVoice(t)
	o, err := voice.Options("alice", 0)
	if err != nil {
		t.Fatal(err)
	}
	v, err := voice.NewUnitVocoder(g, m, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Push(vocoder.Conditioning{Codes: []uint16{16}}); err == nil || !strings.Contains(err.Error(), "want less than 16") {
		t.Errorf("a code outside the codebook: %v", err)
	}
	if _, err := v.Push(vocoder.Conditioning{Mel: make([]float32, 40)}); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Flush(); err == nil {
		t.Error("features alone: no error")
	}
	if x, err := v.Flush(); err != nil || len(x) > 0 {
		t.Errorf("an empty utterance: %d samples, %v", len(x), err)
	}
	other := voice
	other.Model = "0123"
	if _, err := other.NewUnitVocoder(g, m, o); err == nil {
		t.Error("units of another model: no error")
	}
	if _, err := voice.NewVocoder(g, o); err == nil {
		t.Error("a network for units took features")
	}
}
