// Package cifar10 reads the binary version of CIFAR-10 in its own layout: SRC
// is the folder that holds cifar-10-binary.tar.gz as it was downloaded, or
// cifar-10-batches-bin, or that folder itself, with
//
//	data_batch_1.bin … data_batch_5.bin   10,000 records each
//	test_batch.bin                        10,000 records
//
// As in sony/sqvae the last 10,000 of the 50,000 training images, in file
// order, are for validation: the split "valid"; those in front are "train",
// the test batch is "test". Smaller files are split in the same proportion.
package cifar10

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"vqspeech/recipes/images"
)

// Name is the corpus as `vqspeech prepare` knows it.
const Name = "cifar10"

const (
	archive    = "cifar-10-binary.tar.gz"
	archiveMD5 = "c32a1d4ab5d03f1284b67883e8d87530" // as published
	folder     = "cifar-10-batches-bin"

	maxArchiveBytes = 512 << 20 // packed and unpacked; the published one has 170 and 184 MB
)

var files = [6]string{
	"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin",
}

// List reads CIFAR-10 in or below the folder src.
func List(src string) (images.Source, error) {
	s := images.Source{Corpus: Name, Kind: "binary batches", Root: src, Height: side, Width: side, Channels: channels}
	batches, where, err := read(src, &s)
	if err != nil {
		return s, err
	}
	print := sha256.New()
	var values, labels [2][]uint8 // of training and test, see records
	for i, data := range batches {
		v, l, err := decode(data)
		if err != nil {
			return s, fmt.Errorf("%s: %w", where(files[i]), err)
		}
		print.Write(data)
		batches[i] = nil
		values[i/5], labels[i/5] = append(values[i/5], v...), append(labels[i/5], l...)
	}
	s.Fingerprint = fmt.Sprintf("%x", print.Sum(nil))
	split := func(name string, part, from, to int) images.Split {
		return images.Split{
			Name: name, N: to - from, Labels: labels[part][from:to],
			Read: func(i int, dst []uint8) error {
				copy(dst, values[part][(from+i)*imageBytes:])
				return nil
			},
			Path: func(int) string { return src },
		}
	}
	n := len(labels[0])
	border := n - n/5
	s.Splits = []images.Split{split("train", 0, 0, border), split("valid", 0, border, n), split("test", 1, 0, len(labels[1]))}
	return s, nil
}

// read returns the bytes of the six files, and how errors call a file.
func read(src string, s *images.Source) (batches [6][]byte, where func(file string) string, err error) {
	packed := filepath.Join(src, archive)
	if f, err := os.Open(packed); err == nil {
		defer f.Close()
		where = func(file string) string { return packed + ": " + file }
		sum := md5.New()
		batches, err = unpack(io.TeeReader(io.LimitReader(f, maxArchiveBytes), sum))
		if err != nil {
			return batches, where, fmt.Errorf("%s: %w", packed, err)
		}
		if _, err := io.Copy(sum, f); err != nil {
			return batches, where, err
		}
		if got := fmt.Sprintf("%x", sum.Sum(nil)); got != archiveMD5 {
			s.Warnings = append(s.Warnings, fmt.Sprintf("%s: MD5 is %s, that of the published file is %s", packed, got, archiveMD5))
		}
		return batches, where, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return batches, nil, err
	}
	dir := filepath.Join(src, folder)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		dir = src
	}
	where = func(file string) string { return filepath.Join(dir, file) }
	for i, file := range files {
		f, err := os.Open(where(file))
		if err != nil {
			return batches, where, err
		}
		batches[i], err = readBatch(f)
		f.Close()
		if err != nil {
			return batches, where, fmt.Errorf("%s: %w", where(file), err)
		}
	}
	return batches, where, nil
}

// unpack finds the six files in the archive, in any folder of it.
func unpack(r io.Reader) (batches [6][]byte, err error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return batches, fmt.Errorf("not a gzip file, or a truncated one: %w", err)
	}
	t := tar.NewReader(io.LimitReader(z, maxArchiveBytes)) // what is skipped is unpacked too
	missing := len(files)
	for missing > 0 {
		h, err := t.Next()
		if err == io.EOF {
			return batches, fmt.Errorf("%d of the %d batches are not in it", missing, len(files))
		}
		if err != nil {
			return batches, fmt.Errorf("damaged archive: %w", err)
		}
		for i, file := range files {
			if path.Base(h.Name) != file || h.Typeflag != tar.TypeReg {
				continue
			}
			if batches[i] != nil {
				return batches, fmt.Errorf("%s is in it twice", file)
			}
			if batches[i], err = readBatch(t); err != nil {
				return batches, fmt.Errorf("%s: %w", file, err)
			}
			missing--
		}
	}
	return batches, nil
}

// readBatch reads a file, but not much more than a batch can have.
func readBatch(r io.Reader) ([]byte, error) {
	var b bytes.Buffer
	_, err := io.Copy(&b, io.LimitReader(r, maxBatchBytes+1))
	if err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
