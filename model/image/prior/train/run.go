// Package train trains the prior over an image model's codes: the gorgonia
// graph, shuffled epochs from a seed, checkpoints, resume. Its optimiser is that
// of speech (model/train), its loop is internal/training's.
//
// A run folder holds config.json, the log of internal/training (losses of steps
// and an evaluation of every epoch), latest.safetensors and best.safetensors
// (checkpoints), prior.safetensors (the finished prior, float16) and test.json
// (its evaluation on the test set). The same seed gives the same checkpoint bytes
// whatever the number of threads, and a run that was stopped or killed and
// resumed ends in the same bytes as one that was not.
package train

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"vqspeech/internal/atomicfile"
	"vqspeech/internal/training"
	"vqspeech/model/checkpoint"
	"vqspeech/model/image/prior"
	"vqspeech/model/train"
)

// Names of files in a run folder, besides those of model/train.
const (
	PriorFile = "prior.safetensors"
	TestFile  = "test.json"
)

// Random streams of one run (training.Random).
const (
	streamInit = iota
	streamShuffle
)

// Options describe a run.
type Options struct {
	Prior prior.Config
	Train Config

	Training prior.Set
	Valid    prior.Set // the best checkpoint is the one that predicts this best; may have no grids: the last one
	Test     prior.Set // measured once, with the finished prior; may have no grids
	Data     string    // names the images and their parts; a run resumes only on the same

	Dir      string
	Resume   bool
	Metadata map[string]string // further metadata of the finished prior
	Progress func(Progress)    // called after every step; may be nil
}

// Progress is the state of a run after a step.
type Progress struct {
	Step, MaxSteps int
	Batch          prior.Evaluation  // of the step
	Valid          *prior.Evaluation // after an evaluation
}

// Run trains until the last epoch or until ctx ends; then it saves and returns
// ctx.Err(). It returns the evaluation of the finished prior on the test set, nil
// if there is none.
func Run(ctx context.Context, o Options) (*prior.Evaluation, error) {
	if err := errors.Join(o.Prior.Validate(), o.Train.Validate()); err != nil {
		return nil, err
	}
	if o.Training.N == 0 {
		return nil, errors.New("train: no training grids")
	}
	for _, set := range []prior.Set{o.Training, o.Valid, o.Test} {
		if set.N > 0 {
			if err := set.Check(o.Prior); err != nil {
				return nil, err
			}
		}
	}
	r, err := newRun(o)
	if err != nil {
		return nil, err
	}
	defer r.graphs.Close()
	err = training.Loop(ctx, training.Options{
		MaxSteps: o.MaxSteps(), LogEvery: o.Train.LogEvery, EvalEvery: r.epochs.Steps(), CheckpointEvery: o.Train.CheckpointEvery,
		Dir: o.Dir, Config: o.config(), Progress: r.progress,
	}, r)
	return r.test, err
}

// MaxSteps is the number of optimiser steps of the whole run.
func (o Options) MaxSteps() int {
	c := o.Train
	return training.MaxSteps(c.Epochs, training.StepsPerEpoch(o.Training.N, c.BatchSize), c.MaxSteps)
}

// run is one training run in progress, a training.Trainable.
type run struct {
	o      Options
	state  *checkpoint.Run[prior.Config]
	graphs train.Graphs[*network]
	solver *train.Adam
	epochs *training.Epochs

	batch      prior.Evaluation // of the last step
	last, test *prior.Evaluation
}

