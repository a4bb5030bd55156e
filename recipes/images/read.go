package images

import (
	"fmt"
	"io"
	"io/fs"
	"os"
)

// ReadFile reads the file at path, but not much more than most bytes: a larger
// file is an error. Errors are of type *fs.PathError.
func ReadFile(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(data)) > most {
		err = &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("larger than %d bytes", most)}
	}
	return data, err
}
