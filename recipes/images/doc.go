// Package images prepares an image corpus for training and reads what was
// prepared. A reader of a corpus's own layout (such as recipes/mnist) makes a
// Source; Prepare turns it into a folder that every recipe can use:
//
//	DST/images.json        the corpus, the shape of an image, counts and hashes
//	DST/SPLIT.npy          uint8 [N, H, W, C], levels 0..255 or class labels
//	DST/SPLIT-labels.npy   uint8 [N], the class of every image, if the corpus has one
//
// The order of the images is that of the corpus. Nothing is normalised,
// shuffled or augmented.
//
// Prepare can be killed at any time and run again: finished blocks of images
// are not made twice and the finished folder has the same bytes.
package images

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Source is an image corpus on disk, as its reader found it.
type Source struct {
	Corpus string // name of the reader, such as "mnist"
	Kind   string // what the splits come from, in the reader's words
	Root   string // what the reader was given

	Height, Width, Channels int // of every image

	// Classes is 0 if the values are levels of light, 0..255; else they are
	// labels below Classes.
	Classes int

	// Fingerprint changes with the content of the source.
	Fingerprint string

	Splits   []Split
	Warnings []string // what is unexpected but no fault, such as a checksum
}

// Split is a part of a Source.
type Split struct {
	Name string
	N    int // images

	// Read writes image i, uint8 [H, W, C], to dst. It may be called from
	// several goroutines. Errors need not name the image.
	Read func(i int, dst []uint8) error

	// Path returns the file of image i, for reports.
	Path func(i int) string

	Labels []uint8 // [N], classes of the images; nil if the corpus has none
}

// Info is the content of images.json.
type Info struct {
	Version     int                  `json:"version"`
	Corpus      string               `json:"corpus"`
	Source      string               `json:"source"`
	Fingerprint string               `json:"fingerprint"`
	Height      int                  `json:"height"`
	Width       int                  `json:"width"`
	Channels    int                  `json:"channels"`
	Classes     int                  `json:"classes"` // 0: levels of light; else labels below it
	Splits      map[string]SplitInfo `json:"splits"`
}

// SplitInfo describes the files of a split.
type SplitInfo struct {
	Images       int    `json:"images"`
	Failed       int    `json:"failed"`                  // left out
	SHA256       string `json:"sha256"`                  // of SPLIT.npy
	LabelsSHA256 string `json:"labels_sha256,omitempty"` // of SPLIT-labels.npy; empty: there is none
}

// version is the only layout so far. Later programs read every earlier one.
const version = 1

const (
	infoFile    = "images.json"
	journalFile = "images.partial.jsonl" // while Prepare runs
)

// arrayFile is the file of a split, unfinishedFile the same while it grows.
func arrayFile(split string) string      { return split + ".npy" }
func unfinishedFile(split string) string { return split + ".npy.partial" }
func labelsFile(split string) string     { return split + "-labels.npy" }

const (
	maxSide   = 4096    // of an image (pixels)
	maxImages = 1 << 24 // of a split
)

// checkShape refuses sizes that no file of this package can have.
func checkShape(height, width, channels, classes int) error {
	for _, side := range []int{height, width} {
		if side < 1 || side > maxSide {
			return fmt.Errorf("images of %d×%d, want sides of 1 to %d", height, width, maxSide)
		}
	}
	if channels < 1 || channels > 4 {
		return fmt.Errorf("%d channels, want 1 to 4", channels)
	}
	if classes < 0 || classes > 256 {
		return fmt.Errorf("%d classes, want 0 to 256", classes)
	}
	return nil
}

// checkSplit refuses names that cannot be part of a file name, and counts out of range.
func checkSplit(name string, n int) error {
	if name == "" || len(name) > 64 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return fmt.Errorf("split name %.70q, want 1 to 64 of a-z, 0-9 and -", name)
	}
	if n < 0 || n > maxImages {
		return fmt.Errorf("split %s: %d images, want 0 to %d", name, n, maxImages)
	}
	return nil
}

// validate reports what is wrong with a Source, which its reader is to blame for.
func (s Source) validate() error {
	errs := []error{checkShape(s.Height, s.Width, s.Channels, s.Classes)}
	total := 0
	for _, split := range s.Splits {
		errs = append(errs, checkSplit(split.Name, split.N))
		if split.Labels != nil && len(split.Labels) != split.N {
			errs = append(errs, fmt.Errorf("split %s: %d labels of %d images", split.Name, len(split.Labels), split.N))
		}
		total += split.N
	}
	if total == 0 {
		errs = append(errs, fmt.Errorf("%s: no images found", s.Root))
	}
	return errors.Join(errs...)
}

// sum returns the SHA-256 of what r holds, in hexadecimal.
func sum(r io.Reader) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}
