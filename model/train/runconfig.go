package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"vqspeech/internal/atomicfile"
	"vqspeech/model"
)

// RunConfig is what a run was given, as config.json of its folder says.
type RunConfig struct {
	Model    model.Config
	Train    Config
	Training int               `json:"training_utterances"`
	Holdout  int               `json:"holdout_utterances"`
	Valid    int               `json:"valid_utterances"`
	Metadata map[string]string `json:"metadata,omitempty"`
}

func writeConfig(o Options) error {
	return atomicfile.WriteJSON(filepath.Join(o.Dir, ConfigFile), RunConfig{
		o.Model, o.Train, len(o.Training), len(o.Holdout), len(o.Valid), o.Metadata,
	})
}

// maxConfigBytes bounds a config.json; most of one are the names of speakers.
const maxConfigBytes = 16 << 20

// ReadRunConfig reads the config.json of a run folder.
func ReadRunConfig(dir string) (RunConfig, error) {
	path := filepath.Join(dir, ConfigFile)
	var c RunConfig
	f, err := os.Open(path)
	if err != nil {
		return c, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxConfigBytes+1))
	if err == nil && len(text) > maxConfigBytes {
		err = fmt.Errorf("larger than %d bytes", maxConfigBytes)
	}
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err == nil && (c.Model.Validate() != nil || c.Train.Validate() != nil) {
		err = errors.New("not the configuration of a speech model's run")
	}
	if err != nil {
		return RunConfig{}, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}
