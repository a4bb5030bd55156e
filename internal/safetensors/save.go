package safetensors

import (
	"io"

	"vqspeech/internal/atomicfile"
)

// Save writes the file at path with Write; it is complete or absent.
func Save(path string, metadata map[string]string, tensors []Tensor) error {
	return atomicfile.Write(path, func(w io.Writer) error { return Write(w, metadata, tensors) })
}
