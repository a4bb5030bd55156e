package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"vqspeech/model/image"
	"vqspeech/model/train"
)

// RunConfig is what a run was given, as config.json of its folder says.
type RunConfig struct {
	Model    image.Config
	Train    Config
	Training int `json:"training_images"`
	Valid    int `json:"valid_images"`
	Test     int `json:"test_images"`
}

// StepsPerEpoch is the number of optimiser steps of one pass over the training
// images.
func (c RunConfig) StepsPerEpoch() int {
	return max(1, (c.Training+c.Train.BatchSize-1)/c.Train.BatchSize)
}

// MaxSteps is the number of optimiser steps of the whole run.
func (c RunConfig) MaxSteps() int {
	steps := c.Train.Epochs * c.StepsPerEpoch()
	if c.Train.MaxSteps > 0 {
		steps = min(steps, c.Train.MaxSteps)
	}
	return steps
}

// maxConfigBytes bounds a config.json; real ones have a thousand.
const maxConfigBytes = 1 << 20

// ReadRunConfig reads the config.json of a run folder.
func ReadRunConfig(dir string) (RunConfig, error) {
	var c RunConfig
	if err := readJSON(filepath.Join(dir, train.ConfigFile), &c); err != nil {
		return RunConfig{}, err
	}
	if c.Model.Validate() != nil || c.Train.Validate() != nil || c.Training < 1 {
		return RunConfig{}, fmt.Errorf("%s: not the configuration of an image model's run", filepath.Join(dir, train.ConfigFile))
	}
	return c, nil
}

// ReadTest reads the test.json of a run folder.
func ReadTest(dir string) (image.Evaluation, error) {
	var e image.Evaluation
	err := readJSON(filepath.Join(dir, TestFile), &e)
	return e, err
}

func readJSON(path string, v any) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxConfigBytes+1))
	if err == nil && len(text) > maxConfigBytes {
		err = errors.New("larger than a megabyte")
	}
	if err == nil {
		err = json.Unmarshal(text, v)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
