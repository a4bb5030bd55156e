package train

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"vqspeech/internal/atomicfile"
)

// MetricsLog writes metrics.jsonl, one object a line.
type MetricsLog struct{ file *os.File }

// OpenMetrics opens the log of a run that is at the given step. Lines of later
// steps, which a killed run may have left, are dropped: they will come again.
func OpenMetrics(path string, step int) (*MetricsLog, error) {
	kept, err := linesUpTo(path, step)
	if err != nil {
		return nil, err
	}
	f, err := atomicfile.Create(path)
	if err != nil {
		return nil, err
	}
	defer f.Abort()
	if _, err := f.Write(kept); err != nil {
		return nil, err
	}
	if err := f.Commit(); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0o666)
	return &MetricsLog{file}, err
}

func linesUpTo(path string, step int) ([]byte, error) {
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var kept bytes.Buffer
	r := bufio.NewReader(f)
	for {
		line, err := r.ReadBytes('\n')
		if err == io.EOF {
			return kept.Bytes(), nil // a line without its end was cut by a kill
		}
		if err != nil {
			return nil, err
		}
		var at struct{ Step int }
		if json.Unmarshal(line, &at) == nil && at.Step <= step {
			kept.Write(line)
		}
	}
}

// stepRecord is one line of losses.
type stepRecord struct {
	Step int `json:"step"`
	Losses
	GradNorm     float64 `json:"grad_norm"` // before clipping
	LearningRate float64 `json:"learning_rate"`
	Temperature  float64 `json:"sq/temperature,omitempty"`
	LogVar       float64 `json:"sq/log_var_scalar,omitempty"`
}

func (l *MetricsLog) losses(r *run, losses Losses) error {
	rec := stepRecord{Step: r.state.Step, Losses: losses, GradNorm: r.solver.GradNorm, LearningRate: r.solver.Rate()}
	if r.o.Model.Quantizer.Kind.Gaussian() {
		rec.Temperature = r.o.Model.Temperature(r.state.Step - 1)
		rec.LogVar = float64(r.state.Weights["quantizer.log_var_scalar"][0])
	}
	return l.Write(rec)
}

func (l *MetricsLog) Write(record any) error {
	line, err := json.Marshal(record)
	if err != nil {
		return err
	}
	_, err = l.file.Write(append(line, '\n'))
	return err
}

func (l *MetricsLog) Close() { l.file.Close() }

// writeConfig records what the run was given.
func writeConfig(o Options) error {
	text, err := json.MarshalIndent(struct {
		Model    any
		Train    Config
		Training int `json:"training_utterances"`
		Holdout  int `json:"holdout_utterances"`
		Valid    int `json:"valid_utterances"`
	}{o.Model, o.Train, len(o.Training), len(o.Holdout), len(o.Valid)}, "", "  ")
	if err != nil {
		return err
	}
	f, err := atomicfile.Create(filepath.Join(o.Dir, ConfigFile))
	if err != nil {
		return err
	}
	defer f.Abort()
	if _, err := fmt.Fprintf(f, "%s\n", text); err != nil {
		return err
	}
	return f.Commit()
}
