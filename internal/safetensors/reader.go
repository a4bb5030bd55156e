// Package safetensors reads and writes the safetensors format: named tensors
// and string metadata in one file, without code.
//
// A file is the length of the header (8 bytes, little-endian), the header (a
// JSON object: for every tensor its dtype, shape and data_offsets, and
// "__metadata__"; padded with spaces) and the tensors, row-major,
// little-endian, without gaps. See https://huggingface.co/docs/safetensors.
//
// Files are checked strictly, and nothing is allocated on the word of a header
// alone: what is read is bounded by the size of the file.
package safetensors

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"vqspeech/internal/float16"
	"vqspeech/internal/strict"
)

// maxHeader is the limit of the reference implementation.
const maxHeader = 100 << 20

// chunkBytes is how much of a tensor is converted at a time; a multiple of
// every element size.
const chunkBytes = 1 << 16

// A FormatError reports that the input is not a valid safetensors file.
type FormatError string

func (e FormatError) Error() string { return "safetensors: invalid format: " + string(e) }

func formatErrorf(format string, args ...any) error { return FormatError(fmt.Sprintf(format, args...)) }

// ErrTorch reports a file of PyTorch's torch.save.
const ErrTorch = FormatError("a file of PyTorch (torch.save)")

// isTorch goes by the first bytes: of a ZIP archive, or of a pickle as before
// PyTorch 1.6.
func isTorch(head []byte) bool {
	return bytes.HasPrefix(head, []byte("PK\x03\x04")) || bytes.HasPrefix(head, []byte{0x80, 2})
}

// An UnsupportedError reports a valid file that uses what this package does
// not read.
type UnsupportedError string

func (e UnsupportedError) Error() string { return "safetensors: unsupported feature: " + string(e) }

// File is a parsed header. Tensors are read when asked for.
type File struct {
	Metadata map[string]string // never nil
	Tensors  []Info            // sorted by name

	byName map[string]int
	r      io.ReaderAt
	size   int64 // of the whole file
	base   int64 // where the data begins
}

// Info describes one tensor.
type Info struct {
	Name  string
	DType DType
	Shape []int // outermost axis first; empty for a scalar

	begin, end uint64 // bytes from File.base
}

// Len returns the number of elements.
func (t Info) Len() int { return int((t.end - t.begin) / t.DType.size()) }

// Load opens the file at path for read. Errors name it.
func Load[T any](path string, read func(*File) (T, error)) (T, error) {
	var none T
	if _, err := strict.Stat(path); err != nil {
		return none, err
	}
	file, err := os.Open(path)
	if err != nil {
		return none, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return none, err
	}
	f, err := Read(file, info.Size())
	if err != nil {
		return none, fmt.Errorf("%s: %w", path, err)
	}
	v, err := read(f)
	if err != nil {
		return none, fmt.Errorf("%s: %w", path, err)
	}
	return v, nil
}

// Parse reads a file from memory. The File refers to b.
func Parse(b []byte) (*File, error) { return Read(bytes.NewReader(b), int64(len(b))) }

// Read reads the header of a file of size bytes. The File keeps r.
func Read(r io.ReaderAt, size int64) (*File, error) {
	var length [8]byte
	if size < int64(len(length)) {
		return nil, formatErrorf("file is %d bytes, want at least 8", max(size, 0))
	}
	if err := readAt(r, length[:], 0); err != nil {
		return nil, err
	}
	n, rest := binary.LittleEndian.Uint64(length[:]), uint64(size)-8
	switch {
	case (n > maxHeader || n > rest) && isTorch(length[:]):
		return nil, ErrTorch
	case n > maxHeader:
		return nil, formatErrorf("file begins with %q, want the size of a header, at most %d", length, maxHeader)
	case n > rest:
		return nil, formatErrorf("header of %d bytes, but only %d follow", n, rest)
	}
	text := make([]byte, n)
	if err := readAt(r, text, 8); err != nil {
		return nil, err
	}
	f, err := parseHeader(text, rest-n)
	if err != nil {
		return nil, err
	}
	f.r, f.size, f.base = r, size, int64(8+n)
	return f, nil
}

