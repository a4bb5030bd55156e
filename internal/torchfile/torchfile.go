// Package torchfile reads the files of PyTorch's torch.save: tensors and plain
// containers, nothing else, and without running anything.
//
// A file holds a pickle, which is a program for a small stack machine that in
// Python may call any function by name. Here it may call three:
// collections.OrderedDict and collections.Counter, which make a Dict, and
// torch._utils._rebuild_tensor_v2, which makes a Tensor. Every other name, and
// every operation that torch.save does not use, is refused with an
// UnsupportedError that says which, as Read meets it.
//
// # Format
//
// Since PyTorch 1.6 a file is a ZIP archive whose entries are stored, not
// compressed: NAME/data.pkl is the pickle, and NAME/data/KEY the elements of
// the storage KEY. Before, and with _use_new_zipfile_serialization=False, it is
// a sequence of pickles (a magic number, the protocol version 1001, facts of
// the machine, the object, the list of storage keys) and behind them the
// storages in the order of the list, each its number of elements (8 bytes) and
// the elements. Both are little-endian; files of big-endian machines are
// refused, and so are the tar archives of PyTorch before 0.2.
//
// # Bounds
//
// Pickles have at most 1 MiB, the values they make are bounded by it, and
// tensors are read when asked for, never more than their storage, which the
// file must hold.
package torchfile

import (
	"errors"
	"fmt"
	"io"
)

// A FormatError reports that the input is not a valid file of torch.save.
type FormatError string

func (e FormatError) Error() string { return "torchfile: invalid format: " + string(e) }

func formatErrorf(format string, args ...any) error { return FormatError(fmt.Sprintf(format, args...)) }

// An UnsupportedError reports a file with something that this package does not
// read, or refuses.
type UnsupportedError string

func (e UnsupportedError) Error() string { return "torchfile: unsupported feature: " + string(e) }

func unsupportedErrorf(format string, args ...any) error {
	return UnsupportedError(fmt.Sprintf(format, args...))
}

// Read returns the object in a file of size bytes. Tensors keep r and read
// their elements from it when asked.
//
// A value is nil, bool, int64, float64, string, Tuple, *List, *Dict or *Tensor.
// Values may be shared, and a hostile file can make a List or Dict contain
// itself.
func Read(r io.ReaderAt, size int64) (any, error) {
	var head [len(legacyMagic)]byte
	n, err := r.ReadAt(head[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("torchfile: %w", err)
	}
	switch start := string(head[:n]); {
	case n >= 4 && start[:4] == "PK\x03\x04":
		return readZip(r, size)
	case isLegacy(start):
		return readLegacy(r, size)
	case n == 0:
		return nil, formatErrorf("empty file")
	default:
		return nil, formatErrorf("file begins with %q, want a file of torch.save", start[:min(n, 4)])
	}
}
