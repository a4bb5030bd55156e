package cli

import (
	"fmt"
	"os"
	"strings"

	"vqspeech/internal/npy"
)

// numbersFile is an open .npy file of any number type; "-" is standard input.
type numbersFile struct {
	*npy.Numbers
	path string
	file *os.File
}

func openNumbers(path string) (*numbersFile, error) {
	if path == "" {
		return nil, usagef("an input is an empty name")
	}
	f := &numbersFile{path: path, file: os.Stdin}
	if path != "-" {
		var err error
		if f.file, err = os.Open(path); err != nil {
			return nil, pathFirst(err)
		}
	}
	var err error
	if f.Numbers, err = npy.NewNumbers(f.file); err != nil {
		f.close()
		return nil, named(path, err)
	}
	return f, nil
}

func (f *numbersFile) close() {
	if f.file != os.Stdin {
		_ = f.file.Close() // it was only read
	}
}

// shapeText shows a shape as NumPy's users know it.
func shapeText(shape []int) string { return strings.ReplaceAll(fmt.Sprint(shape), " ", ", ") }
