package simd

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Parallel calls f over disjoint ranges [lo, hi) that together cover [0, n), on
// at most GOMAXPROCS threads, and returns when all are done. A range holds at
// least grain items, save the last. The bounds depend on the number of threads,
// so the result of an item must not depend on the range it is in.
//
// Calls may nest and may come from several goroutines. If f panics, Parallel
// panics on the goroutine of its caller once the other ranges are done.
func Parallel(n, grain int, f func(lo, hi int)) {
	if n <= 0 {
		return
	}
	width := runtime.GOMAXPROCS(0)
	// Four ranges a thread: one slow thread then delays the end by a quarter
	// of its share at most.
	chunk := max(grain, 1, (n+4*width-1)/(4*width))
	if width == 1 || n <= chunk {
		f(0, n)
		return
	}
	parallelRun(width, n, chunk, f)
}

// parallelJob is one call of Parallel. The caller works on it as well as the
// workers that happen to be free: it never waits for a worker to start, only
// for ranges that a worker has taken, so nested calls cannot deadlock.
type parallelJob struct {
	f        func(lo, hi int)
	n, chunk int64
	next     atomic.Int64 // first item that nobody has taken
	left     atomic.Int64 // items not yet done
	refs     atomic.Int64 // holders of the struct: the caller and queue entries
	done     chan struct{}
	failure  atomic.Pointer[any] // what f panicked with
}

var (
	parallelJobs    = sync.Pool{New: func() any { return &parallelJob{done: make(chan struct{}, 1)} }}
	parallelQueue   = make(chan *parallelJob, 256)
	parallelWorkers atomic.Int64 // started so far; they live as long as the process
)

func parallelRun(width, n, chunk int, f func(lo, hi int)) {
	j := parallelJobs.Get().(*parallelJob)
	j.f, j.n, j.chunk = f, int64(n), int64(chunk)
	j.next.Store(0)
	j.left.Store(int64(n))
	helpers := min(width, (n+chunk-1)/chunk) - 1
	j.refs.Store(1 + int64(helpers))
	j.release(int64(helpers - j.post(width, helpers)))
	j.work()
	receive(j.done)
	failure := j.failure.Load()
	j.release(1)
	if failure != nil {
		panic(*failure)
	}
}

// post offers the job to at most n workers, of whom width-1 are started as
// they are needed, and returns how many offers it made: fewer if the workers
// are far behind, and then the caller does more itself.
func (j *parallelJob) post(width, n int) int {
	for i := range n {
		if w := parallelWorkers.Load(); w < int64(width-1) && parallelWorkers.CompareAndSwap(w, w+1) {
			go parallelWorker()
		}
		select {
		case parallelQueue <- j:
		default:
			return i
		}
	}
	return n
}

func parallelWorker() {
	for {
		j := receive(parallelQueue)
		j.work()
		j.release(1)
	}
}

// parallelSpins is how often a thread looks for what it waits for before it
// sleeps. To wake it takes longer than most waits within a product or between
// two of a training step.
const parallelSpins = 1 << 13

// receive is <-c for a value that is expected soon.
func receive[T any](c <-chan T) T {
	for range parallelSpins {
		select {
		case x := <-c:
			return x
		default:
			pause()
		}
	}
	return <-c
}

// work takes ranges until none is left. Whoever finishes the last item
// signals done.
func (j *parallelJob) work() {
	for {
		lo := j.next.Add(j.chunk) - j.chunk
		if lo >= j.n {
			return
		}
		hi := min(lo+j.chunk, j.n)
		j.call(int(lo), int(hi))
		if j.left.Add(lo-hi) == 0 {
			j.done <- struct{}{}
		}
	}
}

func (j *parallelJob) call(lo, hi int) {
	defer func() {
		if r := recover(); r != nil {
			j.failure.Store(&r)
		}
	}()
	j.f(lo, hi)
}

// release gives up n references and recycles the struct with the last.
func (j *parallelJob) release(n int64) {
	if j.refs.Add(-n) == 0 {
		j.f = nil
		j.failure.Store(nil)
		parallelJobs.Put(j)
	}
}
