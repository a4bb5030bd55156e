package train

import (
	"fmt"
	"path/filepath"

	"vqspeech/internal/training"
	"vqspeech/model/image"
)

// RunConfig is what a run was given, as config.json of its folder says.
type RunConfig struct {
	Model    image.Config
	Train    Config
	Training int    `json:"training_images"`
	Valid    int    `json:"valid_images"`
	Test     int    `json:"test_images"`
	Data     string `json:"data,omitempty"`
}

func (o Options) config() RunConfig {
	return RunConfig{o.Model, o.Train, o.Training.N, o.Valid.N, o.Test.N, o.Data}
}

// StepsPerEpoch is the number of optimiser steps of one pass over the training
// images.
func (c RunConfig) StepsPerEpoch() int {
	return training.StepsPerEpoch(c.Training, c.Train.BatchSize)
}

// MaxSteps is the number of optimiser steps of the whole run.
func (c RunConfig) MaxSteps() int {
	return training.MaxSteps(c.Train.Epochs, c.StepsPerEpoch(), c.Train.MaxSteps)
}

// ReadRunConfig reads the config.json of a run folder.
func ReadRunConfig(dir string) (RunConfig, error) {
	path := filepath.Join(dir, training.ConfigFile)
	var c RunConfig
	if err := training.ReadJSON(path, &c); err != nil {
		return RunConfig{}, err
	}
	if c.Model.Validate() != nil || c.Train.Validate() != nil || c.Training < 1 {
		return RunConfig{}, fmt.Errorf("%s: not the configuration of an image model's run", path)
	}
	return c, nil
}

// ReadTest reads the test.json of a run folder.
func ReadTest(dir string) (image.Evaluation, error) {
	var e image.Evaluation
	err := training.ReadJSON(filepath.Join(dir, TestFile), &e)
	return e, err
}
