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
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"vqspeech/internal/safetensors"
	"vqspeech/internal/training"
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

// TrainKey is the metadata key under which a checkpoint keeps the training
// configuration as JSON.
const TrainKey = "vqspeech.train"

// StepKey is the metadata key under which a file has the number of optimiser steps
// that made it.
const StepKey = "vqspeech.step"

const bestKey = "vqspeech.best"

// Prefixes of the names of a parameter's moments.
const (
	mPrefix = "adam.m."
	vPrefix = "adam.v."
)

// Save writes s atomically.
func Save[C Config](path string, s *Run[C]) error {
	params := s.Model.Params()
	tensors := model.FileTensors(s.Weights, append(params, s.Model.Buffers()...), safetensors.F32)
	tensors = append(tensors, Moments(s.M, s.V, params)...)
	for name, x := range s.Extra {
		tensors = append(tensors, safetensors.Tensor{Name: "state." + name, Shape: []int{len(x)}, DType: safetensors.F32, Data: x})
	}
	cfg, err := json.Marshal(s.Model)
	if err != nil {
		return err
	}
	meta := Metadata(s.Step, map[string]string{
		s.Model.MetadataKey(): string(cfg), TrainKey: string(s.Train), bestKey: strconv.FormatFloat(s.Best, 'g', -1, 64),
	})
	return safetensors.Save(path, meta, tensors)
}

// Metadata returns that of a file made after so many optimiser steps, with more
// beside the step.
func Metadata(step int, more map[string]string) map[string]string {
	meta := map[string]string{StepKey: strconv.Itoa(step)}
	maps.Copy(meta, more)
	return meta
}

// RecipeKey is the metadata key under which the result of a run has its recipe.
const RecipeKey = "vqspeech.recipe"

// RunStepsKey is the metadata key under which the result of a run has the number of
// steps of the whole run: its step is that of the best checkpoint.
const RunStepsKey = "vqspeech.run_steps"

// ResultMetadata returns that of the result of a run in state s, made of the
// checkpoint from, with more beside the steps.
func (s *Run[C]) ResultMetadata(from *Run[C], more map[string]string) map[string]string {
	meta := Metadata(from.Step, more)
	meta[RunStepsKey] = strconv.Itoa(s.Step)
	return meta
}

// Better takes a score, of which lower is better, and reports whether it is the
// best so far.
func (s *Run[C]) Better(score float64) bool {
	if score < s.Best {
		s.Best = score
		return true
	}
	return false
}

// Result returns the state that the result of a run in dir is made of: the best
// checkpoint where one was chosen, else the last state.
func (s *Run[C]) Result(dir string, chosen bool) (*Run[C], error) {
	if !chosen {
		return s, nil
	}
	path := filepath.Join(dir, training.BestFile)
	from, err := LoadRun[C](path)
	if err == nil && (from.Best != s.Best || from.Step > s.Step) {
		err = fmt.Errorf("%s: of step %d with the score %.4g, want that of the best of %d steps, %.4g: begin the run anew", path, from.Step, from.Best, s.Step, s.Best)
	}
	return from, err
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
	return writeModel(path, cfg, model.HalfTensors(w, append(cfg.Params(), cfg.Buffers()...)), metadata)
}

// SaveExact writes a model without training state, all of it, as float32: it
// gives the same results to the bit.
func SaveExact(path string, cfg model.Config, w model.Weights, metadata map[string]string) error {
	return writeModel(path, cfg, model.FileTensors(w, append(cfg.Params(), cfg.Buffers()...), safetensors.F32), metadata)
}

func writeModel[C Config](path string, cfg C, tensors []safetensors.Tensor, metadata map[string]string) error {
	text, err := json.Marshal(cfg)
	if err != nil {
		return err
	}
	meta := map[string]string{cfg.MetadataKey(): string(text)}
	maps.Copy(meta, metadata)
	if written(path, meta, tensors) {
		return nil
	}
	return safetensors.Save(path, meta, tensors)
}

// written reports whether the file at path has these tensors and this metadata but
// for the recipe. It stays as it is then: units and priors know a model by its
// bytes, and a finished run may be finished again with a recipe that, say, logs
// more often.
func written(path string, meta map[string]string, tensors []safetensors.Tensor) bool {
	type file struct {
		meta map[string]string
		sum  [sha256.Size]byte
	}
	old, err := safetensors.Load(path, func(f *safetensors.File) (file, error) {
		sum, err := f.SHA256()
		return file{f.Metadata, sum}, err
	})
	if err != nil {
		return false
	}
	meta = maps.Clone(meta)
	meta[RecipeKey] = old.meta[RecipeKey]
	h := sha256.New()
	return maps.Equal(meta, old.meta) && safetensors.Write(h, meta, tensors) == nil && [sha256.Size]byte(h.Sum(nil)) == old.sum
}

// Load reads a checkpoint of a speech model.
func Load(path string) (*State, error) { return LoadRun[model.Config](path) }

// LoadRun reads a checkpoint.
func LoadRun[C Config](path string) (*Run[C], error) {
	return safetensors.Load(path, Read[C])
}

// ReadProgress returns the training configuration and the number of steps that a
// checkpoint of any kind has in its metadata.
func ReadProgress(f *safetensors.File) (train json.RawMessage, step int, err error) {
	text, ok := f.Metadata[TrainKey]
	if !ok {
		return nil, 0, fmt.Errorf("checkpoint: a model without training state: metadata has no %q", TrainKey)
	}
	if step, err = strconv.Atoi(f.Metadata[StepKey]); err != nil || step < 0 {
		return nil, 0, fmt.Errorf("checkpoint: metadata %q is %q, want a number of steps", StepKey, f.Metadata[StepKey])
	}
	return json.RawMessage(text), step, nil
}

// ReadMoments returns Adam's moments of params.
func ReadMoments(f *safetensors.File, params []model.Param) (m, v model.Weights, err error) {
	if m, err = model.ReadPrefixed(f, mPrefix, params); err != nil {
		return nil, nil, err
	}
	v, err = model.ReadPrefixed(f, vPrefix, params)
	return m, v, err
}

// Moments returns the tensors of Adam's moments for a file.
func Moments(m, v model.Weights, params []model.Param) []safetensors.Tensor {
	return append(model.PrefixedTensors(mPrefix, m, params), model.PrefixedTensors(vPrefix, v, params)...)
}

// Read reads a checkpoint.
func Read[C Config](f *safetensors.File) (s *Run[C], err error) {
	s = &Run[C]{Extra: map[string][]float32{}}
	if s.Model, err = model.ReadConfig[C](f); err != nil {
		return nil, err
	}
	if s.Train, s.Step, err = ReadProgress(f); err != nil {
		return nil, err
	}
	if s.Best, err = strconv.ParseFloat(f.Metadata[bestKey], 64); err != nil || math.IsNaN(s.Best) {
		return nil, fmt.Errorf("checkpoint: metadata %q is %q, want a score", bestKey, f.Metadata[bestKey])
	}
	params := s.Model.Params()
	if s.Weights, err = model.ReadWeights(f, append(params, s.Model.Buffers()...)); err != nil {
		return nil, err
	}
	if s.M, s.V, err = ReadMoments(f, params); err != nil {
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
