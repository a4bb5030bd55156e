package train

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path/filepath"

	"vqspeech/internal/safetensors"
	"vqspeech/internal/training"
	"vqspeech/model"
	"vqspeech/model/checkpoint"
	"vqspeech/model/train"
	"vqspeech/vocoder/wavenet"
)

// Options describe a run.
type Options struct {
	Network  wavenet.Config
	Train    Config
	Speakers []string // in the order of the rows
	Model    string   // fingerprint of the model that made the latents

	Training []Utterance
	Valid    []Utterance // reported only
	Data     string      // names the recordings and their parts; a run resumes only on the same

	Dir      string
	Resume   bool
	Metadata map[string]string // further metadata of the finished vocoder
	Progress func(Progress)    // called after every step; may be nil
}

// Progress is the state of a run after a step.
type Progress struct {
	Step, MaxSteps int
	Bits           float64  // of the batch, per sample
	Valid          *float64 // bits per sample, after an evaluation
}

// VoiceFile is the finished vocoder in a run folder, besides config.json, the log
// and the checkpoint of internal/training.
const VoiceFile = "vocoder.safetensors"

// RunConfig is what a run was given, as config.json of its folder says.
type RunConfig struct {
	Vocoder  wavenet.Voice
	Train    Config
	Training int               `json:"training_utterances"`
	Valid    int               `json:"valid_utterances"`
	Data     string            `json:"data,omitempty"`
	Metadata map[string]string `json:"metadata,omitempty"`
}

func (o Options) config() RunConfig {
	return RunConfig{o.voice(), o.Train, len(o.Training), len(o.Valid), o.Data, o.Metadata}
}

// voice describes the finished vocoder.
func (o Options) voice() wavenet.Voice {
	return wavenet.Voice{
		Network: o.Network, Speakers: o.Speakers, Model: o.Model, Temperature: o.Train.Temperature, Voiced: o.Train.Voiced,
		Envelope: o.Train.Envelope,
	}
}

// Random streams of one run (training.Random).
const (
	streamInit = iota
	streamBatch
	streamPitch
)

// Run trains until MaxSteps or until ctx ends; then it saves and returns
// ctx.Err(). It returns the last score of the valid set (bits per sample, NaN
// if there is none).
func Run(ctx context.Context, o Options) (valid float64, err error) {
	if err := errors.Join(o.Network.Validate(), o.Train.Validate()); err != nil {
		return math.NaN(), err
	}
	if len(o.Speakers) != o.Network.Speakers {
		return math.NaN(), fmt.Errorf("wavenet: %d speakers for a network of %d", len(o.Speakers), o.Network.Speakers)
	}
	r := &run{o: o, score: math.NaN()}
	if err := r.open(ctx); err != nil {
		return math.NaN(), err
	}
	defer r.net.Close()
	err = training.Loop(ctx, training.Options{
		MaxSteps: o.Train.MaxSteps, LogEvery: o.Train.LogEvery, EvalEvery: o.Train.EvalEvery, CheckpointEvery: o.Train.CheckpointEvery,
		Dir: o.Dir, Config: o.config(), Progress: r.progress,
	}, r)
	return r.score, err
}

// stepRecord is one line of losses.
type stepRecord struct {
	Step         int     `json:"step"`
	Bits         float64 `json:"bits_per_sample"`
	GradNorm     float64 `json:"grad_norm"` // before clipping
	LearningRate float64 `json:"learning_rate"`
}

// run is one training run in progress, a training.Trainable.
type run struct {
	o       Options
	state   *state
	net     *Net
	crop    *cropper
	set     []Utterance // long enough for a crop
	valid   []Utterance
	weights []int // of set, cumulative: positions a crop can take
	adam    *train.Adam

	loss  Loss    // of the last step
	score float64 // of the valid set (bits per sample), NaN before the first
}

// start returns the state that a run begins with: that of the latest checkpoint, or
// a fresh one, whose network for the pitch is trained already.
func (o Options) start(ctx context.Context) (*state, error) {
	latest, err := training.Latest(o.Dir, o.Data, o.Resume)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(o.Train)
	if err != nil {
		return nil, err
	}
	if latest != "" {
		s, err := safetensors.Load(latest, readState)
		if err != nil {
			return nil, err
		}
		free := []string{"max_steps", "log_every", "eval_every", "checkpoint_every"}
		if err := checkpoint.Agree(trained(s.voice), trained(o.voice()), s.train, o.Train, free); err != nil {
			return nil, fmt.Errorf("%s: %w", latest, err)
		}
		s.train = text
		return s, nil
	}
	s := &state{voice: o.voice(), train: text, weights: model.Weights{}, m: model.Weights{}, v: model.Weights{}}
	initialise(o.Network, s.weights, training.Random(o.Train.Seed, streamInit, 0))
	for _, p := range o.Network.Trained() {
		s.m[p.Name], s.v[p.Name] = make([]float32, p.Size()), make([]float32, p.Size())
	}
	if o.Network.Prediction {
		err = trainPitch(ctx, o.Network, s.weights, o.Training, o.Train.PitchSteps, o.Train.Seed)
	}
	return s, err
}

