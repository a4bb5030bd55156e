package training

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"vqspeech/internal/atomicfile"
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

	// Evaluate measures the current weights and returns the record for the log,
	// nil if there is nothing to measure, and whether they are the best so far
	// and to be kept.
	Evaluate() (record any, best bool, err error)

	// Save writes a checkpoint.
	Save(path string) error

	// Finish writes the results of a run that is complete.
	Finish() error
}

// Options say how long a run is and what happens when (steps, each at least 1).
type Options struct {
	MaxSteps        int
	LogEvery        int // between records of losses
	EvalEvery       int // between evaluations
	CheckpointEvery int // between checkpoints

	Dir    string // the run folder; Latest has made it
	Config any    // what the run was given, for config.json

	// Untrained measures the weights that a run begins with, for a record that
	// its log begins with; may be nil.
	Untrained func() (record any, err error)
	Progress  func(evaluated bool) // called after every step; may be nil
}

// Loop trains t until it has done MaxSteps; losses, evaluation and checkpoint
// come after the last step too, whatever the intervals. A run that has done
// them already is only finished; one that has done more is an error. When ctx ends, Loop saves and returns
// ctx.Err(). One loop at a time works in a folder: another is an error.
func Loop(ctx context.Context, o Options, t Trainable) error {
	if t.Steps() > o.MaxSteps {
		return fmt.Errorf("%s: the run has %d steps, want at most %d or another folder", o.Dir, t.Steps(), o.MaxSteps)
	}
	release, err := atomicfile.Hold(o.Dir, "training run")
	if err != nil {
		return err
	}
	defer release()
	if err := atomicfile.Sweep(o.Dir); err != nil {
		return err
	}
	if err := atomicfile.WriteJSON(filepath.Join(o.Dir, ConfigFile), o.Config); err != nil {
		return err
	}
	log, err := o.openLog(t.Steps())
	if err != nil {
		return err
	}
	defer log.Close()
	latest, best := filepath.Join(o.Dir, LatestFile), filepath.Join(o.Dir, BestFile)
	for t.Steps() < o.MaxSteps {
		if ctx.Err() != nil {
			return errors.Join(t.Save(latest), ctx.Err())
		}
		if err := t.Step(); err != nil {
			return err
		}
		due := func(interval int) bool { return t.Steps()%interval == 0 || t.Steps() == o.MaxSteps }
		if due(o.LogEvery) {
			if err := log.Write(t.Losses()); err != nil {
				return err
			}
		}
		evaluated, better := false, false
		if due(o.EvalEvery) {
			var record any
			if record, better, err = t.Evaluate(); err != nil {
				return err
			}
			if better {
				if err := t.Save(best); err != nil {
					return err
				}
			}
			if evaluated = record != nil; evaluated {
				if err := log.Write(record); err != nil {
					return err
				}
			}
		}
		// With every best one, or a run that goes on from before it and ends before
		// it would have a best checkpoint that is none of its own.
		if better || due(o.CheckpointEvery) {
			if err := t.Save(latest); err != nil {
				return err
			}
		}
		if o.Progress != nil {
			o.Progress(evaluated)
		}
	}
	return t.Finish()
}

// openLog opens the log of a run that has done the given number of steps.
func (o Options) openLog(steps int) (*Log, error) {
	if steps > 0 || o.Untrained == nil {
		return OpenLog(o.Dir, steps)
	}
	log, err := OpenLog(o.Dir, -1) // without what an earlier attempt has begun with
	if err != nil {
		return nil, err
	}
	record, err := o.Untrained()
	if err == nil && record != nil {
		err = log.Write(record)
	}
	if err != nil {
		log.Close()
		return nil, err
	}
	return log, nil
}
