package train

import (
	"fmt"
	"math"

	"vqspeech/features"
	"vqspeech/internal/training"
	"vqspeech/model"
)

// Utterance is one recording as training sees it.
type Utterance struct {
	ID      string
	Speaker string
	DB      []float32 // raw-level log-mel [T, M] (dB re 1.0)
	Peak    float32   // largest absolute sample, for the reference front end
}

// utterance is an Utterance with its level and speaker row resolved.
type utterance struct {
	id      string
	speaker int32
	db      []float32
	level   features.Level
	frames  int
}

// hasUnit says that u is long enough for one unit.
func (u utterance) hasUnit() bool { return u.frames >= 2*model.Downsampling }

func resolve(set []Utterance, cfg model.Config) ([]utterance, error) {
	row := map[string]int32{}
	for i, id := range cfg.Speakers {
		row[id] = int32(i)
	}
	m := cfg.Features.NMels
	var out []utterance
	for _, u := range set {
		s, ok := row[u.Speaker]
		if !ok {
			return nil, fmt.Errorf("train: utterance %s: speaker %q is not among the training speakers", u.ID, u.Speaker)
		}
		if len(u.DB)%m != 0 {
			return nil, fmt.Errorf("train: utterance %s: %d log-mel values are not a multiple of %d bands", u.ID, len(u.DB), m)
		}
		for i, v := range u.DB {
			if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
				return nil, fmt.Errorf("train: utterance %s: log-mel value %d is %g, want a finite number", u.ID, i, v)
			}
		}
		out = append(out, utterance{u.ID, s, u.DB, cfg.Features.Level(u.DB, u.Peak), len(u.DB) / m})
	}
	return out, nil
}

// Random streams of one run (training.Random).
const (
	streamInit = iota
	streamBatch
	streamNoise
	streamReset
)

// sampler draws batches: utterances uniformly with replacement, crops uniformly
// within them. Differs from the published loop, which permutes utterances once
// per epoch: a batch here depends on the seed and the step alone.
type sampler struct {
	cfg  Config
	mels int
	set  []utterance
}

// newSampler keeps the utterances that are long enough for a crop.
func newSampler(set []utterance, cfg Config, mels int) (*sampler, error) {
	s := &sampler{cfg: cfg, mels: mels}
	for _, u := range set {
		if u.frames > cfg.CropFrames {
			s.set = append(s.set, u)
		}
	}
	if len(s.set) == 0 {
		return nil, fmt.Errorf("train: none of %d training utterances is longer than a crop of %d frames", len(set), cfg.CropFrames)
	}
	return s, nil
}

// fill writes the inputs of one step (steps count from 0).
func (s *sampler) fill(in *inputs, step int) {
	rng := training.Random(s.cfg.Seed, streamBatch, step)
	t := s.cfg.CropFrames
	size := t * s.mels
	for b := range s.cfg.BatchSize {
		u := s.set[rng.IntN(len(s.set))]
		// A.3 of the published loop: the crop starts at pos-1, pos in [1, T-crop],
		// so the last frame of an utterance is never used.
		from := rng.IntN(u.frames - t)
		level := u.level
		level.OffsetDB += float32((2*rng.Float64() - 1) * s.cfg.RandomGainDB)
		level.Apply(in.mel[b*size:(b+1)*size], u.db[from*s.mels:(from+t)*s.mels])
		in.speaker[b] = u.speaker
	}
	rng = training.Random(s.cfg.Seed, streamNoise, step)
	for i := range in.jitter {
		switch r := rng.Float64(); {
		case r < s.cfg.Jitter/2:
			in.jitter[i] = -1
		case r < s.cfg.Jitter:
			in.jitter[i] = 1
		default:
			in.jitter[i] = 0
		}
	}
	for i := range in.uniform {
		in.uniform[i] = (float32(rng.Uint32()>>8) + 0.5) / (1 << 24)
	}
}