// SHA256 returns the hash of the whole file.
func (f *File) SHA256() (sum [sha256.Size]byte, err error) {
	hash := sha256.New()
	if _, err := io.Copy(hash, io.NewSectionReader(f.r, 0, f.size)); err != nil {
		return sum, fmt.Errorf("safetensors: %w", err)
	}
	return [sha256.Size]byte(hash.Sum(nil)), nil
}

// readAt fills p from r; an early end is an error.
func readAt(r io.ReaderAt, p []byte, off int64) error {
	n, err := r.ReadAt(p, off)
	switch {
	case n == len(p):
		return nil
	case err == nil || errors.Is(err, io.EOF):
		return formatErrorf("file ends at byte %d, want %d", off+int64(n), off+int64(len(p)))
	}
	return fmt.Errorf("safetensors: %w", err)
}

// Info returns the description of the named tensor.
func (f *File) Info(name string) (Info, bool) {
	i, ok := f.byName[name]
	if !ok {
		return Info{}, false
	}
	return f.Tensors[i], true
}

// F32 reads a tensor of dtype F32, F16 or BF16.
func (f *File) F32(name string) (data []float32, shape []int, err error) {
	info, err := f.find(name, F32, F16, BF16)
	if err != nil {
		return nil, nil, err
	}
	convert := func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }
	switch info.DType {
	case F16:
		convert = func(b []byte) float32 { return float16.Float32(binary.LittleEndian.Uint16(b)) }
	case BF16:
		convert = func(b []byte) float32 { return float16.BFloat32(binary.LittleEndian.Uint16(b)) }
	}
	data, err = load(f, info, convert)
	return data, info.Shape, err
}

// I32 reads a tensor of dtype I32.
func (f *File) I32(name string) (data []int32, shape []int, err error) {
	info, err := f.find(name, I32)
	if err != nil {
		return nil, nil, err
	}
	data, err = load(f, info, func(b []byte) int32 { return int32(binary.LittleEndian.Uint32(b)) })
	return data, info.Shape, err
}

// I64 reads a tensor of dtype I64.
func (f *File) I64(name string) (data []int64, shape []int, err error) {
	info, err := f.find(name, I64)
	if err != nil {
		return nil, nil, err
	}
	data, err = load(f, info, func(b []byte) int64 { return int64(binary.LittleEndian.Uint64(b)) })
	return data, info.Shape, err
}

// U8 reads a tensor of dtype U8.
func (f *File) U8(name string) (data []uint8, shape []int, err error) {
	info, err := f.find(name, U8)
	if err != nil {
		return nil, nil, err
	}
	data, err = load(f, info, func(b []byte) uint8 { return b[0] })
	return data, info.Shape, err
}

// find returns the named tensor if it has one of the dtypes.
func (f *File) find(name string, dtypes ...DType) (Info, error) {
	info, ok := f.Info(name)
	if !ok {
		return info, fmt.Errorf("safetensors: no tensor %q", name)
	}
	for _, d := range dtypes {
		if info.DType == d {
			return info, nil
		}
	}
	return info, fmt.Errorf("safetensors: tensor %q has dtype %s, want %s", name, info.DType, dtypes[0])
}

// load reads and converts the elements of a tensor, a chunk at a time.
func load[T any](f *File, t Info, convert func([]byte) T) ([]T, error) {
	size := t.DType.size()
	data := make([]T, 0, t.Len())
	buf := make([]byte, min(t.end-t.begin, chunkBytes))
	for pos := t.begin; pos < t.end; pos += uint64(len(buf)) {
		buf = buf[:min(t.end-pos, chunkBytes)]
		if err := readAt(f.r, buf, f.base+int64(pos)); err != nil {
			return nil, err
		}
		for b := buf; len(b) > 0; b = b[size:] {
			data = append(data, convert(b))
		}
	}
	return data, nil
}
