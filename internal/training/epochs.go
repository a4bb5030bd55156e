package training

// Epochs cuts shuffled passes over n items into batches. A batch depends on the
// seed, the stream and the step alone.
type Epochs struct {
	n, batch int
	seed     uint64
	stream   int

	epoch int   // of order; -1 before the first
	order []int // of the items
}

// NewEpochs returns passes over n items in batches of the given size, shuffled
// by a stream of Random.
func NewEpochs(n, batch int, seed uint64, stream int) *Epochs {
	return &Epochs{n: n, batch: batch, seed: seed, stream: stream, epoch: -1}
}

// Steps is the number of batches of an epoch; the last one may be smaller.
func (e *Epochs) Steps() int { return StepsPerEpoch(e.n, e.batch) }

// StepsPerEpoch is the number of batches of one pass over n items.
func StepsPerEpoch(n, batch int) int { return (n + batch - 1) / batch }

// MaxSteps is the length of a run of so many epochs that may end earlier, after
// most steps; 0: does not.
func MaxSteps(epochs, perEpoch, most int) int {
	steps := epochs * perEpoch
	if most > 0 {
		steps = min(steps, most)
	}
	return steps
}

// Items returns which items step has (steps count from 0).
func (e *Epochs) Items(step int) []int {
	if epoch := step / e.Steps(); epoch != e.epoch {
		e.epoch, e.order = epoch, Random(e.seed, e.stream, epoch).Perm(e.n)
	}
	from := step % e.Steps() * e.batch
	return e.order[from:min(from+e.batch, e.n)]
}