// trained is the part of a voice that Config does not set.
func trained(v wavenet.Voice) wavenet.Voice {
	return wavenet.Voice{Network: v.Network, Speakers: v.Speakers, Model: v.Model}
}

func (r *run) open(ctx context.Context) (err error) {
	o := r.o
	if r.state, err = o.start(ctx); err != nil {
		return err
	}
	r.state.average.Decay = o.Train.Average
	total := 0
	for _, u := range o.Training {
		if room := r.room(u); room > 0 {
			total += room
			r.set, r.weights = append(r.set, u), append(r.weights, total)
		}
	}
	if len(r.set) == 0 {
		return fmt.Errorf("wavenet: none of %d training utterances has a crop of %d latents", len(o.Training), o.Train.CropFrames)
	}
	for _, u := range o.Valid {
		if r.room(u) > 0 {
			r.valid = append(r.valid, u)
		}
	}
	if r.crop, err = newCropper(o.Network); err != nil {
		return err
	}
	if r.net, err = New(o.Network, r.state.weights, o.Train.BatchSize, o.Train.CropFrames); err != nil {
		return err
	}
	r.adam = &train.Adam{ClipNorm: o.Train.ClipNorm, Gamma: 1, Steps: r.state.step}
	for _, p := range o.Network.Trained() {
		r.adam.M, r.adam.V = append(r.adam.M, r.state.m[p.Name]), append(r.adam.V, r.state.v[p.Name])
	}
	return nil
}

// room is the number of places where a crop of u can begin.
func (r *run) room(u Utterance) int {
	frames := min(u.frames(r.o.Network), len(u.Samples)/r.o.Network.Upsampling)
	return max(frames-r.o.Train.CropFrames+1, 0)
}

// progress tells the caller what the last step has done.
func (r *run) progress(evaluated bool) {
	if r.o.Progress == nil {
		return
	}
	p := Progress{Step: r.state.step, MaxSteps: r.o.Train.MaxSteps, Bits: r.loss.Bits}
	if evaluated {
		score := r.score
		p.Valid = &score
	}
	r.o.Progress(p)
}

// Steps is the number of steps done so far.
func (r *run) Steps() int { return r.state.step }

// Step runs one optimiser step on crops drawn uniformly from all there are.
func (r *run) Step() (err error) {
	c := r.o.Train
	rng := training.Random(c.Seed, streamBatch, r.state.step)
	for i := range c.BatchSize {
		at := rng.IntN(r.weights[len(r.weights)-1])
		k := 0
		for r.weights[k] <= at {
			k++
		}
		first := r.weights[k] - 1 - at
		r.crop.set(r.net, i, r.set[k], first, c.Noise*rng.Float64(), c.Jitter, rng)
	}
	turn := float64(r.state.step) / float64(c.MaxSteps) * math.Pi / 2
	r.adam.LearningRate = c.FinalRate + (c.LearningRate-c.FinalRate)*math.Cos(turn)
	if r.loss, err = r.net.Step(r.adam); err != nil {
		return fmt.Errorf("step %d: %w", r.state.step, err)
	}
	r.state.average.Update(r.state.weights)
	r.state.step++
	return nil
}

// Losses is the record of the last step.
func (r *run) Losses() any {
	return stepRecord{r.state.step, r.loss.Bits, r.adam.GradNorm, r.adam.LearningRate}
}

// Evaluate scores the valid set. No weights are chosen by it.
func (r *run) Evaluate() (_ any, best bool, err error) {
	if len(r.valid) == 0 {
		return nil, false, nil
	}
	if r.score, err = r.evaluate(); err != nil {
		return nil, false, err
	}
	return map[string]any{"step": r.state.step, "valid": map[string]float64{"bits_per_sample": r.score}}, false, nil
}

// evaluate scores the averaged weights on one crop from the middle of every
// valid utterance, without noise (bits per sample).
func (r *run) evaluate() (float64, error) {
	trained := model.Weights{}
	for name, w := range r.state.weights {
		trained[name] = append([]float32(nil), w...)
		copy(w, r.state.average.Weights[name])
	}
	defer func() {
		for name, w := range r.state.weights {
			copy(w, trained[name])
		}
	}()
	var sum float64
	b := r.o.Train.BatchSize
	for at := 0; at < len(r.valid); at += b {
		n := min(b, len(r.valid)-at)
		for i := range b { // the rest of the last batch is filled and not counted
			u := r.valid[at+i%n]
			r.crop.set(r.net, i, u, (r.room(u)-1)/2, 0, 0, nil)
		}
		loss, err := r.net.Run()
		if err != nil {
			return 0, err
		}
		for _, s := range loss.Sums[:n] {
			sum += s
		}
	}
	samples := len(r.valid) * r.o.Train.CropFrames * r.o.Network.Upsampling
	return sum / float64(samples) / math.Ln2, nil
}

// Save writes a checkpoint.
func (r *run) Save(path string) error { return r.state.save(path) }

// Finish writes the finished vocoder.
func (r *run) Finish() error {
	meta := checkpoint.Metadata(r.state.step, r.o.Metadata)
	return wavenet.Save(filepath.Join(r.o.Dir, VoiceFile), r.state.voice, r.state.average.Weights, meta)
}
