package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"vqspeech/internal/atomicfile"
	"vqspeech/internal/strict"
)

// A job is one input and where its result goes; "-" stands for the standard
// streams.
type job struct{ in, out string }

func (j job) toStdout() bool { return j.out == "-" }

// plan decides where the result of each input goes: the file out; the folder
// out, if it ends in a separator or exists; or, if out is empty, beside the
// input. suffix replaces the input's own. Two results in one place are an
// error unless shared allows them one file, and so is a result in the place of an
// input. A folder that ends in a separator is made.
func plan(inputs []string, out, suffix string, shared bool) ([]job, error) {
	var jobs []job
	stdin, from, read := 0, map[string]string{}, map[string]string{}
	for _, in := range inputs {
		read[place(in)] = in
	}
	for _, in := range inputs {
		if in == "" {
			return nil, usagef("an input is an empty name")
		}
		if in == "-" {
			stdin++
		}
		j := job{in: in, out: out}
		switch {
		case out == "" && in == "-":
			j.out = "-"
		case out == "":
			j.out = strings.TrimSuffix(in, filepath.Ext(in)) + suffix
		case isFolder(out) && in == "-":
			j.out = filepath.Join(out, "stdin"+suffix)
		case isFolder(out):
			base := filepath.Base(in)
			j.out = filepath.Join(out, strings.TrimSuffix(base, filepath.Ext(base))+suffix)
		}
		at := place(j.out)
		if j.out != "-" && sameFile(j.in, j.out) {
			return nil, usagef("%s would be overwritten by its own result, choose another with -o", j.in)
		}
		if other, ok := read[at]; ok && j.out != "-" && sameFile(other, j.out) {
			return nil, usagef("%s would be overwritten by the result of %s, choose another place with -o", other, j.in)
		}
		if other, dup := from[at]; dup && !(shared && j.out == out) {
			if j.out == out {
				return nil, usagef("%d inputs and one output %s, want -o DIR%c", len(inputs), out, filepath.Separator)
			}
			return nil, usagef("%s and %s would both be written to %s", other, j.in, j.out)
		}
		from[at] = j.in
		jobs = append(jobs, j)
	}
	if stdin > 1 {
		return nil, usagef("standard input can be read only once")
	}
	return jobs, makeFolder(out)
}

// place names a file in the one way by which two paths to it are known to be the
// same.
func place(path string) string {
	if path == "-" {
		return path
	}
	if whole, err := filepath.Abs(path); err == nil {
		path = whole
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	if folder, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil { // the file is yet to be made
		return filepath.Join(folder, filepath.Base(path))
	}
	return path
}

// makeFolder makes the folder out if it ends in a separator, as only folders do.
func makeFolder(out string) error {
	if out == "" || !os.IsPathSeparator(out[len(out)-1]) {
		return nil
	}
	if err := os.MkdirAll(out, 0o777); err != nil {
		return outputNamed(out, strict.Cause(err))
	}
	return nil
}

func isFolder(path string) bool {
	if path == "" || path == "-" {
		return false
	}
	if os.IsPathSeparator(path[len(path)-1]) {
		return true
	}
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// sameFile reports whether the output would replace the input. A device such
// as /dev/null can be both.
func sameFile(in, out string) bool {
	a, err := os.Stat(in)
	if err != nil || !a.Mode().IsRegular() {
		return false
	}
	b, err := os.Stat(out)
	return err == nil && os.SameFile(a, b)
}

// output is a result file that is complete or absent, or standard output. It
// counts what is written.
type output struct {
	name   string
	bytes  int64
	pos    int64
	file   *atomicfile.File // nil for standard output
	stdout io.Writer
	forget func()
}

func (a *app) create(cmd *cobra.Command, path string) (*output, error) {
	if path == "" || path == "-" {
		return &output{name: outputName(path), stdout: cmd.OutOrStdout(), forget: func() {}}, nil
	}
	f, err := atomicfile.Create(path)
	if err != nil {
		return nil, outputNamed(path, err)
	}
	o := &output{name: path, file: f}
	o.forget = a.track(o)
	return o, nil
}

// outputName is how an output is shown.
func outputName(path string) string {
	if path == "" || path == "-" {
		return "(stdout)"
	}
	return path
}

// Write counts the bytes and names the file in errors.
func (o *output) Write(p []byte) (n int, err error) {
	if o.file == nil {
		n, err = o.stdout.Write(p)
	} else {
		n, err = o.file.Write(p)
	}
	o.pos += int64(n)
	o.bytes = max(o.bytes, o.pos)
	return n, o.named(err)
}

// Seek lets a writer go back to its header; standard output stays where it is.
func (o *output) Seek(offset int64, whence int) (int64, error) {
	if o.file == nil {
		return 0, errors.New("standard output cannot seek")
	}
	pos, err := o.file.Seek(offset, whence)
	if err == nil {
		o.pos = pos
	}
	return pos, err
}

// Commit completes the file. Abort after Commit does nothing.
func (o *output) Commit() error {
	if o.file == nil {
		return nil
	}
	err := o.file.Commit()
	o.forget()
	return o.named(err)
}

// Abort removes what was written.
func (o *output) Abort() {
	if o.file != nil {
		o.forget()
		o.file.Abort()
	}
}

func (o *output) named(err error) error {
	if err == nil {
		return nil
	}
	return outputError{fmt.Errorf("%s: %w", o.name, err)}
}

// outputError is a fault of an output, which it names: the input that was
// being read has nothing to do with it.
type outputError struct{ error }

func (e outputError) Unwrap() error { return e.error }
