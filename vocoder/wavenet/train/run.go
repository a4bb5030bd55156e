package train

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"vqspeech/internal/training"
	"vqspeech/model"
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

// Names of the files in a run folder, besides the log (internal/training).
const (
	LatestFile = "latest.safetensors"
	VoiceFile  = "vocoder.safetensors"
)

// Random streams of one run: every draw is a function of the seed, the stream
// and the step.
const (
	streamInit = iota
	streamBatch
	streamPitch
)

func random(seed uint64, stream, step int) *rand.Rand {
	return rand.New(rand.NewPCG(seed, uint64(stream)<<56|uint64(step)))
}

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
	if err := r.open(); err != nil {
		return math.NaN(), err
	}
	defer r.close()
	err = training.Loop(ctx, training.Options{
		MaxSteps: o.Train.MaxSteps, LogEvery: o.Train.LogEvery, EvalEvery: o.Train.EvalEvery, CheckpointEvery: o.Train.CheckpointEvery,
		Log: r.log, Progress: r.progress,
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
	log     *training.Log

	loss  Loss    // of the last step
	score float64 // of the valid set (bits per sample), NaN before the first
}

func (r *run) open() error {
	o := r.o
	if err := os.MkdirAll(o.Dir, 0o777); err != nil {
		return err
	}
	text, err := json.Marshal(o.Train)
	if err != nil {
		return err
	}
	voice := wavenet.Voice{
		Network: o.Network, Speakers: o.Speakers, Model: o.Model, Temperature: o.Train.Temperature, Voiced: o.Train.Voiced,
		Envelope: o.Train.Envelope,
	}
	latest := filepath.Join(o.Dir, LatestFile)
	if _, err := os.Stat(latest); err == nil {
		if !o.Resume {
			return fmt.Errorf("%s: a run is there already: resume it or choose another folder", o.Dir)
		}
		if r.state, err = load(latest); err != nil {
			return err
		}
		if was, now := fmt.Sprintf("%+v", r.state.voice), fmt.Sprintf("%+v", voice); was != now {
			return fmt.Errorf("%s: cannot resume with another network: was %s, is %s", latest, was, now)
		}
		r.state.train = text
	} else {
		r.state = &state{voice: voice, train: text, weights: model.Weights{}, m: model.Weights{}, v: model.Weights{}}
		initialise(o.Network, r.state.weights, random(o.Train.Seed, streamInit, 0))
		for _, p := range o.Network.Trained() {
			r.state.m[p.Name], r.state.v[p.Name] = make([]float32, p.Size()), make([]float32, p.Size())
		}
		if o.Network.Prediction {
			if err := trainPitch(o.Network, r.state.weights, o.Training, o.Train.PitchSteps, o.Train.Seed); err != nil {
				return err
			}
		}
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
	r.log, err = training.OpenLog(o.Dir, r.state.step)
	return err
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
	rng := random(c.Seed, streamBatch, r.state.step)
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

// Evaluate scores the valid set.
func (r *run) Evaluate() (any, error) {
	if len(r.valid) == 0 {
		return nil, nil
	}
	var err error
	if r.score, err = r.evaluate(); err != nil {
		return nil, err
	}
	return map[string]any{"step": r.state.step, "valid": map[string]float64{"bits_per_sample": r.score}}, nil
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

// Save writes the checkpoint.
func (r *run) Save() error { return r.state.save(filepath.Join(r.o.Dir, LatestFile)) }

// Finish writes the finished vocoder.
func (r *run) Finish() error {
	meta := map[string]string{"vqspeech.step": fmt.Sprint(r.state.step)}
	for k, v := range r.o.Metadata {
		meta[k] = v
	}
	return wavenet.Save(filepath.Join(r.o.Dir, VoiceFile), r.state.voice, r.state.average.Weights, meta)
}

func (r *run) close() {
	if r.net != nil {
		r.net.Close()
	}
	if r.log != nil {
		r.log.Close()
	}
}
