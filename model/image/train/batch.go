package train

import (
	"vqspeech/internal/training"
	"vqspeech/model/image"
)

// Random streams of one run (training.Random).
const (
	streamInit = iota
	streamShuffle
	streamNoise
	streamReset
)

// sampler cuts shuffled epochs into batches. A batch depends on the seed and the
// step alone.
type sampler struct {
	set   image.Set
	batch int
	seed  uint64

	epoch int   // of order; -1 before the first
	order []int // of the images
}

func newSampler(set image.Set, c Config) *sampler {
	return &sampler{set: set, batch: c.BatchSize, seed: c.Seed, epoch: -1}
}

// steps is the number of batches of an epoch; the last one may be smaller.
func (s *sampler) steps() int { return (s.set.N + s.batch - 1) / s.batch }

// images returns which images step has (steps count from 0).
func (s *sampler) images(step int) []int {
	if epoch := step / s.steps(); epoch != s.epoch {
		s.epoch, s.order = epoch, training.Random(s.seed, streamShuffle, epoch).Perm(s.set.N)
	}
	from := step % s.steps() * s.batch
	return s.order[from:min(from+s.batch, s.set.N)]
}

// fill writes the inputs of a step but the temperature.
func (s *sampler) fill(in *inputs, step int) {
	size := s.set.Size()
	for i, k := range s.images(step) {
		if in.labels != nil {
			image.Labels(in.labels[i*size:(i+1)*size], s.set.Image(k))
		} else {
			image.Pixels(in.pixels[i*size:(i+1)*size], s.set.Image(k))
		}
	}
	training.Noise(in.uniform, s.seed, streamNoise, step, training.Uniform)
	training.Noise(in.normal, s.seed, streamNoise, step, training.Normal)
}
