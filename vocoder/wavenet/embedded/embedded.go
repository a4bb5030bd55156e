// Package embedded holds the vocoder of the default model inside the program:
// trained by this program on recipes/librispeech/wavenet.yaml (float16 weights;
// see recipes/librispeech/RESULTS.md and NOTICE).
package embedded

import (
	_ "embed"

	"vqspeech/vocoder/wavenet"
)

//go:embed default.safetensors
var file []byte

// Default returns the default vocoder, for features of the default model.
func Default() (wavenet.Voice, *wavenet.Generator, error) { return wavenet.Read(file) }
