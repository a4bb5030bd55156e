package mnist

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// maxItems bounds what a header may promise: twice the largest file there is.
const maxItems = 1 << 17

// A FormatError reports that a file is not an idx file of unsigned bytes.
type FormatError string

func (e FormatError) Error() string { return "idx: invalid format: " + string(e) }

func formatErrorf(format string, args ...any) error { return FormatError(fmt.Sprintf(format, args...)) }

// decodeIDX reads a gzip-compressed idx file (Y. LeCun): the magic 0, 0, 8
// (unsigned bytes) and the number of axes, the length of each axis (uint32,
// big-endian), the values in C order. The first axis counts items, the others
// must have the lengths in item.
//
//	values [N, item...] uint8
//
// Memory grows with the data that arrives, and no further than the header says.
func decodeIDX(r io.Reader, item ...int) (n int, values []uint8, err error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return 0, nil, compressed(err)
	}
	head := make([]byte, 4+4*(1+len(item)))
	if _, err := io.ReadFull(z, head); err != nil {
		return 0, nil, compressed(fmt.Errorf("header of %d bytes: %w", len(head), err))
	}
	if want := []byte{0, 0, 8, byte(1 + len(item))}; !bytes.Equal(head[:4], want) {
		return 0, nil, formatErrorf("file begins with % x, want % x", head[:4], want)
	}
	axis := func(i int) uint32 { return binary.BigEndian.Uint32(head[4+4*i:]) }
	if axis(0) > maxItems {
		return 0, nil, formatErrorf("%d items, want at most %d", axis(0), maxItems)
	}
	n = int(axis(0))
	size := 1
	for i, want := range item {
		if got := axis(1 + i); got != uint32(want) {
			return 0, nil, formatErrorf("axis %d has the length %d, want %d", 1+i, got, want)
		}
		size *= want
	}
	var data bytes.Buffer
	got, err := io.Copy(&data, io.LimitReader(z, int64(n)*int64(size)+1)) // reading on to the end also checks the CRC of gzip
	if err != nil {
		return 0, nil, compressed(err)
	}
	if want := int64(n) * int64(size); got < want {
		return 0, nil, formatErrorf("the data ends after %d of %d bytes", got, want)
	} else if got > want {
		return 0, nil, formatErrorf("bytes after the %d items", n)
	}
	return n, data.Bytes(), nil
}

// compressed names faults of the compressed stream.
func compressed(err error) error {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return formatErrorf("truncated gzip file")
	case errors.Is(err, gzip.ErrHeader):
		return formatErrorf("not a gzip file")
	}
	return fmt.Errorf("idx: %w", err)
}
