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

// Names of the files in a run folder, besides model/train's metrics.jsonl.
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
	valid = math.NaN()
	if err := errors.Join(o.Network.Validate(), o.Train.Validate()); err != nil {
		return valid, err
	}
	if len(o.Speakers) != o.Network.Speakers {
		return valid, fmt.Errorf("wavenet: %d speakers for a network of %d", len(o.Speakers), o.Network.Speakers)
	}
	r := &run{o: o}
	if err := r.open(); err != nil {
		return valid, err
	}
	defer r.close()
	for r.state.step < o.Train.MaxSteps {
		if ctx.Err() != nil {
			return valid, errors.Join(r.save(), ctx.Err())
		}
		loss, err := r.step()
		if err != nil {
			return valid, err
		}
		p := Progress{Step: r.state.step, MaxSteps: o.Train.MaxSteps, Bits: loss.Bits}
		done := r.state.step == o.Train.MaxSteps
		if r.state.step%o.Train.LogEvery == 0 || done {
			if err := r.log.Write(stepRecord{r.state.step, loss.Bits, r.adam.GradNorm, r.adam.LearningRate}); err != nil {
				return valid, err
			}
		}
		if len(r.valid) > 0 && (r.state.step%o.Train.EvalEvery == 0 || done) {
			if valid, err = r.evaluate(); err != nil {
				return valid, err
			}
			p.Valid = &valid
			if err := r.log.Write(map[string]any{"step": r.state.step, "valid": map[string]float64{"bits_per_sample": valid}}); err != nil {
				return valid, err
			}
		}
		if r.state.step%o.Train.CheckpointEvery == 0 || done {
			if err := r.save(); err != nil {
				return valid, err
			}
		}
		if o.Progress != nil {
			o.Progress(p)
		}
	}
	meta := map[string]string{"vqspeech.step": fmt.Sprint(r.state.step)}
	for k, v := range o.Metadata {
		meta[k] = v
	}
	return valid, wavenet.Save(filepath.Join(o.Dir, VoiceFile), r.state.voice, r.state.average.Weights, meta)
}

// stepRecord is one line of losses.
type stepRecord struct {
	Step         int     `json:"step"`
	Bits         float64 `json:"bits_per_sample"`
	GradNorm     float64 `json:"grad_norm"` // before clipping
	LearningRate float64 `json:"learning_rate"`
}

// run is one training run in progress.
type run struct {
	o       Options
	state   *state
	net     *Net
	crop    *cropper
	set     []Utterance // long enough for a crop
	valid   []Utterance
	weights []int // of set, cumulative: positions a crop can take
	adam    *train.Adam
	log     *train.MetricsLog
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
	r.log, err = train.OpenMetrics(filepath.Join(o.Dir, train.MetricsFile), r.state.step)
	return err
}

// room is the number of places where a crop of u can begin.
func (r *run) room(u Utterance) int {
	frames := min(u.frames(r.o.Network), len(u.Samples)/r.o.Network.Upsampling)
	return max(frames-r.o.Train.CropFrames+1, 0)
}

// step runs one optimiser step on crops drawn uniformly from all there are.
func (r *run) step() (Loss, error) {
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
	loss, err := r.net.Step(r.adam)
	if err != nil {
		return loss, fmt.Errorf("step %d: %w", r.state.step, err)
	}
	r.state.average.Update(r.state.weights)
	r.state.step++
	return loss, nil
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

func (r *run) save() error { return r.state.save(filepath.Join(r.o.Dir, LatestFile)) }

func (r *run) close() {
	if r.net != nil {
		r.net.Close()
	}
	if r.log != nil {
		r.log.Close()
	}
}
