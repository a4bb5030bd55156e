// Package train trains image models: shuffled epochs from a seed, the gorgonia
// graph, checkpoints, resume. Its optimiser and what it does to codebooks are
// those of speech (model/train), its loop is internal/training's.
//
// A run folder holds config.json, the log of internal/training (losses of steps
// and an evaluation of every epoch), latest.safetensors and best.safetensors
// (checkpoints), model.safetensors (the finished model, float16), test.json (its
// evaluation on the test set) and reconstructions.png (images and what the best
// model so far makes of them). The same seed gives the same checkpoint bytes
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
	"vqspeech/model/image"
	"vqspeech/model/train"
)

// TestFile is the evaluation of the finished model on the test set, in a run
// folder.
const TestFile = "test.json"

// Options describe a run.
type Options struct {
	Model image.Config
	Train Config

	Training image.Set
	Valid    image.Set // the best checkpoint is the one with the lowest loss here; may have no images: the last one
	Test     image.Set // measured once, with the finished model; may have no images
	Data     string    // names the images and their parts; a run resumes only on the same

	Dir      string
	Resume   bool
	Metadata map[string]string // further metadata of the finished model
	Progress func(Progress)    // called after every step; may be nil
}

// Progress is the state of a run after a step.
type Progress struct {
	Step, MaxSteps int
	Losses         image.Losses
	Valid          *image.Evaluation // after an evaluation
}

