package units

import (
	"io"
	"os"
	"slices"
)

// Encode writes a whole file: codes [L] uint16 that stand for h.Samples samples,
// which must be known.
func Encode(w io.Writer, h Header, codes []uint16) error {
	u, err := NewWriter(w, h)
	if err != nil {
		return err
	}
	if err := u.Write(codes); err != nil {
		return err
	}
	return u.Close(h.Samples)
}

// Decode reads a whole file. Header.Samples is exact, also of a streamed file.
func Decode(r io.Reader) (h Header, codes []uint16, err error) {
	u, err := NewReader(r)
	if err != nil {
		return Header{}, nil, err
	}
	var blocks [][]uint16
	for {
		block := make([]uint16, BlockUnits)
		n, err := u.Read(block)
		if err == io.EOF {
			h = u.Header()
			h.Samples = u.Samples()
			return h, slices.Concat(blocks...), nil
		}
		if err != nil {
			return Header{}, nil, err
		}
		blocks = append(blocks, block[:n])
	}
}

// ReadFile reads the file at path with Decode.
func ReadFile(path string) (Header, []uint16, error) {
	f, err := os.Open(path)
	if err != nil {
		return Header{}, nil, err
	}
	defer f.Close()
	return Decode(f)
}
