package units

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// Writer writes one file. It holds one block, however long the file.
type Writer struct {
	w       io.Writer
	h       Header
	patch   io.WriteSeeker // w, if Close is to write the sample count into the header
	base    int64          // where the header is in patch
	pending []uint16       // units of the block that is being filled
	buf     []byte
	index   int64 // of that block
	err     error // first failure, or errClosed
}

var errClosed = errors.New("units: writer is closed")

// NewWriter writes the header. If h.Samples is Streamed and w is an
// io.WriteSeeker that can seek, Close puts the number into the header. That must
// not be a file opened for appending; standard output, which may be one, is
// never sought.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	if err := h.Validate(); err != nil {
		return nil, err
	}
	u := &Writer{w: w, h: h, pending: make([]uint16, 0, BlockUnits)}
	if seeker, ok := w.(io.WriteSeeker); ok && h.Samples == Streamed && w != io.Writer(os.Stdout) {
		if base, err := seeker.Seek(0, io.SeekCurrent); err == nil { // fails on a pipe
			u.patch, u.base = seeker, base
		}
	}
	if _, err := w.Write(appendHeader(nil, h)); err != nil {
		return nil, fmt.Errorf("units: %w", err)
	}
	return u, nil
}

// Write appends codes [n] uint16, each below the codebook size.
func (u *Writer) Write(codes []uint16) error {
	if u.err != nil {
		return u.err
	}
	for _, c := range codes {
		if int(c) >= u.h.CodebookSize {
			u.err = fmt.Errorf("units: unit %d does not fit a codebook of %d", c, u.h.CodebookSize)
			return u.err
		}
		if len(u.pending) == BlockUnits { // a full block stays until it is known not to be the last
			if err := u.flush(false, 0); err != nil {
				return err
			}
		}
		u.pending = append(u.pending, c)
	}
	return nil
}

// flush writes the pending block.
func (u *Writer) flush(final bool, samples int64) error {
	u.buf = appendBlock(u.buf[:0], u.h, u.index, u.pending, final, samples)
	if _, err := u.w.Write(u.buf); err != nil {
		u.err = fmt.Errorf("units: %w", err)
		return u.err
	}
	u.pending = u.pending[:0]
	u.index++
	return nil
}

// Close writes the final block with the exact number of samples that the units
// stand for, at the header's sample rate. It does not close the underlying
// writer. Without it the file is incomplete, and readers say so.
func (u *Writer) Close(samples int64) error {
	if u.err != nil {
		return u.err
	}
	units := u.index*BlockUnits + int64(len(u.pending))
	if err := u.h.checkSamples(units, samples); err != nil {
		u.err = fmt.Errorf("units: %w", err)
		return u.err
	}
	if u.h.Samples != Streamed && u.h.Samples != samples {
		u.err = fmt.Errorf("units: closed with %d samples, but the header says %d", samples, u.h.Samples)
		return u.err
	}
	if err := u.flush(true, samples); err != nil {
		return err
	}
	u.err = errClosed
	if u.patch == nil {
		return nil
	}
	u.h.Samples = samples
	if err := u.patchHeader(); err != nil {
		return fmt.Errorf("units: %w", err)
	}
	return nil
}

// patchHeader writes the header again and returns to the end.
func (u *Writer) patchHeader() error {
	end, err := u.patch.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	if _, err := u.patch.Seek(u.base, io.SeekStart); err != nil {
		return err
	}
	if _, err := u.patch.Write(appendHeader(u.buf[:0], u.h)); err != nil {
		return err
	}
	_, err = u.patch.Seek(end, io.SeekStart)
	return err
}
