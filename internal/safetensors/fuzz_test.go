package safetensors

import (
	"bytes"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

// readAll reads every tensor that can be, as it would be written.
func readAll(f *File) ([]Tensor, bool, error) {
	var list []Tensor
	complete := true
	for _, info := range f.Tensors {
		x := Tensor{Name: info.Name, Shape: info.Shape, DType: info.DType}
		var err error
		switch info.DType {
		case F32, F16:
			x.Data, _, err = f.F32(info.Name)
		case I32:
			x.Data, _, err = f.I32(info.Name)
		case I64:
			x.Data, _, err = f.I64(info.Name)
		case U8:
			x.Data, _, err = f.U8(info.Name)
		default:
			complete = false
			continue
		}
		if err != nil {
			return nil, false, err
		}
		list = append(list, x)
	}
	return list, complete, nil
}

func FuzzParse(f *testing.F) {
	f.Add(encode(f, map[string]string{"a": "b"}, example))
	f.Add(encode(f, nil, nil))
	f.Add(file(`{"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}   `, 4))
	f.Add(file(`{"a":{"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]}}`, 4))
	f.Fuzz(func(t *testing.T, b []byte) {
		parsed, err := Parse(b)
		if err != nil {
			return
		}
		tensors, complete, err := readAll(parsed)
		if err != nil {
			t.Fatalf("accepted, but %v", err)
		}
		if !complete {
			return
		}
		again, err := Parse(encode(t, parsed.Metadata, tensors))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(again.Metadata, parsed.Metadata) || len(again.Tensors) != len(parsed.Tensors) {
			t.Fatal("written and read again, the file differs")
		}
		// Compare as bytes: the data may hold NaN.
		tensorsAgain, _, _ := readAll(again)
		if !bytes.Equal(encode(t, nil, tensors), encode(t, nil, tensorsAgain)) {
			t.Fatal("written and read again, the tensors differ")
		}
	})
}

// No file makes the reader allocate much more than its own size.
func TestAllocationCeiling(t *testing.T) {
	const size = 1 << 20
	var manyTensors strings.Builder
	for i := 0; manyTensors.Len() < size-100; i++ {
		fmt.Fprintf(&manyTensors, `%c"%x":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`, "{,"[min(i, 1)], i)
	}
	manyTensors.WriteByte('}')
	for name, b := range map[string][]byte{
		"many tensors":  file(manyTensors.String(), 0),
		"long shape":    file(`{"a":{"shape":[`+strings.Repeat("0,", size/2), 0),
		"deep nesting":  file(`{"a":`+strings.Repeat(`{"a":`, size/5), 0),
		"deep array":    file(`{"a":{"shape":`+strings.Repeat(`[`, size), 0),
		"long name":     file(`{"`+strings.Repeat("a", size)+`":{}}`, 0),
		"escapes":       file(`{"`+strings.Repeat(`\u0001`, size/6)+`":{}}`, 0),
		"long metadata": file(`{"__metadata__":{`+strings.Repeat(`"":"",`, size/6), 0),
		"lying header":  append([]byte{0, 0, 0, 6, 0, 0, 0, 0}, make([]byte, 100)...),
		"lying shape":   file(`{"a":{"dtype":"F32","shape":[1000000000],"data_offsets":[0,4000000000]}}`, 100),
		"all half":      file(fmt.Sprintf(`{"a":{"dtype":"F16","shape":[%d],"data_offsets":[0,%d]}}`, size/2, size), size),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if f, err := Parse(b); err == nil {
			if _, _, err := readAll(f); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 48<<20 {
			t.Errorf("%s: %d bytes allocated for a file of %d", name, got, len(b))
		}
	}
}
