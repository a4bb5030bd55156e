// Package strict reads what anyone may have written: files of a bounded size,
// JSON with nothing in it that was not asked for, text that can be shown.
package strict

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"unicode"
	"unicode/utf8"
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

// Stat is os.Stat for what must be a plain file: opening a pipe that nobody
// writes to would wait for ever. A folder is no error here, as it is one to read.
func Stat(path string) (fs.FileInfo, error) {
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "stat", Path: path, Err: errors.New("not a regular file")}
	}
	return info, err
}

// ReadRegular is ReadFile for what must be a plain file.
func ReadRegular(path string, most int64) ([]byte, error) {
	if _, err := Stat(path); err != nil {
		return nil, err
	}
	return ReadFile(path, most)
}

// JSON decodes one value and refuses unknown fields and what follows.
func JSON(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("invalid JSON: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("invalid JSON: more than one value")
	}
	return nil
}

// Printable reports whether s is UTF-8 that can go to a terminal as it is.
func Printable(s string) bool {
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return utf8.ValidString(s)
}

// Cause drops the path that package os puts into its errors, for callers that
// name it themselves.
func Cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