// Run trains until the last epoch or until ctx ends; then it saves and returns
// ctx.Err(). It returns the evaluation of the finished model on the test set, nil
// if there is none.
func Run(ctx context.Context, o Options) (*image.Evaluation, error) {
	if err := errors.Join(o.Model.Validate(), o.Train.Validate()); err != nil {
		return nil, err
	}
	if o.Training.N == 0 {
		return nil, errors.New("train: no training images")
	}
	for _, set := range []image.Set{o.Training, o.Valid, o.Test} {
		if set.N > 0 {
			if err := set.Check(o.Model); err != nil {
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
		MaxSteps: o.MaxSteps(), LogEvery: o.Train.LogEvery, EvalEvery: r.sampler.steps(), CheckpointEvery: o.Train.CheckpointEvery,
		Dir: o.Dir, Config: o.config(), Untrained: r.untrained, Progress: r.progress,
	}, r)
	return r.test, err
}

// MaxSteps is the number of optimiser steps of the whole run.
func (o Options) MaxSteps() int { return o.config().MaxSteps() }

// untrained is the evaluation that curves relative to their start need.
func (r *run) untrained() (any, error) {
	_, e, err := r.evaluate()
	if e == nil {
		return nil, err
	}
	return r.validRecord(*e), nil
}

// evaluate measures the valid set, if there is one, with the current weights.
func (r *run) evaluate() (*image.Model, *image.Evaluation, error) {
	if r.o.Valid.N == 0 {
		return nil, nil, nil
	}
	m, err := image.New(r.o.Model, r.state.Weights)
	if err != nil {
		return nil, nil, err
	}
	e, err := m.Evaluate(r.o.Valid)
	if err != nil {
		return nil, nil, err
	}
	return m, &e, nil
}

// validRecord is one line of an evaluation.
func (r *run) validRecord(e image.Evaluation) any {
	return map[string]any{"step": r.state.Step, "epoch": r.state.Step / r.sampler.steps(), "valid": e}
}

// run is one training run in progress, a training.Trainable.
type run struct {
	o        Options
	state    *checkpoint.Run[image.Config]
	graphs   train.Graphs[*autoencoder]
	solver   *train.Adam
	plateau  train.Plateau
	codebook *train.Codebook // nil for vae
	sampler  *sampler

	losses      image.Losses // of the last step
	temperature float64      // of the last step
	last, test  *image.Evaluation
}

func newRun(o Options) (*run, error) {
	r := &run{o: o, sampler: newSampler(o.Training, o.Train)}
	var err error
	free := []string{"epochs", "max_steps", "log_every", "checkpoint_every"}
	rng := training.Random(o.Train.Seed, streamInit, 0)
	if r.state, err = checkpoint.Start(o.Dir, o.Data, o.Resume, o.Model, o.Train, free, rng); err != nil {
		return nil, err
	}
	r.solver = &train.Adam{ClipNorm: math.Inf(1), Steps: r.state.Step}
	for _, p := range o.Model.Params() {
		if o.Model.Trained(p.Name) {
			r.solver.M, r.solver.V = append(r.solver.M, r.state.M[p.Name]), append(r.solver.V, r.state.V[p.Name])
		}
	}
	if r.plateau, err = plateauOf(o.Train, r.state.Extra); err != nil {
		return nil, err
	}
	if o.Model.Codes() {
		vectors := r.state.Weights["quantizer.codebook"]
		if r.codebook, err = train.NewCodebook(o.Model.Quantizer.QuantizerConfig, o.Model.Dim(), vectors, r.state.Extra, r.state.Step); err != nil {
			return nil, err
		}
	}
	r.graphs.Build = func(batch int) (*autoencoder, error) {
		a, err := newAutoencoder(o.Model, batch, r.state.Weights)
		if err != nil {
			return nil, err
		}
		_, err = a.compile()
		return a, err
	}
	_, err = r.graphs.For(min(o.Train.BatchSize, o.Training.N))
	return r, err
}

// progress tells the caller what the last step has done.
func (r *run) progress(evaluated bool) {
	if r.o.Progress == nil {
		return
	}
	p := Progress{Step: r.state.Step, MaxSteps: r.o.MaxSteps(), Losses: r.losses}
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
	a, err := r.graphs.For(len(r.sampler.images(step)))
	if err != nil {
		return err
	}
	r.sampler.fill(&a.in, step)
	if a.in.tau != nil {
		r.temperature = r.o.Model.Quantizer.TemperatureAfter(step)
		a.in.tau[0] = float32(r.temperature)
	}
	r.solver.LearningRate = r.plateau.Rate(r.o.Train.LearningRate)
	if err := a.machine.Step(r.solver); err != nil {
		return fmt.Errorf("train: step %d: %w", step, err)
	}
	r.losses = a.losses()
	if codes, latents := a.codes(); codes != nil {
		r.codebook.Update(latents, codes, training.Random(r.o.Train.Seed, streamReset, step))
	}
	r.state.Step++
	return nil
}

// stepRecord is one line of losses.
type stepRecord struct {
	Step int `json:"step"`
	image.Losses
	GradNorm      float64 `json:"grad_norm"`
	LearningRate  float64 `json:"learning_rate"`
	Temperature   float64 `json:"sq/temperature,omitempty"`
	Scalar        float64 `json:"sq/log_scalar,omitempty"`    // s of the variance or of kappa
	DecoderScalar float64 `json:"recon/log_scalar,omitempty"` // log variance or log 1/kappa of the decoder
}

// Losses is the record of the last step.
func (r *run) Losses() any {
	rec := stepRecord{
		Step: r.state.Step, Losses: r.losses, GradNorm: r.solver.GradNorm, LearningRate: r.solver.LearningRate, Temperature: r.temperature,
	}
	first := func(names ...string) float64 {
		for _, name := range names {
			if x, ok := r.state.Weights[name]; ok {
				return float64(x[0])
			}
		}
		return 0
	}
	rec.Scalar = first("quantizer.log_var_scalar", "quantizer.log_kappa")
	rec.DecoderScalar = first("decoder.log_var", "decoder.log_kappa_inv")
	return rec
}

// Evaluate measures the valid set, draws what the best weights make of it, and
// follows the schedule of the learning rate.
func (r *run) Evaluate() (_ any, best bool, err error) {
	m, e, err := r.evaluate()
	if e == nil {
		return nil, false, err
	}
	r.last = e
	// Rounded, so that a checkpoint holds it exactly.
	r.plateau.Add(float64(float32(e.Loss)), r.o.Train.LearningRate)
	if best = r.state.Better(e.Loss); best {
		err = r.o.draw(m)
	}
	return r.validRecord(*e), best, err
}

// Save writes a checkpoint.
func (r *run) Save(path string) error {
	if r.codebook != nil {
		r.codebook.Store(r.state.Extra)
	}
	storePlateau(r.plateau, r.state.Extra)
	return checkpoint.Save(path, r.state)
}

// Finish writes the finished model from the best checkpoint, or from the last
// one where there is no valid set, and measures the test set with it.
func (r *run) Finish() error {
	from, err := r.state.Result(r.o.Dir, r.o.Valid.N > 0)
	if err != nil {
		return err
	}
	// The evaluation of a shorter run must not be taken for that of the new model.
	tested := filepath.Join(r.o.Dir, TestFile)
	if err := os.Remove(tested); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	path := filepath.Join(r.o.Dir, train.ModelFile)
	if err := checkpoint.SaveFinished(path, from.Model, from.Weights, r.state.ResultMetadata(from, r.o.Metadata)); err != nil {
		return err
	}
	m, err := image.Load(path)
	if err != nil {
		return err
	}
	if err := r.o.draw(m); err != nil || r.o.Test.N == 0 {
		return err
	}
	e, err := m.Evaluate(r.o.Test)
	if err != nil {
		return err
	}
	r.test = &e
	return atomicfile.WriteJSON(tested, e)
}
