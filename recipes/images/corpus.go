package images

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"vqspeech/internal/npy"
	"vqspeech/internal/strict"
	"vqspeech/model/image"
)

// Corpus is a prepared folder.
type Corpus struct {
	Dir  string
	Info Info
}

// Open reads images.json of a folder that Prepare finished.
func Open(dir string) (*Corpus, error) {
	path := filepath.Join(dir, infoFile)
	data, err := strict.ReadFile(path, 1<<20)
	if err != nil {
		return nil, err
	}
	c := &Corpus{Dir: dir}
	if c.Info, err = parseInfo(data); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

func parseInfo(data []byte) (Info, error) {
	var info Info
	if err := strict.JSON(data, &info); err != nil {
		return info, err
	}
	if info.Version != version {
		return info, fmt.Errorf("version is %d, want %d", info.Version, version)
	}
	if err := checkShape(info.Height, info.Width, info.Channels, info.Classes); err != nil {
		return info, err
	}
	for name, s := range info.Splits {
		if err := checkSplit(name, s.Images); err != nil {
			return info, err
		}
	}
	return info, nil
}

// Splits returns the names of the splits, sorted.
func (c *Corpus) Splits() []string { return slices.Sorted(maps.Keys(c.Info.Splits)) }

// Arrays returns the files of the splits: images, and labels of what they show,
// which a corpus may lack.
func (c *Corpus) Arrays() (paths []string) {
	for _, split := range c.Splits() {
		paths = append(paths, filepath.Join(c.Dir, arrayFile(split)), filepath.Join(c.Dir, labelsFile(split)))
	}
	return paths
}

func (c *Corpus) split(name string) (SplitInfo, error) {
	s, ok := c.Info.Splits[name]
	if !ok {
		return s, fmt.Errorf("%s: no split %q, the corpus has %s", c.Dir, name, strings.Join(c.Splits(), ", "))
	}
	return s, nil
}

// SplitHash returns 16 hexadecimal digits that tell which images are trained,
// chosen and tested on: the start of the SHA-256 of the lines "part TAB hash
// NEWLINE", where parts are train, valid and test and hash is that of the file of
// the split; a part without a split (an empty name) has no line. Figures can be
// compared only where it is the same.
func (c *Corpus) SplitHash(train, valid, test string) string {
	return c.Info.splitHash([3]string{train, valid, test})
}

func (i Info) splitHash(parts [3]string) string {
	h := sha256.New()
	for k, split := range parts {
		if split != "" {
			fmt.Fprintf(h, "%s\t%s\n", []string{"train", "valid", "test"}[k], i.Splits[split].SHA256)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// SplitHash returns that of the splits train, valid and test, as far as there are
// any: recipes that do not say otherwise use them.
func (i Info) SplitHash() string {
	var parts [3]string
	for k, name := range []string{"train", "valid", "test"} {
		if _, ok := i.Splits[name]; ok {
			parts[k] = name
		}
	}
	return i.splitHash(parts)
}

// Read reads the images of a split into memory. A file that is not what
// Prepare wrote is an error.
func (c *Corpus) Read(split string) (image.Set, error) {
	s, err := c.split(split)
	if err != nil {
		return image.Set{}, err
	}
	i := c.Info
	set := image.Set{N: s.Images, Height: i.Height, Width: i.Width, Channels: i.Channels}
	set.Images, err = readArray(filepath.Join(c.Dir, arrayFile(split)), []int{s.Images, i.Height, i.Width, i.Channels}, s.SHA256)
	if err != nil {
		return image.Set{}, err
	}
	if err := checkLabels(set.Images, i.Classes); err != nil {
		return image.Set{}, fmt.Errorf("%s: %w", filepath.Join(c.Dir, arrayFile(split)), err)
	}
	return set, nil
}

// Labels returns the class of every image of a split, [N] uint8. It fails for
// a corpus whose images have none.
func (c *Corpus) Labels(split string) ([]uint8, error) {
	s, err := c.split(split)
	if err != nil {
		return nil, err
	}
	if s.LabelsSHA256 == "" {
		return nil, fmt.Errorf("%s: the images of %s have no class labels", c.Dir, split)
	}
	return readArray(filepath.Join(c.Dir, labelsFile(split)), []int{s.Images}, s.LabelsSHA256)
}

// readArray reads the uint8 elements of a file that must have this shape and
// hash. Nothing is allocated for a file of another size.
func readArray(path string, shape []int, hash string) ([]uint8, error) {
	f, err := openArray(path, shape)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	whole := make([]uint8, info.Size())
	if _, err := io.ReadFull(f, whole); err != nil {
		return nil, fmt.Errorf("%s: %w", path, strict.Cause(err))
	}
	if got, _ := sum(bytes.NewReader(whole)); got != hash {
		return nil, fmt.Errorf("%s: SHA-256 is %s, want %s: the file was changed", path, got, hash)
	}
	head := npy.Header[uint8](shape)
	if !bytes.HasPrefix(whole, head) {
		return nil, fmt.Errorf("%s: the header is not that of an array uint8 %v", path, shape)
	}
	return whole[len(head):], nil
}

// openArray opens a file that has the size of a uint8 array of this shape.
func openArray(path string, shape []int) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	want := int64(len(npy.Header[uint8](shape))) + elements(shape)
	info, err := f.Stat()
	if err == nil && (!info.Mode().IsRegular() || info.Size() != want) {
		err = fmt.Errorf("%s: %d bytes, want %d", path, info.Size(), want)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func elements(shape []int) int64 {
	n := int64(1)
	for _, d := range shape {
		n *= int64(d)
	}
	return n
}

// checkLabels reports a label that is not below classes; 0 classes allow all.
func checkLabels(values []uint8, classes int) error {
	if classes == 0 || classes > 255 || len(values) == 0 {
		return nil
	}
	if top := slices.Max(values); int(top) >= classes {
		return fmt.Errorf("label %d, want 0 to %d", top, classes-1)
	}
	return nil
}
