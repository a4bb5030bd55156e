// Package npy reads and writes NumPy's .npy files: one array of float32
// ('<f4'), int32 ('<i4'), uint16 ('<u2') or uint8 ('|u1'), in C order, format
// version 1.0.
//
// A file is the magic "\x93NUMPY", the version (1, 0), the length of the header
// (uint16, little-endian), the header (a Python dictionary, padded with spaces
// and ended by a newline so that the data begins at a multiple of 64) and the
// elements. See numpy.lib.format. Numbers reads more types, piece by piece.
package npy

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

const (
	magic     = "\x93NUMPY"
	alignment = 64
	maxRank   = 16

	// maxPrealloc bounds, in elements, what is allocated before data was seen.
	maxPrealloc = 1 << 16
)

// Element is an element type that files can have.
type Element interface {
	float32 | int32 | uint16 | uint8
}

// A FormatError reports that the input is not a valid .npy file.
type FormatError string

func (e FormatError) Error() string { return "npy: invalid format: " + string(e) }

func formatErrorf(format string, args ...any) error { return FormatError(fmt.Sprintf(format, args...)) }

// An UnsupportedError reports a valid file that this package does not read:
// another version, element type or order.
type UnsupportedError string

func (e UnsupportedError) Error() string { return "npy: unsupported feature: " + string(e) }

// descr returns the type descriptor and the size of T in bytes.
func descr[T Element]() (string, int) {
	var zero T
	switch any(zero).(type) {
	case float32:
		return "<f4", 4
	case int32:
		return "<i4", 4
	case uint16:
		return "<u2", 2
	default:
		return "|u1", 1
	}
}

// Write writes an array of the given shape (outermost axis first; empty for a
// scalar). Nothing is written if len(data) is not the product of the shape.
func Write[T Element](w io.Writer, shape []int, data []T) error {
	n, ok := product(shape)
	if !ok || n != len(data) {
		return fmt.Errorf("npy: shape %v does not fit %d elements", shape, len(data))
	}
	bw := bufio.NewWriterSize(w, 1<<16)
	_, err := bw.Write(Header[T](shape))
	for _, v := range data {
		if err != nil {
			return err
		}
		_, err = bw.Write(appendElement(bw.AvailableBuffer(), v))
	}
	if err != nil {
		return err
	}
	return bw.Flush()
}

// Header returns everything in front of the data of an array of T, for files
// that are written, or read, piece by piece.
func Header[T Element](shape []int) []byte {
	dims := make([]string, len(shape))
	for i, d := range shape {
		dims[i] = strconv.Itoa(d)
	}
	tuple := strings.Join(dims, ", ")
	if len(shape) == 1 {
		tuple += ","
	}
	name, _ := descr[T]()
	dict := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", name, tuple)
	fixed := len(magic) + 2 + 2
	dict += strings.Repeat(" ", alignment-1-(fixed+len(dict))%alignment) + "\n"
	b := append([]byte(magic), 1, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(dict)))
	return append(b, dict...)
}

func appendElement[T Element](b []byte, v T) []byte {
	switch v := any(v).(type) {
	case float32:
		return binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	case int32:
		return binary.LittleEndian.AppendUint32(b, uint32(v))
	case uint16:
		return binary.LittleEndian.AppendUint16(b, v)
	case uint8:
		return append(b, v)
	}
	return b
}

// product returns the number of elements of a shape, if it is valid and its
// bytes can be counted.
func product(shape []int) (int, bool) {
	n := uint64(1)
	for _, d := range shape {
		hi, lo := bits.Mul64(n, uint64(d))
		if d < 0 || hi != 0 || lo > math.MaxInt/4 {
			return 0, false
		}
		n = lo
	}
	return int(n), len(shape) <= maxRank
}

// Read reads a whole file whose elements must have type T. Memory is allocated
// as data arrives, whatever the header says.
func Read[T Element](r io.Reader) (shape []int, data []T, err error) {
	br := bufio.NewReaderSize(r, 1<<16)
	head, err := readHeader(br)
	if err != nil {
		return nil, nil, err
	}
	name, size := descr[T]()
	if head.descr != name {
		return nil, nil, UnsupportedError(fmt.Sprintf("elements of type %q, want %q", head.descr, name))
	}
	n, ok := product(head.shape)
	if !ok {
		return nil, nil, formatErrorf("shape %v is too large", head.shape)
	}
	data = make([]T, 0, min(n, maxPrealloc))
	var element [4]byte
	for len(data) < n {
		if err := readFull(br, element[:size], "data of %d elements", n); err != nil {
			return nil, nil, err
		}
		data = append(data, elementOf[T](element[:size]))
	}
	if err := readEnd(br, n, head.shape); err != nil {
		return nil, nil, err
	}
	return head.shape, data, nil
}

func elementOf[T Element](b []byte) T {
	var v T
	switch p := any(&v).(type) {
	case *float32:
		*p = math.Float32frombits(binary.LittleEndian.Uint32(b))
	case *int32:
		*p = int32(binary.LittleEndian.Uint32(b))
	case *uint16:
		*p = binary.LittleEndian.Uint16(b)
	case *uint8:
		*p = b[0]
	}
	return v
}

// readEnd wants the file to end after the n elements of a shape.
func readEnd(r *bufio.Reader, n int, shape []int) error {
	switch _, err := r.ReadByte(); {
	case err == nil:
		return formatErrorf("bytes after the %d elements of shape %v", n, shape)
	case err != io.EOF:
		return fmt.Errorf("npy: %w", err)
	}
	return nil
}

// readFull fills p; what and args name what is being read if the file ends.
func readFull(r io.Reader, p []byte, what string, args ...any) error {
	switch _, err := io.ReadFull(r, p); {
	case err == nil:
		return nil
	case err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF):
		return formatErrorf("file ends within the "+what, args...)
	default:
		return fmt.Errorf("npy: %w", err)
	}
}
