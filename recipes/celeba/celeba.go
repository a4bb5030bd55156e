// Package celeba reads CelebA, aligned and cropped, in its own layout:
//
//	SRC/img_align_celeba/000001.jpg …   202,599 photographs, 178×218
//	SRC/list_eval_partition.txt         the split of each: 0 train, 1 valid, 2 test
//
// The two may also lie in the folders Img and Eval, as they are published. As
// in sony/sqvae a photograph is cropped to the 140×140 pixels in its middle and
// resized to 64×64 as Pillow does it (bilinear, antialiased).
package celeba

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"vqspeech/internal/strict"
	"vqspeech/recipes/images"
)

// Name is the corpus as `vqspeech prepare` knows it.
const Name = "celeba"

const (
	folder    = "img_align_celeba"
	list      = "list_eval_partition.txt"
	listMD5   = "d32c9cbf5e040fd4025c592c306e6668" // as published
	listBytes = 16 << 20                           // the published one has 2.8 MB
)

// List finds the photographs that the partition list in the folder src names.
// Those it names that are not there fail when they are read.
func List(src string) (images.Source, error) {
	s := images.Source{Corpus: Name, Kind: "official partition", Root: src, Height: side, Width: side, Channels: 3}
	path := either(filepath.Join(src, list), filepath.Join(src, "Eval", list))
	data, err := strict.ReadFile(path, listBytes)
	if err != nil {
		return s, err
	}
	if got := fmt.Sprintf("%x", md5.Sum(data)); got != listMD5 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("%s: MD5 is %s, that of the published file is %s", path, got, listMD5))
	}
	parts, err := readPartition(bytes.NewReader(data))
	if err != nil {
		return s, fmt.Errorf("%s: %w", path, err)
	}
	dir := either(filepath.Join(src, folder), filepath.Join(src, "Img", folder))
	sizes, err := fileSizes(dir)
	if err != nil {
		return s, err
	}
	print := sha256.New()
	for i, names := range parts {
		for _, name := range names {
			size, ok := sizes[name]
			if !ok {
				size = -1
			}
			fmt.Fprintln(print, name, i, size)
			delete(sizes, name)
		}
		s.Splits = append(s.Splits, images.Split{
			Name: splits[i], N: len(names),
			Read: func(k int, dst []uint8) error { return read(filepath.Join(dir, names[k]), dst) },
			Path: func(k int) string { return filepath.Join(dir, names[k]) },
		})
	}
	s.Fingerprint = fmt.Sprintf("%x", print.Sum(nil))
	if len(sizes) > 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("%s: left out what %s does not name: %s", dir, list, some(sizes)))
	}
	return s, nil
}

// either returns the first path that exists, or else the first.
func either(paths ...string) string {
	for _, p := range paths {
		if _, err := os.Stat(p); err == nil {
			return p
		}
	}
	return paths[0]
}

// fileSizes returns the size of every file in dir (bytes).
func fileSizes(dir string) (map[string]int64, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	sizes := make(map[string]int64, len(entries))
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed since
		}
		if err != nil {
			return nil, err
		}
		sizes[e.Name()] = info.Size()
	}
	return sizes, nil
}

// some counts files and names one, the first in order.
func some(files map[string]int64) string {
	first := ""
	for name := range files {
		if first == "" || name < first {
			first = name
		}
	}
	first = fmt.Sprintf("%q", strings.ToValidUTF8(first, "?"))
	if len(files) == 1 {
		return first
	}
	return fmt.Sprintf("%d files, such as %s", len(files), first)
}
