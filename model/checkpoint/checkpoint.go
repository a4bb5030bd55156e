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
	"fmt"
	"os"
	"strconv"
	"strings"

	"vqspeech/internal/atomicfile"
	"vqspeech/internal/safetensors"
	"vqspeech/model"
)

// State is everything that a run needs to go on as if it had not stopped.
type State struct {
	Model   model.Config
	Train   json.RawMessage      // the training configuration
	Step    int                  // optimiser steps done
	Best    float64              // lowest score so far, +Inf before the first
	Weights model.Weights        // parameters and buffers, memory layout
	M, V    model.Weights        // Adam's moments of the parameters, memory layout
	Extra   map[string][]float32 // further state, flat
}

const (
	trainKey = "vqspeech.train"
	stepKey  = "vqspeech.step"
	bestKey  = "vqspeech.best"
)

// Save writes s atomically.
func Save(path string, s *State) error {
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
	return write(path, map[string]string{
		model.ConfigKey: string(cfg), trainKey: string(s.Train), stepKey: strconv.Itoa(s.Step),
		bestKey: strconv.FormatFloat(s.Best, 'g', -1, 64),
	}, tensors)
}

// SaveModel writes a model without training state: float16 tensors, only the
// speakers in keep (in that order).
func SaveModel(path string, cfg model.Config, w model.Weights, keep []string, metadata map[string]string) error {
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
	text, err := json.Marshal(cfg)
	if err != nil {
		return err
	}
	meta := map[string]string{model.ConfigKey: string(text)}
	for k, v := range metadata {
		meta[k] = v
	}
	return write(path, meta, model.FileTensors(kept, append(cfg.Params(), cfg.Buffers()...), safetensors.F16))
}

func write(path string, metadata map[string]string, tensors []safetensors.Tensor) error {
	f, err := atomicfile.Create(path)
	if err != nil {
		return err
	}
	defer f.Abort()
	if err := safetensors.Write(f, metadata, tensors); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return f.Commit()
}

// Load reads a checkpoint.
func Load(path string) (*State, error) {
	s, err := load(path)
	if err != nil && !strings.HasPrefix(err.Error(), "open ") {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, err
}

func load(path string) (*State, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	f, err := safetensors.Read(file, info.Size())
	if err != nil {
		return nil, err
	}
	s := &State{Extra: map[string][]float32{}, M: model.Weights{}, V: model.Weights{}}
	if s.Model, err = model.ReadConfig(f); err != nil {
		return nil, err
	}
	train, ok := f.Metadata[trainKey]
	if !ok {
		return nil, fmt.Errorf("checkpoint: a model without training state: metadata has no %q", trainKey)
	}
	s.Train = json.RawMessage(train)
	if s.Step, err = strconv.Atoi(f.Metadata[stepKey]); err != nil {
		return nil, fmt.Errorf("checkpoint: metadata %q: %w", stepKey, err)
	}
	if s.Best, err = strconv.ParseFloat(f.Metadata[bestKey], 64); err != nil {
		return nil, fmt.Errorf("checkpoint: metadata %q: %w", bestKey, err)
	}
	params := s.Model.Params()
	if s.Weights, err = model.ReadWeights(f, append(params, s.Model.Buffers()...)); err != nil {
		return nil, err
	}
	for _, p := range params {
		for _, moment := range []struct {
			prefix string
			w      model.Weights
		}{{"adam.m.", s.M}, {"adam.v.", s.V}} {
			x, _, err := f.F32(moment.prefix + p.Name)
			if err != nil {
				return nil, err
			}
			if len(x) != p.Size() {
				return nil, fmt.Errorf("checkpoint: tensor %s%s has %d elements, want %d", moment.prefix, p.Name, len(x), p.Size())
			}
			moment.w[p.Name] = p.FromFile(x)
		}
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
