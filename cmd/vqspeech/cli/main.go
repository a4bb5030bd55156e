// Package cli is the command line of vqspeech: one file per verb, each from
// flags over configuration to calls of the library and a report.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"vqspeech/internal/simd"
	"vqspeech/internal/strict"
	"vqspeech/model"
	"vqspeech/model/embedded"
)

// grace is how long a verb may take to end by itself after an interrupt. What
// it is doing may not be interruptible, such as waiting for standard input.
const grace = time.Second

// Main runs vqspeech with the arguments after the program's name and returns
// the exit status.
func Main(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	a := &app{stdout: firstError{Writer: os.Stdout}, stderr: os.Stderr}
	root := a.rootCmd()
	root.SetArgs(args)
	root.SetOut(&a.stdout)

	done := make(chan int, 1)
	go func() { done <- a.execute(ctx, root) }()
	select {
	case status := <-done:
		return status
	case <-ctx.Done():
		stop() // a second interrupt ends the program at once
	}
	var late <-chan time.Time // never, for verbs that have work to save
	if !a.savesOnInterrupt.Load() {
		late = time.After(grace)
	}
	select {
	case status := <-done:
		return status
	case <-late:
		a.abortOutputs()
		printError(a.stderr, errInterrupted)
		return 1
	}
}

// firstError keeps the first error of a Writer: cobra does not tell of help that
// could not be written. Errors are without the name of the file.
type firstError struct {
	io.Writer
	err error
}

func (w *firstError) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	err = strict.Cause(err)
	if w.err == nil {
		w.err = err
	}
	return n, err
}

// Command returns the whole command tree, for documentation.
func Command() *cobra.Command { return (&app{stderr: os.Stderr}).rootCmd() }

var errInterrupted = errors.New("interrupted")

// app is what the verbs of one run share.
type app struct {
	stdout           firstError
	stderr           io.Writer
	modelPath        string
	started          bool // a verb runs: errors are no longer usage errors
	savesOnInterrupt atomic.Bool

	mu      sync.Mutex
	outputs map[aborter]bool
}

type aborter interface{ Abort() }

// execute runs the command and prints what went wrong.
func (a *app) execute(ctx context.Context, root *cobra.Command) (status int) {
	defer func() {
		if p := recover(); p != nil {
			a.abortOutputs()
			printError(a.stderr, fmt.Errorf("internal error: %s", strings.Join(strings.Fields(fmt.Sprint(p)), " ")))
			if os.Getenv("VQSPEECH_TRACE") != "" {
				fmt.Fprintf(a.stderr, "%s", debug.Stack())
			} else {
				printHint(a.stderr, "this is a fault of the program; VQSPEECH_TRACE=1 shows where")
			}
			status = 1
		}
	}()
	cmd, err := root.ExecuteContextC(ctx)
	var usage usageError
	switch full := a.stdout.err; {
	case full != nil && (err == nil || errors.Is(err, full)):
		printError(a.stderr, fmt.Errorf("%s: %w", outputName("-"), full))
		return 1
	case err == nil:
		return 0
	case errors.As(err, &usage) || !a.started:
		printError(a.stderr, err)
		if usage.hint == "" {
			usage.hint = fmt.Sprintf("%s --help shows the usage", cmd.CommandPath())
		}
		printHint(a.stderr, usage.hint)
		return 2
	case errors.Is(err, errReported):
		return 1
	case errors.Is(err, context.Canceled): // a verb that has nothing to add
		err = errInterrupted
	}
	printError(a.stderr, err)
	var hint hintError
	if errors.As(err, &hint) {
		printHint(a.stderr, hint.hint)
	}
	return 1
}

// verb wraps a RunE so that errors before it count as usage errors.
func (a *app) verb(f func(cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := simd.EnvError(); err != nil {
			return usagef("%v", err)
		}
		a.started = true
		return f(cmd, args)
	}
}

// model loads the model of --model, else the embedded one.
func (a *app) model() (*model.Model, error) {
	if a.modelPath == "" {
		return embedded.Default()
	}
	m, err := model.Load(a.modelPath)
	return m, named(a.modelPath, err)
}

// noModel refuses --model for a verb that would not look at it; instead says where
// its model comes from.
func (a *app) noModel(instead string) error {
	if a.modelPath == "" {
		return nil
	}
	return usagef("--model: %s", instead)
}

// track remembers an unfinished output, so that an interrupt removes it.
// The returned function forgets it.
func (a *app) track(o aborter) (forget func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.outputs == nil {
		a.outputs = map[aborter]bool{}
	}
	a.outputs[o] = true
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.outputs, o)
	}
}

func (a *app) abortOutputs() {
	a.mu.Lock()
	open := slices.Collect(maps.Keys(a.outputs))
	a.mu.Unlock()
	for _, o := range open {
		o.Abort()
	}
}
