// Package checkpoint saves and restores a training run: weights, batch-norm
// statistics, optimiser moments and the step, in one safetensors file. A file
// is byte for byte the same for the same state, and is complete or absent.
//
// # Format
//
// Tensors of the model have the names and the PyTorch layout of model.Param,
// float32. adam.m.NAME and adam.v.NAME are the optimiser's moments,
// state.NAME is what else must survive (EMA averages, code counts). The
// metadata holds the configurations as JSON, the step and the best score.
// model.Load reads a checkpoint as a model.
package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	"vqspeech/internal/safetensors"
	"vqspeech/model"
)

// Config is what a checkpoint asks of a model's configuration, which it keeps as
// JSON in the metadata.
type Config interface {
	Params() []model.Param  // trained tensors
	Buffers() []model.Param // others that the model needs
	Validate() error
	MetadataKey() string
}

// Run is everything that a run needs to go on as if it had not stopped.
type Run[C Config] struct {
	Model   C
	Train   json.RawMessage      // the training configuration
	Step    int                  // optimiser steps done
	Best    float64              // lowest score so far, +Inf before the first
	Weights model.Weights        // parameters and buffers, memory layout
	M, V    model.Weights        // Adam's moments of the parameters, memory layout
	Extra   map[string][]float32 // further state, flat
}

// State is the Run of a speech model.
type State = Run[model.Config]

const (
	trainKey = "vqspeech.train"
	stepKey  = "vqspeech.step"
	bestKey  = "vqspeech.best"
)

// Save writes s atomically.
func Save[C Config](path string, s *Run[C]) error {
	params := s.Model.Params()
	tensors := model.FileTensors(s.Weights, append(params, s.Model.Buffers()...), safetensors.F32)
	for _, moment := range []struct {
		prefix string
		w      model.Weights
	}{{"adam.m.", s.M}, {"adam.v.", s.V}} {
		for _, t := range model.FileTensors(moment.w, params, safetensors.F32) {
			t.Name = moment.prefix + t.Name
			tensors = append(tensors, t)
		}
	}
	for name, x := range s.Extra {
		tensors = append(tensors, safetensors.Tensor{Name: "state." + name, Shape: []int{len(x)}, DType: safetensors.F32, Data: x})
	}
	cfg, err := json.Marshal(s.Model)
	if err != nil {
		return err
	}
	return safetensors.Save(path, map[string]string{
		s.Model.MetadataKey(): string(cfg), trainKey: string(s.Train), stepKey: strconv.Itoa(s.Step),
		bestKey: strconv.FormatFloat(s.Best, 'g', -1, 64),
	}, tensors)
}

// SaveModel writes a model without training state: only the speakers in keep
// (in that order), tensors as float16, or float32 where an element does not fit.
func SaveModel(path string, cfg model.Config, w model.Weights, keep []string, metadata map[string]string) error {
	if len(keep) == 0 {
		return errors.New("checkpoint: no speakers to keep")
	}
	s := cfg.Net.SpeakerDim
	rows := w["decoder.speaker.weight"]
	var table []float32
	for _, id := range keep {
		row := -1
		for i, known := range cfg.Speakers {
			if known == id {
				row = i
			}
		}
		if row < 0 {
			return fmt.Errorf("checkpoint: speaker %q is not in the model", id)
		}
		table = append(table, rows[row*s:(row+1)*s]...)
	}
	kept := model.Weights{}
	for name, x := range w {
		kept[name] = x
	}
	kept["decoder.speaker.weight"] = table
	cfg.Speakers = keep
	return SaveFinished(path, cfg, kept, metadata)
}

// SaveFinished writes a model without training state, tensors as float16, or
// float32 where an element does not fit.
func SaveFinished[C Config](path string, cfg C, w model.Weights, metadata map[string]string) error {
	tensors := model.FileTensors(w, append(cfg.Params(), cfg.Buffers()...), safetensors.F16)
	for i, t := range tensors {
		for _, v := range t.Data.([]float32) {
			if v > maxHalf || v < -maxHalf {
				tensors[i].DType = safetensors.F32
			}
		}
	}
	return writeModel(path, cfg, tensors, metadata)
}

// SaveExact writes a model without training state, all of it, as float32: it
// gives the same results to the bit.
func SaveExact(path string, cfg model.Config, w model.Weights, metadata map[string]string) error {
	return writeModel(path, cfg, model.FileTensors(w, append(cfg.Params(), cfg.Buffers()...), safetensors.F32), metadata)
}

// maxHalf is the largest float16.
const maxHalf = 65504

func writeModel[C Config](path string, cfg C, tensors []safetensors.Tensor, metadata map[string]string) error {
	text, err := json.Marshal(cfg)
	if err != nil {
		return err
	}
	meta := map[string]string{cfg.MetadataKey(): string(text)}
	for k, v := range metadata {
		meta[k] = v
	}
	return safetensors.Save(path, meta, tensors)
}

// Load reads a checkpoint of a speech model.
func Load(path string) (*State, error) { return LoadRun[model.Config](path) }

// LoadRun reads a checkpoint.
func LoadRun[C Config](path string) (*Run[C], error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	s, err := Read[C](file, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// Read reads a checkpoint of size bytes.
func Read[C Config](r io.ReaderAt, size int64) (*Run[C], error) {
	f, err := safetensors.Read(r, size)
	if err != nil {
		return nil, err
	}
	s := &Run[C]{Extra: map[string][]float32{}}
	if s.Model, err = model.ReadConfig[C](f); err != nil {
		return nil, err
	}
	train, ok := f.Metadata[trainKey]
	if !ok {
		return nil, fmt.Errorf("checkpoint: a model without training state: metadata has no %q", trainKey)
	}
	s.Train = json.RawMessage(train)
	if s.Step, err = strconv.Atoi(f.Metadata[stepKey]); err != nil || s.Step < 0 {
		return nil, fmt.Errorf("checkpoint: metadata %q is %q, want a number of steps", stepKey, f.Metadata[stepKey])
	}
	if s.Best, err = strconv.ParseFloat(f.Metadata[bestKey], 64); err != nil || math.IsNaN(s.Best) {
		return nil, fmt.Errorf("checkpoint: metadata %q is %q, want a score", bestKey, f.Metadata[bestKey])
	}
	params := s.Model.Params()
	if s.Weights, err = model.ReadWeights(f, append(params, s.Model.Buffers()...)); err != nil {
		return nil, err
	}
	if s.M, err = model.ReadPrefixed(f, "adam.m.", params); err != nil {
		return nil, err
	}
	if s.V, err = model.ReadPrefixed(f, "adam.v.", params); err != nil {
		return nil, err
	}
	for _, t := range f.Tensors {
		if name, ok := strings.CutPrefix(t.Name, "state."); ok {
			if s.Extra[name], _, err = f.F32(t.Name); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}
