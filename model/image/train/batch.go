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
	*training.Epochs
	set  image.Set
	seed uint64
}

func newSampler(set image.Set, c Config) *sampler {
	return &sampler{training.NewEpochs(set.N, c.BatchSize, c.Seed, streamShuffle), set, c.Seed}
}

// fill writes the inputs of a step but the temperature.
func (s *sampler) fill(in *inputs, step int) {
	size := s.set.Size()
	for i, k := range s.Items(step) {
		if in.labels != nil {
			image.Labels(in.labels[i*size:(i+1)*size], s.set.Image(k))
		} else {
			image.Pixels(in.pixels[i*size:(i+1)*size], s.set.Image(k))
		}
	}
	training.Noise(in.uniform, s.seed, streamNoise, step, training.Uniform)
	training.Noise(in.normal, s.seed, streamNoise, step, training.Normal)
}
