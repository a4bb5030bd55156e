package train

import (
	"fmt"
	"math"

	"vqspeech/model/train"
)

// plateauState is the name of the scheduler's state in a checkpoint: best loss,
// epochs since, reductions.
const plateauState = "plateau"

// plateauOf returns the schedule of the learning rate as storePlateau has left it
// in a checkpoint, or afresh.
func plateauOf(c Config, extra map[string][]float32) (train.Plateau, error) {
	p := train.Plateau{Factor: c.PlateauFactor, Patience: c.PlateauPatience, Best: math.Inf(1)}
	s, ok := extra[plateauState]
	if !ok {
		return p, nil
	}
	if len(s) != 3 {
		return p, fmt.Errorf("train: the checkpoint's %s has %d elements, want 3", plateauState, len(s))
	}
	p.Best, p.Bad, p.Reductions = float64(s[0]), int(s[1]), int(s[2])
	return p, nil
}

// storePlateau puts the state of the schedule into extra, after the first loss.
func storePlateau(p train.Plateau, extra map[string][]float32) {
	if !math.IsInf(p.Best, 1) {
		extra[plateauState] = []float32{float32(p.Best), float32(p.Bad), float32(p.Reductions)}
	}
}
