package training

import (
	"context"
	"errors"
)

// Trainable is something that can be trained step by step. Its methods are
// called from one goroutine.
type Trainable interface {
	// Steps is the number of optimiser steps done so far, those before a
	// resume included.
	Steps() int

	// Step does one optimiser step, after which Steps is one more.
	Step() error

	// Losses is the record of the last step for the log.
	Losses() any

	// Evaluate measures the current weights, keeps them if they are the best
	// so far, and returns the record for the log; nil if there is nothing to
	// measure.
	Evaluate() (record any, err error)

	// Save writes the checkpoint that a resumed run starts from.
	Save() error

	// Finish writes the results of a run that is complete.
	Finish() error
}

// Options say how long a run is and what happens when (steps, each at least 1).
type Options struct {
	MaxSteps        int
	LogEvery        int // between records of losses
	EvalEvery       int // between evaluations
	CheckpointEvery int // between checkpoints

	Log      *Log
	Progress func(evaluated bool) // called after every step; may be nil
}

// Loop trains t until it has done MaxSteps; losses, evaluation and checkpoint
// come after the last step too, whatever the intervals. A run that has done
// them already is only finished. When ctx ends, Loop saves and returns
// ctx.Err().
func Loop(ctx context.Context, o Options, t Trainable) error {
	for t.Steps() < o.MaxSteps {
		if ctx.Err() != nil {
			return errors.Join(t.Save(), ctx.Err())
		}
		if err := t.Step(); err != nil {
			return err
		}
		due := func(interval int) bool { return t.Steps()%interval == 0 || t.Steps() == o.MaxSteps }
		if due(o.LogEvery) {
			if err := o.Log.Write(t.Losses()); err != nil {
				return err
			}
		}
		evaluated := false
		if due(o.EvalEvery) {
			record, err := t.Evaluate()
			if err != nil {
				return err
			}
			if evaluated = record != nil; evaluated {
				if err := o.Log.Write(record); err != nil {
					return err
				}
			}
		}
		if due(o.CheckpointEvery) {
			if err := t.Save(); err != nil {
				return err
			}
		}
		if o.Progress != nil {
			o.Progress(evaluated)
		}
	}
	return t.Finish()
}
