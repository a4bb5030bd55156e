//go:build unix

package strict_test

import (
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"vqspeech/internal/strict"
)

// TestReadRegular wants a pipe that nobody writes to refused, not waited for.
func TestReadRegular(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := strict.ReadRegular(pipe, 9); err == nil || !strings.HasSuffix(err.Error(), "pipe: not a regular file") {
		t.Errorf("a pipe: %v", err)
	}
	for _, path := range []string{filepath.Dir(pipe), pipe + "x"} {
		_, err := strict.ReadRegular(path, 9)
		if _, ok := err.(*fs.PathError); !ok {
			t.Errorf("%s: %v", path, err)
		}
	}
}
