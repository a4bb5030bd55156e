// Package embedded holds the default model inside the program: trained by this
// program on recipes/librispeech/default.yaml (float16 weights; see
// recipes/librispeech/RESULTS.md and NOTICE).
package embedded

import (
	_ "embed"

	"vqspeech/model"
)

//go:embed default.safetensors
var file []byte

// Default returns the default model: 16 kHz, stream front end, 50 units a
// second.
func Default() (*model.Model, error) { return model.Read(file) }
