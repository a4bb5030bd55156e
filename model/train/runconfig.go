package train

import (
	"fmt"
	"path/filepath"

	"vqspeech/internal/training"
	"vqspeech/model"
)

// RunConfig is what a run was given, as config.json of its folder says.
type RunConfig struct {
	Model    model.Config
	Train    Config
	Training int               `json:"training_utterances"`
	Holdout  int               `json:"holdout_utterances"`
	Valid    int               `json:"valid_utterances"`
	Data     string            `json:"data,omitempty"`
	Metadata map[string]string `json:"metadata,omitempty"`
}

func (o Options) config() RunConfig {
	return RunConfig{o.Model, o.Train, len(o.Training), len(o.Holdout), len(o.Valid), o.Data, o.Metadata}
}

// ReadRunConfig reads the config.json of a run folder.
func ReadRunConfig(dir string) (RunConfig, error) {
	path := filepath.Join(dir, ConfigFile)
	var c RunConfig
	if err := training.ReadJSON(path, &c); err != nil {
		return RunConfig{}, err
	}
	if c.Model.Validate() != nil || c.Train.Validate() != nil {
		return RunConfig{}, fmt.Errorf("%s: not the configuration of a speech model's run", path)
	}
	return c, nil
}
