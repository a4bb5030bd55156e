package train

import (
	"vqspeech/internal/training"
	"vqspeech/model/checkpoint"
)

// open returns the state to start from: a fresh one or the latest checkpoint.
// The length of the run and the intervals of its reports may be others.
func open(o Options) (*checkpoint.State, error) {
	free := []string{"max_steps", "log_every", "checkpoint_every"}
	rng := training.Random(o.Train.Seed, streamInit, 0)
	return checkpoint.Start(o.Dir, o.Data, o.Resume, o.Model, o.Train, free, rng)
}
