// Package atomicfile writes output files that are either complete or absent.
//
// Create opens a hidden temporary file in the folder of the target. Commit
// moves it over the target; until then the target keeps its old content. After
// an error, or Abort, no trace is left. A process that is killed leaves
// ".NAME.tmp-*" beside the target, which is safe to delete; Sweep does.
//
// Errors do not repeat the path of the target: the caller adds it.
package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// maxNameBytes bounds the part of the target's name that the temporary name
// repeats, so that the latter stays under the usual limit of 255 bytes.
const maxNameBytes = 200

// tempMark is what tells temporary files, which begin with a dot, from others.
const tempMark = ".tmp-"

// File is an output file that is being written. It is not buffered and not
// safe for concurrent use.
type File struct {
	f      *os.File
	target string // where Commit moves the file; "" when f is the target itself
	err    error  // first failure, or errFinished
}

var errFinished = errors.New("file already finished")

// Create starts the replacement of the file at path. A symbolic link is
// followed, so the link stays and the file it names is replaced. Something that
// is not a regular file, such as a device or a named pipe, is written directly.
// An existing file keeps its permissions; one that may not be written to is an
// error.
func Create(path string) (*File, error) {
	switch info, err := os.Stat(path); {
	case err == nil && info.IsDir():
		return nil, errors.New("is a folder")
	case err == nil && !info.Mode().IsRegular():
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, bare(err)
		}
		return &File{f: f}, nil
	case err == nil:
		return replace(path, info.Mode().Perm())
	case errors.Is(err, fs.ErrNotExist):
		return createTemp(named(path))
	default:
		return nil, missingFolder(path, err)
	}
}

// named returns the file that is to be made where path is a symbolic link, or
// several in a row, to none.
func named(path string) string {
	const most = 40 // links in a row, as Linux has it
	for range most {
		to, err := os.Readlink(path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path), to)
		}
		path = to
	}
	return path
}

// replace starts the replacement of an existing regular file.
func replace(path string, perm fs.FileMode) (*File, error) {
	probe, err := os.OpenFile(path, os.O_WRONLY, 0) // a rename alone would overwrite read-only files
	if err != nil {
		return nil, bare(err)
	}
	probe.Close()
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return nil, bare(err)
	}
	f, err := createTemp(path)
	if err != nil {
		return nil, err
	}
	if err := f.f.Chmod(perm); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return nil, f.fail(err)
	}
	return f, nil
}

// createTemp opens the temporary file beside target.
func createTemp(target string) (*File, error) {
	folder, name := filepath.Split(target)
	if name == "" {
		return nil, errors.New("has no file name")
	}
	if len(name) > maxNameBytes {
		name = strings.ToValidUTF8(name[:maxNameBytes], "")
	}
	for {
		temp := filepath.Join(folder, fmt.Sprintf(".%s%s%08x", name, tempMark, rand.Uint32()))
		f, err := os.OpenFile(temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		if err == nil {
			return &File{f: f, target: target}, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, missingFolder(target, err)
		}
	}
}

// missingFolder says so if the folder of path is why err happened.
func missingFolder(path string, err error) error {
	folder := filepath.Dir(path)
	switch info, statErr := os.Stat(folder); {
	case errors.Is(statErr, fs.ErrNotExist):
		return fmt.Errorf("folder %s does not exist", folder)
	case errors.Is(statErr, syscall.ENOTDIR), statErr == nil && !info.IsDir():
		return fmt.Errorf("%s is not a folder", folder)
	}
	return fmt.Errorf("cannot create a file in folder %s: %w", folder, bare(err))
}

// Write appends p. After a failure, such as a full disk, the temporary file is
// removed and every later call returns the same error.
func (f *File) Write(p []byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	n, err := f.f.Write(p)
	if err != nil {
		return n, f.fail(err)
	}
	return n, nil
}

// Seek moves the position of the next Write. It fails on pipes, which is not
// an error of the file: writing can go on.
func (f *File) Seek(offset int64, whence int) (int64, error) {
	if f.err != nil {
		return 0, f.err
	}
	pos, err := f.f.Seek(offset, whence)
	if err != nil {
		return pos, bare(err)
	}
	return pos, nil
}

// Commit makes the file durable and moves it to its target. After an error the
// target is as it was before Create.
func (f *File) Commit() error {
	if f.err != nil {
		return f.err
	}
	if f.target == "" {
		f.err = errFinished
		if err := f.f.Close(); err != nil {
			return bare(err)
		}
		return nil
	}
	if err := f.f.Sync(); err != nil {
		return f.fail(err)
	}
	if err := f.f.Close(); err != nil {
		return f.fail(err)
	}
	if err := os.Rename(f.f.Name(), f.target); err != nil {
		return f.fail(err)
	}
	f.err = errFinished
	syncFolder(filepath.Dir(f.target))
	return nil
}

// syncFolder makes a rename durable. Not every system lets a folder be synced,
// and the file is in place by now, so failures are of no consequence.
func syncFolder(folder string) {
	if d, err := os.Open(folder); err == nil {
		_ = d.Sync()
		d.Close()
	}
}

// Abort gives the file up and removes the temporary file. After Commit, or a
// second time, it does nothing, so it can be deferred.
func (f *File) Abort() {
	if f.err == nil {
		_ = f.fail(errFinished)
	}
}

// fail ends the file with err, removes what was written and returns err.
func (f *File) fail(err error) error {
	f.err = bare(err)
	f.f.Close()
	if f.target != "" {
		os.Remove(f.f.Name())
	}
	return f.err
}

// bare strips operation and path, which name the temporary file.
func bare(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	var linkErr *os.LinkError
	if errors.As(err, &linkErr) {
		return linkErr.Err
	}
	return err
}

var _ io.WriteSeeker = (*File)(nil)
