// Package prior trains the prior over a speech model's units: the gorgonia graph,
// random crops from a seed, checkpoints, resume. Its optimiser is that of speech
// (model/train), its loop is internal/training's.
//
// A run folder holds config.json, the log of internal/training (losses of steps
// and evaluations), latest.safetensors and best.safetensors (checkpoints) and
// prior.safetensors (the finished prior, float16). The same seed gives the same
// checkpoint bytes whatever the number of threads, and a run that was stopped or
// killed and resumed ends in the same bytes as one that was not.
package prior

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"vqspeech/internal/training"
	"vqspeech/model/checkpoint"
	"vqspeech/model/train"
	"vqspeech/model/unitprior"
)

// File is the finished prior in a run folder.
const File = "prior.safetensors"

// Random streams of one run (training.Random).
const (
	streamInit = iota
	streamCrop
)

// Options describe a run. Sets are the units of utterances.
type Options struct {
	Prior unitprior.Config
	Train Config

	Training [][]uint16
	Holdout  [][]uint16 // the best checkpoint is the one that predicts this best; may be empty: the last one
	Valid    [][]uint16 // reported only; may be empty
	Data     string     // names the utterances and their parts; a run resumes only on the same

	Dir      string
	Resume   bool
	Metadata map[string]string // further metadata of the finished prior
	Progress func(Progress)    // called after every step; may be nil
}

// Progress is the state of a run after a step.
type Progress struct {
	Step, MaxSteps int
	Nats           float64               // of a symbol of the step's crops
	Holdout, Valid *unitprior.Evaluation // after an evaluation
}

// Run trains until MaxSteps or until ctx ends; then it saves and returns ctx.Err().
// It returns the evaluation of the finished prior on the valid set, nil if there is
// none.
func Run(ctx context.Context, o Options) (*unitprior.Evaluation, error) {
	if err := errors.Join(o.Prior.Validate(), o.Train.Validate()); err != nil {
		return nil, err
	}
	for _, set := range [][][]uint16{o.Training, o.Holdout, o.Valid} {
		for _, u := range set {
			if err := o.Prior.Check(u); err != nil {
				return nil, err
			}
		}
	}
	r, err := newRun(o)
	if err != nil {
		return nil, err
	}
	defer r.net.machine.Close()
	c := o.Train
	err = training.Loop(ctx, training.Options{
		MaxSteps: c.MaxSteps, LogEvery: c.LogEvery, EvalEvery: c.EvalEvery, CheckpointEvery: c.CheckpointEvery,
		Dir: o.Dir, Config: o.config(), Progress: r.progress,
	}, r)
	return r.result, err
}

// run is one training run in progress, a training.Trainable.
type run struct {
	o      Options
	state  *checkpoint.Run[unitprior.Config]
	net    *network
	solver *train.Adam
	stream stream

	nats                   float64 // of the last step
	holdout, valid, result *unitprior.Evaluation
}

func newRun(o Options) (*run, error) {
	c := o.Train
	r := &run{o: o, stream: newStream(o.Prior, o.Training)}
	if len(r.stream) <= c.CropUnits {
		return nil, fmt.Errorf("prior: %d symbols in %d training utterances, want more than the %d of a crop (train.crop_units)",
			len(r.stream), len(o.Training), c.CropUnits)
	}
	var err error
	free := []string{"max_steps", "log_every", "checkpoint_every"}
	if r.state, err = checkpoint.Start(o.Dir, o.Data, o.Resume, o.Prior, c, free, training.Random(c.Seed, streamInit, 0)); err != nil {
		return nil, err
	}
	r.solver = &train.Adam{LearningRate: c.LearningRate, ClipNorm: c.ClipNorm, Steps: r.state.Step}
	for _, p := range o.Prior.Params() {
		r.solver.M, r.solver.V = append(r.solver.M, r.state.M[p.Name]), append(r.solver.V, r.state.V[p.Name])
	}
	r.net, err = newNetwork(o.Prior, c.BatchSize, c.CropUnits, r.state.Weights)
	return r, err
}

