// Package celebamask reads the label maps of CelebAMask-HQ, 512×512, in its own
// layout: SRC is the folder CelebAMask-HQ, or the one above it, with
//
//	CelebA-HQ-to-CelebA-mapping.txt
//	CelebAMask-HQ-mask-anno/0/00000_skin.png …   black and white, one a part of a face
//
// or, instead of the parts, whole maps as the authors' g_mask.py paints them:
//
//	CelebAMaskHQ-mask/0.png …                    grey, the values are labels
//
// A map has 19 classes: 0 is the background, the others are painted over each
// other in the order of their labels. Every eighth pixel, from the fifth on,
// makes 64×64, which is what Pillow's nearest neighbour takes.
//
// The split is that of the images of CelebA that the faces were made of, by
// the index in the mapping as the authors' g_partition.py compares it: below
// 162,771 "train", from 182,638 on "test", between them "valid".
package celebamask

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"vqspeech/recipes/images"
)

// Name is the corpus as `vqspeech prepare` knows it.
const Name = "celebamask"

const (
	inner    = "CelebAMask-HQ"
	mapping  = "CelebA-HQ-to-CelebA-mapping.txt"
	maps     = "CelebAMaskHQ-mask"
	parts    = "CelebAMask-HQ-mask-anno"
	perShelf = 2000 // faces in a folder of parts

	firstValid, firstTest = 162_771, 182_638 // indices of CelebA
)

// List finds the label maps that the mapping in the folder src names. Maps that
// are not there fail when they are read.
func List(src string) (images.Source, error) {
	s := images.Source{Corpus: Name, Root: src, Height: side, Width: side, Channels: 1, Classes: len(labels) + 1}
	dir := src
	if _, err := os.Stat(filepath.Join(src, inner)); err == nil {
		dir = filepath.Join(src, inner)
	}
	path := filepath.Join(dir, mapping)
	f, err := os.Open(path)
	if err != nil {
		return s, err
	}
	defer f.Close()
	print := sha256.New()
	faces, err := readMapping(io.TeeReader(bufio.NewReader(f), print))
	if err != nil {
		return s, fmt.Errorf("%s: %w", path, err)
	}
	read, name, files, err := reader(dir)
	if err != nil {
		return s, err
	}
	s.Kind = filepath.Base(files[0])
	for _, f := range files {
		if err := fingerprint(print, f); err != nil {
			return s, err
		}
	}
	s.Fingerprint = fmt.Sprintf("%x", print.Sum(nil))
	var split [3][]int
	for _, f := range faces {
		switch {
		case f.original < firstValid:
			split[0] = append(split[0], f.index)
		case f.original < firstTest:
			split[1] = append(split[1], f.index)
		default:
			split[2] = append(split[2], f.index)
		}
	}
	for i, indices := range split {
		s.Splits = append(s.Splits, images.Split{
			Name: [3]string{"train", "valid", "test"}[i], N: len(indices),
			Read: func(k int, dst []uint8) error { return read(indices[k], dst) },
			Path: func(k int) string { return name(indices[k]) },
		})
	}
	return s, nil
}

// reader returns how the map of a face is read, what errors call it, and the
// folders of the files.
func reader(dir string) (read func(index int, dst []uint8) error, name func(index int) string, folders []string, err error) {
	whole, pieces := filepath.Join(dir, maps), filepath.Join(dir, parts)
	if _, err := os.Stat(whole); err == nil {
		name = func(index int) string { return filepath.Join(whole, fmt.Sprintf("%d.png", index)) }
		return func(index int, dst []uint8) error { return readMap(name(index), dst) }, name, []string{whole}, nil
	}
	name = func(index int) string {
		return filepath.Join(pieces, fmt.Sprint(index/perShelf), fmt.Sprintf("%05d_*.png", index))
	}
	read = func(index int, dst []uint8) error {
		return paint(func(part string) string {
			return filepath.Join(pieces, fmt.Sprint(index/perShelf), fmt.Sprintf("%05d_%s.png", index, part))
		}, dst)
	}
	shelves, err := os.ReadDir(pieces)
	if err != nil {
		return nil, nil, nil, err
	}
	folders = []string{pieces}
	for _, s := range shelves {
		if s.IsDir() {
			folders = append(folders, filepath.Join(pieces, s.Name()))
		}
	}
	return read, name, folders, nil
}

// fingerprint adds the names and sizes of the files in dir.
func fingerprint(w io.Writer, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed since
		}
		if err != nil {
			return err
		}
		if info.Mode().IsRegular() {
			fmt.Fprintln(w, filepath.Base(dir), e.Name(), info.Size())
		}
	}
	return nil
}
