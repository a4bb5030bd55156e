package model

import (
	"fmt"

	"vqspeech/internal/safetensors"
)

// kinds are what files are whose metadata has a configuration under a key.
var kinds = map[string]string{
	ConfigKey:             "a model of speech",
	"vqspeech.image":      "a model of images",
	"vqspeech.prior":      "a prior of a model of images",
	"vqspeech.unit_prior": "a prior over units",
	"vqspeech.vocoder":    "a vocoder",
}

// WrongKind is the error for a file whose metadata lacks the key of the kind that
// is wanted: it names what the file is.
func WrongKind(f *safetensors.File, want string) error {
	is := "tensors of another program"
	for key, kind := range kinds {
		if _, ok := f.Metadata[key]; ok {
			is = kind
		}
	}
	return fmt.Errorf("%s, want %s", is, kinds[want])
}
