package wavenet

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"vqspeech/internal/safetensors"
	"vqspeech/internal/strict"
	"vqspeech/model"
	"vqspeech/vocoder/envelope"
)

// Voice is what a vocoder file describes: a network and whose voices the rows of
// its speaker table are.
type Voice struct {
	Network  Config   `json:"network"`
	Speakers []string `json:"speakers"`
	Model    string   `json:"model"` // fingerprint (hexadecimal) of the model whose features it was trained on

	// Temperatures of samples, and of voiced ones, that sound best.
	Temperature float64 `json:"temperature"`
	Voiced      float64 `json:"voiced_temperature"`

	// Envelope is how the envelope of the features is restored.
	Envelope envelope.Options `json:"envelope"`
}

// Options returns the choices for the voice of a speaker.
func (v Voice) Options(speaker string, seed uint64) (Options, error) {
	row := slices.Index(v.Speakers, speaker)
	if row < 0 {
		return Options{}, fmt.Errorf("wavenet: the vocoder does not know speaker %q", speaker)
	}
	return Options{Speaker: row, Seed: seed, Temperature: v.Temperature, TopP: 1, Voiced: v.Voiced}, nil
}

// VoiceKey is the key of a Voice in the metadata of a vocoder file.
const VoiceKey = "vqspeech.vocoder"

// Save writes a vocoder file atomically: tensors as float16, or float32
// where an element does not fit, under the names of Config.Params, the Voice as JSON in the metadata.
func Save(path string, v Voice, w model.Weights, metadata map[string]string) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	meta := map[string]string{VoiceKey: string(text)}
	for k, x := range metadata {
		meta[k] = x
	}
	return safetensors.Save(path, meta, model.HalfTensors(w, v.Network.Params()))
}

// Load reads a vocoder file.
func Load(path string) (v Voice, g *Generator, err error) {
	g, err = safetensors.Load(path, func(f *safetensors.File) (g *Generator, err error) {
		v, g, err = read(f)
		return g, err
	})
	return v, g, err
}

// Read reads the bytes of a vocoder file.
func Read(b []byte) (v Voice, g *Generator, err error) {
	f, err := safetensors.Parse(b)
	if err != nil {
		return v, nil, err
	}
	return read(f)
}

func read(f *safetensors.File) (v Voice, g *Generator, err error) {
	if v, err = ReadVoice(f); err != nil {
		return v, nil, err
	}
	w, err := model.ReadWeights(f, v.Network.Params())
	if err != nil {
		return v, nil, err
	}
	g, err = New(v.Network, w)
	return v, g, err
}

// ReadVoice returns the Voice of a vocoder file.
func ReadVoice(f *safetensors.File) (v Voice, err error) {
	text, ok := f.Metadata[VoiceKey]
	if !ok {
		return v, fmt.Errorf("wavenet: %w", model.WrongKind(f, VoiceKey))
	}
	if err := strict.JSON([]byte(text), &v); err != nil {
		return v, fmt.Errorf("wavenet: metadata %q: %w", VoiceKey, err)
	}
	if err := v.Network.Validate(); err != nil {
		return v, fmt.Errorf("wavenet: metadata %q: %s", VoiceKey, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	if err := v.Envelope.Validate(); err != nil {
		return v, fmt.Errorf("wavenet: metadata %q: %s", VoiceKey, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	if err := model.CheckSpeakers(v.Speakers); err != nil {
		return v, fmt.Errorf("wavenet: metadata %q: %w", VoiceKey, err)
	}
	if len(v.Speakers) != v.Network.Speakers {
		return v, fmt.Errorf("wavenet: %d speakers for a table of %d rows", len(v.Speakers), v.Network.Speakers)
	}
	return v, nil
}
