package training

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"vqspeech/internal/strict"
)

// Names of the files that a run folder of any kind has, besides the log.
const (
	ConfigFile = "config.json"
	LatestFile = "latest.safetensors"
	BestFile   = "best.safetensors"
)

// CheckNew reports a run that is in dir already.
func CheckNew(dir string) error {
	_, err := os.Stat(filepath.Join(dir, LatestFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	return fmt.Errorf("%s: a run is there already: resume it or choose another folder", dir)
}

// Latest returns the checkpoint that a run on data goes on from in dir, "" where
// there is none: the run is new, and Latest makes its folder. A checkpoint that is
// there without resume is an error, and so is one of a run on other data, if its
// config.json names them under "data".
func Latest(dir, data string, resume bool) (path string, err error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	path = filepath.Join(dir, LatestFile)
	if !resume {
		return "", CheckNew(dir)
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	var was struct {
		Data string `json:"data"`
	}
	if err := ReadJSON(filepath.Join(dir, ConfigFile), &was); err != nil {
		return "", err
	}
	if was.Data != "" && was.Data != data {
		return "", fmt.Errorf("%s: the run is on other data: was %s, is %s", dir, was.Data, cmp.Or(data, "not named"))
	}
	return path, nil
}

// maxJSONBytes bounds a JSON file of a run folder; most of one are the names of
// speakers.
const maxJSONBytes = 16 << 20

// ReadJSON reads a JSON file of a run folder. Errors name it.
func ReadJSON(path string, v any) error {
	text, err := strict.ReadFile(path, maxJSONBytes)
	if err == nil {
		err = json.Unmarshal(text, v)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, strict.Cause(err))
	}
	return nil
}
