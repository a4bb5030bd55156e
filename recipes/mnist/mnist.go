// Package mnist reads MNIST and Fashion-MNIST in their own layout, four
// gzip-compressed idx files:
//
//	SRC/train-images-idx3-ubyte.gz   60,000 images, 28×28, 8 bit
//	SRC/train-labels-idx1-ubyte.gz   their classes, 0..9
//	SRC/t10k-images-idx3-ubyte.gz    10,000 images
//	SRC/t10k-labels-idx1-ubyte.gz
//
// As in sony/sqvae the last 10,000 images of the training file, in file order,
// are for validation: the split "valid"; the 50,000 in front are "train", the
// t10k files "test". Smaller files are split in the same proportion.
package mnist

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"slices"

	"vqspeech/internal/strict"
	"vqspeech/recipes/images"
)

// Name and FashionName are the corpora as `vqspeech prepare` knows them.
const (
	Name        = "mnist"
	FashionName = "fashion-mnist"
)

const (
	side    = 28
	classes = 10

	// maxFileBytes bounds a compressed file; the largest has 26 MB.
	maxFileBytes = 128 << 20
)

// files are those of a corpus, images and labels in turn.
var files = [4]string{
	"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz",
	"t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz",
}

// The MD5 sums of the files as they are published.
var (
	mnistMD5 = [4]string{
		"f68b3c2dcbeaaa9fbdd348bbdeb94873", "d53e105ee54ea40749a09fcbcd1e9432",
		"9fb629c4189551a2d022fa330f9573f3", "ec29112dd5afa0611ce80d1b7f02629c",
	}
	fashionMD5 = [4]string{
		"8d4fb7e6c68d591d4c3dfef9ec88bf0d", "25c81989df183df01b3e8a0aad5dffbe",
		"bef4ecab320f06d8554ea6380940ec79", "bb300cfdad3c16e7a12a480ee83cd310",
	}
)

// List reads MNIST in the folder src.
func List(src string) (images.Source, error) { return list(Name, src, mnistMD5) }

// ListFashion reads Fashion-MNIST in the folder src.
func ListFashion(src string) (images.Source, error) { return list(FashionName, src, fashionMD5) }

func list(name, src string, sums [4]string) (images.Source, error) {
	s := images.Source{Corpus: name, Kind: "idx files", Root: src, Height: side, Width: side, Channels: 1}
	print := sha256.New()
	var parts [2]part // of train, of t10k
	for i, file := range files {
		path := filepath.Join(src, file)
		data, err := strict.ReadRegular(path, maxFileBytes)
		if err != nil {
			return s, err
		}
		print.Write(data)
		if got := fmt.Sprintf("%x", md5.Sum(data)); got != sums[i] {
			s.Warnings = append(s.Warnings, fmt.Sprintf("%s: MD5 is %s, that of the published file is %s", path, got, sums[i]))
		}
		if err := parts[i/2].add(path, data, i%2 == 1); err != nil {
			return s, fmt.Errorf("%s: %w", path, err)
		}
	}
	s.Fingerprint = fmt.Sprintf("%x", print.Sum(nil))
	n := parts[0].n
	border := n - n/6
	s.Splits = []images.Split{
		parts[0].split("train", 0, border), parts[0].split("valid", border, n), parts[1].split("test", 0, parts[1].n),
	}
	return s, nil
}

// part is a pair of files in memory.
type part struct {
	path           string // of the images
	n              int
	values, labels []uint8 // [n, 28, 28], [n]
}

func (p *part) add(path string, data []byte, labels bool) (err error) {
	if !labels {
		p.path = path
		p.n, p.values, err = decodeIDX(bytes.NewReader(data), side, side)
		return err
	}
	n, values, err := decodeIDX(bytes.NewReader(data))
	if err != nil {
		return err
	}
	if n != p.n {
		return fmt.Errorf("%d labels, want one for each of the %d images", n, p.n)
	}
	if n > 0 && slices.Max(values) >= classes {
		return fmt.Errorf("label %d, want 0 to %d", slices.Max(values), classes-1)
	}
	p.labels = values
	return nil
}

// split returns the images [from, to).
func (p *part) split(name string, from, to int) images.Split {
	const size = side * side
	return images.Split{
		Name: name, N: to - from, Labels: p.labels[from:to],
		Read: func(i int, dst []uint8) error {
			copy(dst, p.values[(from+i)*size:])
			return nil
		},
		Path: func(int) string { return p.path },
	}
}
