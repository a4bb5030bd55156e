package torchfile

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// readZip reads the format of PyTorch 1.6 and later.
func readZip(r io.ReaderAt, size int64) (any, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, zipError("archive", err)
	}
	entries := map[string]*zip.File{}
	name := ""
	for _, f := range z.File {
		if entries[f.Name] != nil {
			return nil, formatErrorf("entry %.80q occurs twice", f.Name)
		}
		entries[f.Name] = f
		if folder, ok := strings.CutSuffix(f.Name, "/data.pkl"); ok && !strings.Contains(folder, "/") {
			if name != "" {
				return nil, formatErrorf("entries %.80q and %.80q, want one data.pkl", name, f.Name)
			}
			name = f.Name
		}
	}
	if name == "" {
		return nil, formatErrorf("archive without a data.pkl, want a file of torch.save")
	}
	folder := strings.TrimSuffix(name, "data.pkl")
	if f := entries[folder+"byteorder"]; f != nil {
		order, err := readEntry(f, size)
		if err != nil {
			return nil, err
		}
		if string(order) != "little" {
			return nil, unsupportedErrorf("byte order %.20q", order)
		}
	}
	if n := entries[name].UncompressedSize64; n > maxPickle {
		return nil, formatErrorf("pickle of %d bytes, want at most %d", n, maxPickle)
	}
	pickle, err := readEntry(entries[name], size)
	if err != nil {
		return nil, err
	}
	known := storages{}
	return newUnpickler(bytes.NewReader(pickle), func(id Tuple) (any, error) {
		s, err := known.persistent(id)
		if err != nil || s.bytes != nil {
			return s, err
		}
		f := entries[folder+"data/"+s.key]
		if f == nil {
			return nil, formatErrorf("entry %.80q is missing", folder+"data/"+s.key)
		}
		if err := stored(f, size); err != nil {
			return nil, err
		}
		if want := s.elements * dtypes[s.dtype].size; f.UncompressedSize64 != uint64(want) {
			return nil, formatErrorf("entry %.80q has %d bytes, want %d for %d of %v", f.Name, f.UncompressedSize64, want, s.elements, s.dtype)
		}
		s.bytes = func() ([]byte, error) { return readEntry(f, size) }
		return s, nil
	}).load()
}

// stored checks that an entry is not compressed and no larger than the file of
// size bytes, so that what it claims is there to be read.
func stored(f *zip.File, size int64) error {
	if f.Method != zip.Store {
		return unsupportedErrorf("entry %.80q is compressed", f.Name)
	}
	if f.UncompressedSize64 != f.CompressedSize64 || f.UncompressedSize64 > uint64(size) {
		return formatErrorf("entry %.80q claims %d bytes, stored as %d in a file of %d", f.Name, f.UncompressedSize64, f.CompressedSize64, size)
	}
	return nil
}

// readEntry reads the whole of an entry and checks its CRC.
func readEntry(f *zip.File, size int64) ([]byte, error) {
	if err := stored(f, size); err != nil {
		return nil, err
	}
	r, err := f.Open()
	if err != nil {
		return nil, zipError(f.Name, err)
	}
	defer r.Close()
	b := make([]byte, f.UncompressedSize64)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, zipError(f.Name, err)
	}
	if _, err := r.Read(make([]byte, 1)); err != io.EOF { // the CRC is checked at the end
		return nil, zipError(f.Name, err)
	}
	return b, nil
}

func zipError(what string, err error) error {
	for _, broken := range []error{zip.ErrFormat, zip.ErrAlgorithm, zip.ErrChecksum, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, broken) {
			if broken == io.EOF || broken == io.ErrUnexpectedEOF {
				return formatErrorf("%.80q ends early", what)
			}
			return formatErrorf("%.80q: %s", what, strings.TrimPrefix(broken.Error(), "zip: "))
		}
	}
	return fmt.Errorf("torchfile: %.80q: %w", what, err)
}
