package cli

// Rules of the terminal interface:
//
//   - results go to stdout, everything else goes to stderr through this file
//   - an error is one line, "vqspeech: error: FILE: what is wrong, what was
//     expected"; lower case, no full stop; several errors are several lines
//   - a result that is worth less than it seems has a line "vqspeech: warning: why"
//   - a hint, if there is one, is one line, "vqspeech: hint: what to do"
//   - exit 0: done; 1: failed; 2: used wrongly
//   - verbs return errors; only Main and failures.add print them
//   - progress is a bar on a terminal, else a line every ten seconds

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"vqspeech/internal/strict"
)

const prefix = "vqspeech: "

// usageError is a command line that asks for nothing we can do.
type usageError struct {
	err  error
	hint string
}

func (e usageError) Error() string { return e.err.Error() }

func usagef(format string, args ...any) error {
	return usageError{err: fmt.Errorf(format, args...)}
}

// hintError adds what to do about an error.
type hintError struct {
	error
	hint string
}

func (e hintError) Unwrap() error { return e.error }

// errReported ends a verb whose failures were already printed.
var errReported = errors.New("some inputs failed")

// printError prints every line of err as an error of its own.
func printError(w io.Writer, err error) {
	for line := range strings.Lines(err.Error()) {
		if line = strings.TrimSpace(line); line != "" {
			fmt.Fprintf(w, "%serror: %s\n", prefix, line)
		}
	}
}

// printWarning prints what a result is worth less for.
func printWarning(w io.Writer, format string, args ...any) {
	fmt.Fprintf(w, prefix+"warning: "+format+"\n", args...)
}

func printHint(w io.Writer, hint string) { fmt.Fprintf(w, "%shint: %s\n", prefix, hint) }

// failures collects what went wrong with some of several inputs: each is
// printed when it happens, the others go on.
type failures struct {
	w     io.Writer
	count int
}

func (f *failures) add(err error) {
	if err != nil {
		printError(f.w, err)
		f.count++
		var h hintError
		if errors.As(err, &h) {
			printHint(f.w, h.hint)
		}
	}
}

// result ends a verb: nil, or errReported after a count.
func (f *failures) result(total int) error {
	if f.count == 0 {
		return nil
	}
	if total > 1 {
		printError(f.w, fmt.Errorf("%d of %d failed", f.count, total))
	}
	return errReported
}

// nothing ends a verb that could read none of its inputs. The JSON object lists why.
func (f *failures) nothing(stdout io.Writer, asJSON bool, report any, total int) error {
	if asJSON {
		if err := writeJSON(stdout, report); err != nil {
			return err
		}
	}
	return f.result(total)
}

// named puts the file in front of an error that does not name it yet.
func named(file string, err error) error {
	if err == nil {
		return nil
	}
	var o outputError
	if errors.As(err, &o) {
		return o
	}
	name := display(file)
	var p *fs.PathError
	if errors.As(err, &p) && (p.Path == file || p.Path == name) {
		err = p.Err
	}
	if strings.HasPrefix(err.Error(), name+": ") {
		return err
	}
	return fmt.Errorf("%s: %w", name, err)
}

// pathFirst turns "open FILE: cause" of package os into "FILE: cause"; other
// errors name their file already.
func pathFirst(err error) error {
	if p, ok := err.(*fs.PathError); ok {
		return fmt.Errorf("%s: %w", display(p.Path), p.Err)
	}
	return err
}

// display is how a file argument is shown.
func display(file string) string {
	if file == "-" {
		return "(stdin)"
	}
	if !strict.Printable(file) {
		return strconv.Quote(file)
	}
	return file
}

// writeJSON prints v as one line of JSON.
func writeJSON(w io.Writer, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(b, '\n'))
	return unwritten(err)
}

// unwritten is a fault of standard output, which it names.
func unwritten(err error) error {
	if err == nil {
		return nil
	}
	return outputError{fmt.Errorf("(stdout): %w", strict.Cause(err))}
}

// meter shows how far a long job is.
type meter struct {
	w     io.Writer
	bar   *progressbar.ProgressBar // nil when w is not a terminal
	what  string
	last  time.Time
	begun time.Time
}

const meterInterval = 10 * time.Second

func newMeter(w io.Writer, what string, total int) *meter {
	m := &meter{w: w, what: what, begun: time.Now(), last: time.Now()}
	if f, ok := w.(*os.File); ok && hasBar(f) {
		m.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
			progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
	}
	return m
}

// barWidth is the least width of a terminal that a bar fits (columns).
const barWidth = 80

// hasBar says whether f is a terminal that can redraw a line, and wide enough.
func hasBar(f *os.File) bool {
	if !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" {
		return false
	}
	wide, _, err := term.GetSize(int(f.Fd()))
	return err != nil || wide == 0 || wide >= barWidth
}

func (m *meter) set(done, total int) {
	if m.bar != nil {
		m.bar.Describe(m.what)
		if m.bar.GetMax() != total { // not known when the bar was made
			m.bar.ChangeMax(total)
		}
		_ = m.bar.Set(done) // a terminal that went away is no reason to stop
		return
	}
	if now := time.Now(); now.Sub(m.last) >= meterInterval {
		m.last = now
		fmt.Fprintf(m.w, "%s%s: %d of %d after %s\n", prefix, m.what, done, total, now.Sub(m.begun).Round(time.Second))
	}
}

// note prints a line that stays.
func (m *meter) note(format string, args ...any) {
	if m.bar != nil {
		_ = m.bar.Clear()
	}
	fmt.Fprintf(m.w, prefix+format+"\n", args...)
}

func (m *meter) finish() {
	if m.bar != nil {
		_ = m.bar.Finish()
	}
}
