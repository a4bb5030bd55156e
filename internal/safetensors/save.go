package safetensors

import (
	"fmt"

	"vqspeech/internal/atomicfile"
)

// Save writes the file at path with Write; it is complete or absent.
func Save(path string, metadata map[string]string, tensors []Tensor) error {
	f, err := atomicfile.Create(path)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer f.Abort()
	if err := Write(f, metadata, tensors); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := f.Commit(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
