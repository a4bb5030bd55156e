package cli

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// laneStreams is the number of utterances that a network generates together on a
// core: with more of them, what they share is no longer what they cost.
const laneStreams = 8

// inLanes runs jobs side by side, each with a voicing that may share its work
// with the others, and reports them in their order, on the goroutine of the
// caller. A job starts when one before it has ended, so that memory does not
// follow their number.
//
// It returns when nothing runs any more: after the first error of report, or
// after ctx, which it then returns, jobs that have begun end by themselves.
func inLanes[R any](ctx context.Context, v voices, jobs []job, run func(context.Context, voicing, job) (R, error), report func(job, R, error) error) error {
	type outcome struct {
		report R
		err    error
	}
	cores := min(runtime.GOMAXPROCS(0), len(jobs))
	lanes := cores
	if v.generator != nil {
		lanes = min(laneStreams*cores, len(jobs))
	}
	outcomes := make([]chan outcome, len(jobs))
	for i := range outcomes {
		outcomes[i] = make(chan outcome, 1)
	}
	panics := make(chan any, lanes)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var next atomic.Int64 // job that no lane has taken
	var wait sync.WaitGroup
	for core := range cores {
		n := (lanes - core + cores - 1) / cores
		voice, leave := v.together(n)
		lane := func() {
			defer leave()
			defer func() {
				if p := recover(); p != nil {
					panics <- p
				}
			}()
			for i := next.Add(1) - 1; i < int64(len(jobs)) && ctx.Err() == nil; i = next.Add(1) - 1 {
				r, err := run(ctx, voice, jobs[i])
				outcomes[i] <- outcome{r, err}
			}
		}
		for range n {
			wait.Go(lane)
		}
	}
	end := func(err error) error {
		cancel()
		wait.Wait()
		return err
	}
	for i, j := range jobs {
		select {
		case o := <-outcomes[i]:
			if err := report(j, o.report, o.err); err != nil {
				return end(err)
			}
		case p := <-panics: // others of its group may wait for ever
			panic(p)
		case <-ctx.Done():
			return end(ctx.Err())
		}
	}
	return end(nil)
}
