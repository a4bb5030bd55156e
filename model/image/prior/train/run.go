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
	"math"
	"path/filepath"
	"strconv"

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
	defer r.close()
	if err := r.writeConfig(); err != nil {
		return nil, err
	}
	if r.log, err = training.OpenLog(o.Dir, r.state.Step); err != nil {
		return nil, err
	}
	err = training.Loop(ctx, training.Options{
		MaxSteps: r.maxSteps, LogEvery: o.Train.LogEvery, EvalEvery: r.epochs.Steps(), CheckpointEvery: o.Train.CheckpointEvery,
		Log: r.log, Progress: r.progress,
	}, r)
	return r.test, err
}

// run is one training run in progress, a training.Trainable.
type run struct {
	o        Options
	maxSteps int
	state    *checkpoint.Run[prior.Config]
	graphs   map[int]*network // by batch size: the last batch of an epoch may be smaller
	solver   *train.Adam
	epochs   *training.Epochs
	log      *training.Log

	batch      prior.Evaluation // of the last step
	last, test *prior.Evaluation
}

func newRun(o Options) (*run, error) {
	c := o.Train
	r := &run{o: o, graphs: map[int]*network{}, epochs: training.NewEpochs(o.Training.N, c.BatchSize, c.Seed, streamShuffle)}
	r.maxSteps = c.Epochs * r.epochs.Steps()
	if c.MaxSteps > 0 {
		r.maxSteps = min(r.maxSteps, c.MaxSteps)
	}
	var err error
	free := []string{"epochs", "max_steps", "log_every", "checkpoint_every"}
	rng := training.Random(c.Seed, streamInit, 0)
	if r.state, err = checkpoint.Start(filepath.Join(o.Dir, train.LatestFile), o.Resume, o.Prior, c, free, rng); err != nil {
		return nil, err
	}
	r.solver = &train.Adam{LearningRate: c.LearningRate, ClipNorm: math.Inf(1), Steps: r.state.Step}
	for _, p := range o.Prior.Params() {
		r.solver.M, r.solver.V = append(r.solver.M, r.state.M[p.Name]), append(r.solver.V, r.state.V[p.Name])
	}
	_, err = r.graph(min(c.BatchSize, o.Training.N))
	return r, err
}

// graph returns the graph for a batch size.
func (r *run) graph(batch int) (*network, error) {
	if n := r.graphs[batch]; n != nil {
		return n, nil
	}
	n, err := newNetwork(r.o.Prior, batch, r.state.Weights)
	if err == nil {
		r.graphs[batch] = n
	}
	return n, err
}

// progress tells the caller what the last step has done.
func (r *run) progress(evaluated bool) {
	if r.o.Progress == nil {
		return
	}
	p := Progress{Step: r.state.Step, MaxSteps: r.maxSteps, Batch: r.batch}
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
	n, err := r.graph(len(grids))
	if err != nil {
		return err
	}
	n.in.fill(r.o.Training, grids)
	if err := n.machine.RunAll(); err != nil {
		return fmt.Errorf("train: step %d: %w", step, err)
	}
	if r.batch = prior.NewEvaluation(n.nats()); math.IsNaN(r.batch.Nats) || math.IsInf(r.batch.Nats, 0) {
		return fmt.Errorf("train: step %d: the loss is %g", step, r.batch.Nats)
	}
	if err := r.solver.Step(n.trained); err != nil {
		return err
	}
	n.machine.Reset()
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

// Evaluate measures the valid set and keeps the best checkpoint.
func (r *run) Evaluate() (any, error) {
	if r.o.Valid.N == 0 {
		return nil, nil
	}
	m, err := prior.New(r.o.Prior, r.state.Weights)
	if err != nil {
		return nil, err
	}
	e, err := m.Evaluate(r.o.Valid)
	if err != nil {
		return nil, err
	}
	r.last = &e
	if e.Nats < r.state.Best {
		r.state.Best = e.Nats
		if err := r.saveAs(train.BestFile); err != nil {
			return nil, err
		}
	}
	return map[string]any{"step": r.state.Step, "epoch": r.state.Step / r.epochs.Steps(), "valid": e}, nil
}

// Save writes the latest checkpoint.
func (r *run) Save() error { return r.saveAs(train.LatestFile) }

func (r *run) saveAs(name string) error {
	return checkpoint.Save(filepath.Join(r.o.Dir, name), r.state)
}

// Finish writes the finished prior from the best checkpoint, or from the last
// one where there is no valid set, and measures the test set with it.
func (r *run) Finish() error {
	from := r.state
	if r.o.Valid.N > 0 {
		best, err := checkpoint.LoadRun[prior.Config](filepath.Join(r.o.Dir, train.BestFile))
		if err != nil {
			return err
		}
		from = best
	}
	meta := map[string]string{"vqspeech.step": strconv.Itoa(from.Step)}
	for k, v := range r.o.Metadata {
		meta[k] = v
	}
	path := filepath.Join(r.o.Dir, PriorFile)
	if err := checkpoint.SaveFinished(path, from.Model, from.Weights, meta); err != nil {
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
	return atomicfile.WriteJSON(filepath.Join(r.o.Dir, TestFile), e)
}

// writeConfig records what the run was given.
func (r *run) writeConfig() error {
	return atomicfile.WriteJSON(filepath.Join(r.o.Dir, train.ConfigFile), struct {
		Prior    prior.Config
		Train    Config
		Training int `json:"training_grids"`
		Valid    int `json:"valid_grids"`
		Test     int `json:"test_grids"`
	}{r.o.Prior, r.o.Train, r.o.Training.N, r.o.Valid.N, r.o.Test.N})
}

func (r *run) close() {
	for _, n := range r.graphs {
		n.machine.Close()
	}
	if r.log != nil {
		r.log.Close()
	}
}
