package torchfile

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"vqspeech/internal/float16"
)

// DType is the element type of a tensor.
type DType int

// The element types. Only those of floating point can be read.
const (
	Float64 DType = iota
	Float32
	Float16
	BFloat16
	Int64
	Int32
	Int16
	Int8
	Uint8
	Bool
)

var dtypes = [...]struct {
	name, storage string
	size          int64
}{
	Float64: {"float64", "Double", 8}, Float32: {"float32", "Float", 4}, Float16: {"float16", "Half", 2}, BFloat16: {"bfloat16", "BFloat16", 2},
	Int64: {"int64", "Long", 8}, Int32: {"int32", "Int", 4}, Int16: {"int16", "Short", 2}, Int8: {"int8", "Char", 1},
	Uint8: {"uint8", "Byte", 1}, Bool: {"bool", "Bool", 1},
}

func (d DType) String() string { return dtypes[d].name }

// maxRank is above that of any layer.
const maxRank = 16

// storage is a run of elements in the file that tensors are views of.
type storage struct {
	key      string
	dtype    DType
	elements int64
	bytes    func() ([]byte, error) // all of them
}

// Tensor is a view of elements in the file.
type Tensor struct {
	DType DType
	Shape []int // outermost axis first; empty for a scalar

	storage *storage
	offset  int64
	strides []int64 // (elements)
}

// newTensor makes a tensor of the arguments of _rebuild_tensor_v2: storage,
// offset, size, stride, whether it has a gradient, hooks.
func newTensor(args Tuple) (*Tensor, error) {
	if len(args) < 4 {
		return nil, formatErrorf("tensor of %d arguments, want storage, offset, size and stride", len(args))
	}
	s, ok := args[0].(*storage)
	offset, ok2 := args[1].(int64)
	size, ok3 := args[2].(Tuple)
	stride, ok4 := args[3].(Tuple)
	if !ok || !ok2 || !ok3 || !ok4 {
		return nil, formatErrorf("tensor of (%s, %s, %s, %s), want storage, offset, size and stride",
			typeName(args[0]), typeName(args[1]), typeName(args[2]), typeName(args[3]))
	}
	if len(size) != len(stride) || len(size) > maxRank {
		return nil, formatErrorf("tensor with %d sizes and %d strides, want as many, at most %d", len(size), len(stride), maxRank)
	}
	t := &Tensor{DType: s.dtype, Shape: make([]int, len(size)), storage: s, offset: offset, strides: make([]int64, len(size))}
	empty := false
	for i := range size {
		n, ok := size[i].(int64)
		step, ok2 := stride[i].(int64)
		if !ok || !ok2 || n < 0 || n > math.MaxInt || step < 0 {
			return nil, formatErrorf("tensor with size %s and stride %s in axis %d", short(size[i]), short(stride[i]), i)
		}
		t.Shape[i], t.strides[i] = int(n), step
		empty = empty || n == 0
	}
	if empty {
		return t, nil
	}
	return t, t.fits()
}

// fits checks that a tensor lies inside its storage and has no more elements.
// Expanded tensors, whose elements share a place, may have more and are
// refused: nothing in the file bounds them.
func (t *Tensor) fits() error {
	// Every term is checked before it is added, so nothing overflows.
	last, elements, limit := t.offset, int64(1), t.storage.elements
	inside := last >= 0 && last < limit
	for i, n := range t.Shape {
		n := int64(n)
		if !inside || n > limit/elements {
			inside = false
			break
		}
		elements *= n
		if n > 1 {
			if t.strides[i] > (limit-1-last)/(n-1) {
				inside = false
				break
			}
			last += t.strides[i] * (n - 1)
		}
	}
	if !inside {
		return formatErrorf("tensor of shape %v, strides %v and offset %d does not fit storage %.40q of %d elements",
			t.Shape, t.strides, t.offset, t.storage.key, limit)
	}
	return nil
}

// Len returns the number of elements.
func (t *Tensor) Len() int {
	n := 1
	for _, s := range t.Shape {
		n *= s
	}
	return n
}

// Float32s reads a floating-point tensor, row-major. Elements of float64 are
// rounded.
func (t *Tensor) Float32s() ([]float32, error) {
	var convert func(b []byte) float32
	switch t.DType {
	case Float64:
		convert = func(b []byte) float32 { return float32(math.Float64frombits(binary.LittleEndian.Uint64(b))) }
	case Float32:
		convert = func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }
	case Float16:
		convert = func(b []byte) float32 { return float16.Float32(binary.LittleEndian.Uint16(b)) }
	case BFloat16:
		convert = func(b []byte) float32 { return float16.BFloat32(binary.LittleEndian.Uint16(b)) }
	default:
		return nil, fmt.Errorf("torchfile: tensor of %v, want floating point", t.DType)
	}
	if slices.Contains(t.Shape, 0) {
		return nil, nil
	}
	b, err := t.storage.bytes()
	if err != nil {
		return nil, err
	}
	size := dtypes[t.DType].size
	out := make([]float32, t.Len())
	index := make([]int, len(t.Shape))
	at := t.offset
	for i := range out {
		out[i] = convert(b[at*size:])
		for axis := len(index) - 1; axis >= 0; axis-- { // count up, innermost first
			index[axis]++
			at += t.strides[axis]
			if index[axis] < t.Shape[axis] {
				break
			}
			at -= t.strides[axis] * int64(index[axis])
			index[axis] = 0
		}
	}
	return out, nil
}