func newRun(o Options) (*run, error) {
	c := o.Train
	r := &run{o: o, epochs: training.NewEpochs(o.Training.N, c.BatchSize, c.Seed, streamShuffle)}
	var err error
	free := []string{"epochs", "max_steps", "log_every", "checkpoint_every"}
	rng := training.Random(c.Seed, streamInit, 0)
	if r.state, err = checkpoint.Start(o.Dir, o.Data, o.Resume, o.Prior, c, free, rng); err != nil {
		return nil, err
	}
	r.solver = &train.Adam{LearningRate: c.LearningRate, ClipNorm: math.Inf(1), Steps: r.state.Step}
	for _, p := range o.Prior.Params() {
		r.solver.M, r.solver.V = append(r.solver.M, r.state.M[p.Name]), append(r.solver.V, r.state.V[p.Name])
	}
	r.graphs.Build = func(batch int) (*network, error) { return newNetwork(o.Prior, batch, r.state.Weights) }
	_, err = r.graphs.For(min(c.BatchSize, o.Training.N))
	return r, err
}

// progress tells the caller what the last step has done.
func (r *run) progress(evaluated bool) {
	if r.o.Progress == nil {
		return
	}
	p := Progress{Step: r.state.Step, MaxSteps: r.o.MaxSteps(), Batch: r.batch}
	if evaluated {
		p.Valid = r.last
	}
	r.o.Progress(p)
}

// Steps is the number of steps done so far.
func (r *run) Steps() int { return r.state.Step }

// Step runs one optimiser step.
func (r *run) Step() error {
	step := r.state.Step
	grids := r.epochs.Items(step)
	n, err := r.graphs.For(len(grids))
	if err != nil {
		return err
	}
	n.in.fill(r.o.Training, grids)
	if err := n.machine.Step(r.solver); err != nil {
		return fmt.Errorf("train: step %d: %w", step, err)
	}
	r.batch = prior.NewEvaluation(n.nats())
	r.state.Step++
	return nil
}

// Losses is the record of the last step.
func (r *run) Losses() any {
	return struct {
		Step int `json:"step"`
		prior.Evaluation
		GradNorm float64 `json:"grad_norm"`
	}{r.state.Step, r.batch, r.solver.GradNorm}
}

// Evaluate measures the valid set.
func (r *run) Evaluate() (_ any, best bool, err error) {
	if r.o.Valid.N == 0 {
		return nil, false, nil
	}
	m, err := prior.New(r.o.Prior, r.state.Weights)
	if err != nil {
		return nil, false, err
	}
	e, err := m.Evaluate(r.o.Valid)
	if err != nil {
		return nil, false, err
	}
	r.last = &e
	record := map[string]any{"step": r.state.Step, "epoch": r.state.Step / r.epochs.Steps(), "valid": e}
	return record, r.state.Better(e.Nats), nil
}

// Save writes a checkpoint.
func (r *run) Save(path string) error { return checkpoint.Save(path, r.state) }

// Finish writes the finished prior from the best checkpoint, or from the last
// one where there is no valid set, and measures the test set with it.
func (r *run) Finish() error {
	from, err := r.state.Result(r.o.Dir, r.o.Valid.N > 0)
	if err != nil {
		return err
	}
	// The evaluation of a shorter run must not be taken for that of the new prior.
	tested := filepath.Join(r.o.Dir, TestFile)
	if err := os.Remove(tested); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	path := filepath.Join(r.o.Dir, PriorFile)
	if err := checkpoint.SaveFinished(path, from.Model, from.Weights, r.state.ResultMetadata(from, r.o.Metadata)); err != nil {
		return err
	}
	if r.o.Test.N == 0 {
		return nil
	}
	m, err := prior.Load(path)
	if err != nil {
		return err
	}
	e, err := m.Evaluate(r.o.Test)
	if err != nil {
		return err
	}
	r.test = &e
	return atomicfile.WriteJSON(tested, e)
}

// config is what the run was given, for config.json.
func (o Options) config() any {
	return struct {
		Prior    prior.Config
		Train    Config
		Training int    `json:"training_grids"`
		Valid    int    `json:"valid_grids"`
		Test     int    `json:"test_grids"`
		Data     string `json:"data,omitempty"`
	}{o.Prior, o.Train, o.Training.N, o.Valid.N, o.Test.N, o.Data}
}
