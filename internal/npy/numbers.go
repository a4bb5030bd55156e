package npy

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
)

// Numbers reads the elements of a file piece by piece, whichever number type
// they have: '<f4', '<f8', '|u1', '<u2', '<i4' or '<i8'.
type Numbers struct {
	Shape []int  // outermost axis first
	Type  string // as in the file

	r     *bufio.Reader
	size  int // of an element (bytes)
	value func([]byte) float64
	total int
	read  int
}

// numberTypes decodes the types that Numbers reads.
var numberTypes = map[string]struct {
	size  int
	value func([]byte) float64
}{
	"<f4": {4, func(b []byte) float64 { return float64(math.Float32frombits(binary.LittleEndian.Uint32(b))) }},
	"<f8": {8, func(b []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b)) }},
	"|u1": {1, func(b []byte) float64 { return float64(b[0]) }},
	"<u2": {2, func(b []byte) float64 { return float64(binary.LittleEndian.Uint16(b)) }},
	"<i4": {4, func(b []byte) float64 { return float64(int32(binary.LittleEndian.Uint32(b))) }},
	"<i8": {8, func(b []byte) float64 { return float64(int64(binary.LittleEndian.Uint64(b))) }},
}

// NewNumbers reads the header of a file. A file on disk must be long enough for
// its shape.
func NewNumbers(r io.Reader) (*Numbers, error) {
	n := &Numbers{r: bufio.NewReaderSize(r, 1<<16)}
	head, err := readHeader(n.r)
	if err != nil {
		return nil, err
	}
	t, ok := numberTypes[head.descr]
	if !ok {
		return nil, UnsupportedError(fmt.Sprintf("elements of type %q, want <f4, <f8, |u1, <u2, <i4 or <i8", head.descr))
	}
	if n.total, ok = product(head.shape); !ok {
		return nil, formatErrorf("shape %v is too large", head.shape)
	}
	n.Shape, n.Type, n.size, n.value = head.shape, head.descr, t.size, t.value
	if n.total == 0 {
		return n, n.end()
	}
	if err := n.complete(r); err != nil {
		return nil, err
	}
	return n, nil
}

// complete refuses a file on disk that is too short for its shape, which Read
// would find only after all that its caller does with the elements before.
func (n *Numbers) complete(r io.Reader) error {
	f, ok := r.(*os.File)
	if !ok {
		return nil
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	at, err := f.Seek(0, io.SeekCurrent)
	if err == nil && (info.Size()-at+int64(n.r.Buffered()))/int64(n.size) < int64(n.total) {
		err = formatErrorf("file ends within the data of %d elements", n.total)
	}
	return err
}

// Float says that the elements are not integers.
func (n *Numbers) Float() bool { return n.Type[1] == 'f' }

// Read fills dst with the next elements in C order. It reports io.EOF if there
// are none left, and a FormatError if there are fewer than dst wants or if
// anything follows the last one. Integers beyond ±2^53 are rounded.
func (n *Numbers) Read(dst []float64) error {
	if n.read == n.total && len(dst) > 0 {
		return io.EOF
	}
	if left := n.total - n.read; len(dst) > left {
		return formatErrorf("shape %v has %d elements left where %d are wanted", n.Shape, left, len(dst))
	}
	var element [8]byte
	for i := range dst {
		if err := readFull(n.r, element[:n.size], "data of %d elements", n.total); err != nil {
			return err
		}
		dst[i] = n.value(element[:n.size])
	}
	n.read += len(dst)
	if n.read == n.total {
		return n.end()
	}
	return nil
}

func (n *Numbers) end() error { return readEnd(n.r, n.total, n.Shape) }