// progress tells the caller what the last step has done.
func (r *run) progress(evaluated bool) {
	if r.o.Progress == nil {
		return
	}
	p := Progress{Step: r.state.Step, MaxSteps: r.o.Train.MaxSteps, Nats: r.nats}
	if evaluated {
		p.Holdout, p.Valid = r.holdout, r.valid
	}
	r.o.Progress(p)
}

// Steps is the number of steps done so far.
func (r *run) Steps() int { return r.state.Step }

// Step runs one optimiser step.
func (r *run) Step() error {
	step := r.state.Step
	r.net.fill(r.stream, r.o.Train.CropUnits, training.Random(r.o.Train.Seed, streamCrop, step).IntN)
	if err := r.net.machine.Step(r.solver); err != nil {
		return fmt.Errorf("prior: step %d: %w", step, err)
	}
	r.nats = r.net.nats()
	r.state.Step++
	return nil
}

// Losses is the record of the last step.
func (r *run) Losses() any {
	return struct {
		Step     int     `json:"step"`
		Nats     float64 `json:"nats_per_symbol"`
		GradNorm float64 `json:"grad_norm"`
	}{r.state.Step, r.nats, r.solver.GradNorm}
}

// record is one line of an evaluation.
type record struct {
	Step    int                   `json:"step"`
	Holdout *unitprior.Evaluation `json:"holdout,omitempty"`
	Valid   *unitprior.Evaluation `json:"valid,omitempty"`
}

// Evaluate measures the held-out utterances and the valid set.
func (r *run) Evaluate() (_ any, best bool, err error) {
	if len(r.o.Holdout) == 0 && len(r.o.Valid) == 0 {
		return nil, false, nil
	}
	m, err := unitprior.New(r.o.Prior, r.state.Weights)
	if err != nil {
		return nil, false, err
	}
	if r.holdout, err = measure(m, r.o.Holdout); err != nil {
		return nil, false, err
	}
	if r.valid, err = measure(m, r.o.Valid); err != nil {
		return nil, false, err
	}
	best = r.holdout != nil && r.state.Better(r.holdout.Nats)
	return record{r.state.Step, r.holdout, r.valid}, best, nil
}

// measure is m.Evaluate, nil for a set that is empty.
func measure(m *unitprior.Model, set [][]uint16) (*unitprior.Evaluation, error) {
	if len(set) == 0 {
		return nil, nil
	}
	e, err := m.Evaluate(set)
	return &e, err
}

// Save writes a checkpoint.
func (r *run) Save(path string) error { return checkpoint.Save(path, r.state) }

// Finish writes the finished prior from the best checkpoint, or from the last one
// where nothing is held out, and measures the valid set with it.
func (r *run) Finish() error {
	from, err := r.state.Result(r.o.Dir, len(r.o.Holdout) > 0)
	if err != nil {
		return err
	}
	path := filepath.Join(r.o.Dir, File)
	if err := checkpoint.SaveFinished(path, from.Model, from.Weights, r.state.ResultMetadata(from, r.o.Metadata)); err != nil {
		return err
	}
	m, err := unitprior.Load(path)
	if err != nil {
		return err
	}
	r.result, err = measure(m, r.o.Valid)
	return err
}

// config is what the run was given, for config.json.
func (o Options) config() any {
	return struct {
		Prior    unitprior.Config
		Train    Config
		Training int               `json:"training_utterances"`
		Holdout  int               `json:"holdout_utterances"`
		Valid    int               `json:"valid_utterances"`
		Data     string            `json:"data,omitempty"`
		Metadata map[string]string `json:"metadata,omitempty"`
	}{o.Prior, o.Train, len(o.Training), len(o.Holdout), len(o.Valid), o.Data, o.Metadata}
}
