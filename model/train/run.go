// Package train trains speech models: crops and batches from a seed, the
// gorgonia graph, the optimiser, checkpoints, resume.
//
// A run folder holds config.json, the log of internal/training (losses of steps
// and evaluations), latest.safetensors and best.safetensors (checkpoints),
// and model.safetensors (the finished model, float16). The same seed gives the
// same checkpoint bytes whatever the number of threads, and a run that was
// stopped or killed and resumed ends in the same bytes as one that was not.
package train

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"vqspeech/internal/training"
	"vqspeech/model"
	"vqspeech/model/checkpoint"
)

// Options describe a run.
type Options struct {
	Model model.Config // without speakers: they come from Train
	Train Config

	Training []Utterance
	Holdout  []Utterance // not trained on; the best checkpoint is the one with the lowest MSE here. Empty: the last one
	Valid    []Utterance // reported only
	Data     string      // names the utterances and their parts; a run resumes only on the same
	Keep     []string    // speakers of the finished model; nil: all

	Dir      string
	Resume   bool
	Metadata map[string]string // further metadata of the finished model, also in config.json
	Progress func(Progress)    // called after every step; may be nil
}

// Progress is the state of a run after a step.
type Progress struct {
	Step, MaxSteps int
	Losses         Losses
	Valid          *Evaluation // after an evaluation
}

// Names of the files in a run folder, besides the log (internal/training).
const (
	ConfigFile = training.ConfigFile
	LatestFile = training.LatestFile
	BestFile   = training.BestFile
	ModelFile  = "model.safetensors"
)

// Run trains until MaxSteps or until ctx ends; then it saves and returns
// ctx.Err(). It returns the last evaluation of the valid set.
func Run(ctx context.Context, o Options) (last *Evaluation, err error) {
	if o.Model.Speakers == nil {
		o.Model.Speakers = speakersOf(o.Training)
	}
	if o.Keep == nil {
		o.Keep = o.Model.Speakers
	}
	if err := errors.Join(o.Model.Validate(), o.Train.Validate()); err != nil {
		return nil, err
	}
	if len(o.Training) == 0 {
		return nil, errors.New("train: no training utterances")
	}
	for _, id := range o.Keep {
		if !slices.Contains(o.Model.Speakers, id) {
			return nil, fmt.Errorf("train: speaker %q, to be kept in the finished model, is not among the training speakers", id)
		}
	}
	state, err := open(o)
	if err != nil {
		return nil, err
	}
	r, err := newRun(o, state)
	if err != nil {
		return nil, err
	}
	defer r.graph.machine.Close()
	err = training.Loop(ctx, training.Options{
		MaxSteps: o.Train.MaxSteps, LogEvery: o.Train.LogEvery, EvalEvery: o.Train.EvalEvery, CheckpointEvery: o.Train.CheckpointEvery,
		Dir: o.Dir, Config: o.config(), Progress: r.progress,
	}, r)
	return r.last, err
}

// run is one training run in progress, a training.Trainable.
type run struct {
	o        Options
	state    *checkpoint.State
	graph    *speech
	solver   *Adam
	sampler  *sampler
	holdout  []utterance
	valid    []utterance
	codebook *Codebook

	losses Losses      // of the last step
	last   *Evaluation // of the valid set
}

func newRun(o Options, state *checkpoint.State) (*run, error) {
	r := &run{o: o, state: state}
	crops, err := resolve(o.Training, o.Model)
	if err != nil {
		return nil, err
	}
	if r.holdout, err = resolve(o.Holdout, o.Model); err != nil {
		return nil, err
	}
	if r.valid, err = resolve(o.Valid, o.Model); err != nil {
		return nil, err
	}
	for _, set := range [][]utterance{r.holdout, r.valid} {
		if len(set) > 0 && !slices.ContainsFunc(set, utterance.hasUnit) {
			return nil, fmt.Errorf("train: none of %d utterances to evaluate is long enough for one unit", len(set))
		}
	}
	if r.sampler, err = newSampler(crops, o.Train, o.Model.Features.NMels); err != nil {
		return nil, err
	}
	if r.graph, err = newSpeech(o.Model, o.Train, state.Weights); err != nil {
		return nil, err
	}
	if _, err := r.graph.compile(); err != nil {
		return nil, err
	}
	r.solver = &Adam{
		LearningRate: o.Train.LearningRate, Milestones: o.Train.Milestones, Gamma: o.Train.Gamma,
		ClipNorm: o.Train.ClipNorm, Steps: state.Step,
	}
	for _, name := range r.graph.names {
		r.solver.M, r.solver.V = append(r.solver.M, state.M[name]), append(r.solver.V, state.V[name])
	}
	q := o.Model.Quantizer
	r.codebook, err = NewCodebook(q, q.CodebookDim, state.Weights["quantizer.codebook"], state.Extra, state.Step)
	return r, err
}

// progress tells the caller what the last step has done.
func (r *run) progress(evaluated bool) {
	if r.o.Progress == nil {
		return
	}
	p := Progress{Step: r.state.Step, MaxSteps: r.o.Train.MaxSteps, Losses: r.losses}
	if evaluated {
		p.Valid = r.last
	}
	r.o.Progress(p)
}

// Steps is the number of steps done so far.
func (r *run) Steps() int { return r.state.Step }

// Step runs one optimiser step.
func (r *run) Step() error {
	r.sampler.fill(&r.graph.in, r.state.Step)
	r.graph.in.tau[0] = float32(r.o.Model.Quantizer.TemperatureAfter(r.state.Step))
	if err := r.graph.machine.Step(r.solver); err != nil {
		return fmt.Errorf("train: step %d: %w", r.state.Step, err)
	}
	r.losses = r.graph.losses()
	r.codebook.Update(r.graph.latents(), r.graph.codes(), training.Random(r.o.Train.Seed, streamReset, r.state.Step))
	r.state.Step++
	return nil
}

// Evaluate measures the held-out and the valid set on the current weights. Those
// with the lowest MSE of the held-out set are the best.
func (r *run) Evaluate() (_ any, best bool, err error) {
	m, err := model.New(r.o.Model, r.state.Weights)
	if err != nil {
		return nil, false, err
	}
	record := map[string]any{"step": r.state.Step}
	if len(r.valid) > 0 {
		e := evaluate(m, r.valid)
		r.last, record["valid"] = &e, e
	}
	if len(r.holdout) > 0 {
		e := evaluate(m, r.holdout)
		record["holdout"], best = e, r.state.Better(e.MSE)
	}
	return record, best, nil
}

// Save writes a checkpoint.
func (r *run) Save(path string) error {
	r.codebook.Store(r.state.Extra)
	return checkpoint.Save(path, r.state)
}

// Finish writes the finished model from the best checkpoint, or from the last
// one where nothing was held out.
func (r *run) Finish() error {
	from, err := r.state.Result(r.o.Dir, len(r.holdout) > 0)
	if err != nil {
		return err
	}
	meta := r.state.ResultMetadata(from, r.o.Metadata)
	return checkpoint.SaveModel(filepath.Join(r.o.Dir, ModelFile), from.Model, from.Weights, r.o.Keep, meta)
}

// speakersOf lists the speakers of a set, sorted as text.
func speakersOf(set []Utterance) []string {
	seen := map[string]bool{}
	var ids []string
	for _, u := range set {
		if !seen[u.Speaker] {
			seen[u.Speaker] = true
			ids = append(ids, u.Speaker)
		}
	}
	slices.Sort(ids)
	return ids
}
