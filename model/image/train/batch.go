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

// sampler makes the inputs of a run's steps.
type sampler struct {
	epochs *training.Epochs
	set    image.Set
	seed   uint64
}

func newSampler(set image.Set, c Config) *sampler {
	return &sampler{training.NewEpochs(set.N, c.BatchSize, c.Seed, streamShuffle), set, c.Seed}
}

// steps is the number of batches of an epoch.
func (s *sampler) steps() int { return s.epochs.Steps() }

// images returns which images step has.
func (s *sampler) images(step int) []int { return s.epochs.Items(step) }

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
