package safetensors

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"vqspeech/internal/float16"
)

// Tensor is a tensor to be written.
type Tensor struct {
	Name  string
	Shape []int // outermost axis first; empty for a scalar
	DType DType // F32, F16 (Data is rounded to nearest even), I32, I64 or U8
	Data  any   // []float32, []int32, []int64 or []uint8, row-major
}

// Write writes a file. Equal arguments give equal bytes, whatever the order of
// the tensors: they are laid out by element size, largest first, so that all
// are aligned, and then by name. Nothing is written if an argument is invalid.
func Write(w io.Writer, metadata map[string]string, tensors []Tensor) error {
	sorted := slices.Clone(tensors)
	slices.SortStableFunc(sorted, func(a, b Tensor) int {
		return cmp.Or(cmp.Compare(b.DType.size(), a.DType.size()), cmp.Compare(a.Name, b.Name))
	})
	header, err := buildHeader(metadata, sorted)
	if err != nil {
		return err
	}
	bw := bufio.NewWriterSize(w, chunkBytes)
	err = binary.Write(bw, binary.LittleEndian, uint64(len(header)))
	if err == nil {
		_, err = bw.Write(header)
	}
	for _, t := range sorted {
		if err != nil {
			break
		}
		err = t.write(bw)
	}
	return cmp.Or(err, bw.Flush())
}

// buildHeader returns the padded JSON header.
func buildHeader(metadata map[string]string, tensors []Tensor) ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	if len(metadata) > 0 {
		fmt.Fprintf(&b, "%q:{", metadataKey)
		for i, key := range slices.Sorted(maps.Keys(metadata)) {
			if !utf8.ValidString(key) || !utf8.ValidString(metadata[key]) {
				return nil, fmt.Errorf("safetensors: metadata %q is not valid UTF-8", key)
			}
			if i > 0 {
				b.WriteByte(',')
			}
			writeString(&b, key)
			b.WriteByte(':')
			writeString(&b, metadata[key])
		}
		b.WriteByte('}')
	}
	seen := map[string]bool{metadataKey: true}
	var pos int64
	for _, t := range tensors {
		if seen[t.Name] || !utf8.ValidString(t.Name) {
			return nil, fmt.Errorf("safetensors: tensor name %q occurs twice, is reserved or is not valid UTF-8", t.Name)
		}
		seen[t.Name] = true
		n, err := t.check()
		if err != nil {
			return nil, err
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		end := pos + n*int64(t.DType.size())
		writeString(&b, t.Name)
		fmt.Fprintf(&b, `:{"dtype":%q,"shape":[`, t.DType)
		for i, d := range t.Shape {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(strconv.Itoa(d))
		}
		fmt.Fprintf(&b, `],"data_offsets":[%d,%d]}`, pos, end)
		pos = end
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	if b.Len() > maxHeader {
		return nil, fmt.Errorf("safetensors: header of %d bytes, want at most %d", b.Len(), maxHeader)
	}
	return b.Bytes(), nil
}

// writeString writes s as JSON.
func writeString(b *bytes.Buffer, s string) {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s)       // a string cannot fail
	b.Truncate(b.Len() - 1) // the newline
}

// check returns the number of elements if dtype, shape and data agree.
func (t Tensor) check() (int64, error) {
	n, typeOK := 0, false
	switch data := t.Data.(type) {
	case []float32:
		n, typeOK = len(data), t.DType == F32 || t.DType == F16
	case []int32:
		n, typeOK = len(data), t.DType == I32
	case []int64:
		n, typeOK = len(data), t.DType == I64
	case []uint8:
		n, typeOK = len(data), t.DType == U8
	}
	if !typeOK {
		return 0, fmt.Errorf("safetensors: tensor %q: %T cannot be written as %q", t.Name, t.Data, t.DType)
	}
	if len(t.Shape) > maxRank {
		return 0, fmt.Errorf("safetensors: tensor %q has %d axes, want at most %d", t.Name, len(t.Shape), maxRank)
	}
	want := 1
	for _, d := range t.Shape {
		if d < 0 || d > 0 && want > math.MaxInt/8/d {
			return 0, fmt.Errorf("safetensors: tensor %q: invalid shape %v", t.Name, t.Shape)
		}
		want *= d
	}
	if want != n {
		return 0, fmt.Errorf("safetensors: tensor %q has %d elements, but its shape %v has %d", t.Name, n, t.Shape, want)
	}
	return int64(n), nil
}

// write writes the elements. w is buffered.
func (t Tensor) write(w *bufio.Writer) error {
	switch data := t.Data.(type) {
	case []float32:
		if t.DType == F16 {
			return store(w, data, func(b []byte, v float32) []byte {
				return binary.LittleEndian.AppendUint16(b, float16.FromFloat32(v))
			})
		}
		return store(w, data, func(b []byte, v float32) []byte {
			return binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		})
	case []int32:
		return store(w, data, func(b []byte, v int32) []byte { return binary.LittleEndian.AppendUint32(b, uint32(v)) })
	case []int64:
		return store(w, data, func(b []byte, v int64) []byte { return binary.LittleEndian.AppendUint64(b, uint64(v)) })
	case []uint8:
		_, err := w.Write(data)
		return err
	}
	return nil
}

// store writes every element in the form that put appends.
func store[T any](w *bufio.Writer, data []T, put func([]byte, T) []byte) error {
	for _, v := range data {
		if _, err := w.Write(put(w.AvailableBuffer(), v)); err != nil {
			return err
		}
	}
	return nil
}
