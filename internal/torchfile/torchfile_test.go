package torchfile

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
)

// files are of testdata/generate.py.
var files = []string{"zip.pt", "zip-2.pt", "protocol4.pt", "legacy.pt"}

func open(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func readBytes(b []byte) (any, error) { return Read(bytes.NewReader(b), int64(len(b))) }

// ramp is n steps of 1 from first on.
func ramp(first float32, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = first + float32(i)
	}
	return x
}

func TestFilesOfPyTorch(t *testing.T) {
	// base [2, 3, 4] and its views, as testdata/generate.py makes them.
	base := ramp(-7.5, 24)
	var permuted []float32 // [4, 2, 3]
	for k := range 4 {
		for i := range 2 {
			for j := range 3 {
				permuted = append(permuted, base[i*12+j*4+k])
			}
		}
	}
	tensors := map[string]struct {
		dtype DType
		shape []int
		data  []float32 // nil: cannot be read
	}{
		"base":     {Float32, []int{2, 3, 4}, base},
		"permuted": {Float32, []int{4, 2, 3}, permuted},
		"part":     {Float32, []int{2, 2}, []float32{base[16], base[18], base[20], base[22]}},
		"scalar":   {Float32, []int{}, []float32{3.5}},
		"float64":  {Float64, []int{3}, []float32{0.5, -1.25, 3}},
		"float16":  {Float16, []int{5}, []float32{0, 1, -2, 65504, 0x1p-24}},
		"bfloat16": {BFloat16, []int{3}, []float32{0.5, -1.25, 3}},
		"int64":    {Int64, []int{2}, nil},
		"int32":    {Int32, []int{2}, nil},
		"int16":    {Int16, []int{2}, nil},
		"int8":     {Int8, []int{2}, nil},
		"uint8":    {Uint8, []int{2}, nil},
		"bool":     {Bool, []int{2}, nil},
	}
	for _, name := range files {
		root, err := readBytes(open(t, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		d := root.(*Dict)
		for key, want := range tensors {
			v, _ := d.Get(key)
			x, ok := v.(*Tensor)
			if !ok {
				t.Errorf("%s: %s is a %s", name, key, typeName(v))
				continue
			}
			data, err := x.Float32s()
			if x.DType != want.dtype || !slices.Equal(x.Shape, want.shape) || !slices.Equal(data, want.data) || (err != nil) != (want.data == nil) {
				t.Errorf("%s: %s is %v %v %v, %v", name, key, x.DType, x.Shape, data, err)
			}
		}
		empty, _ := d.Get("empty")
		if x, err := empty.(*Tensor).Float32s(); err != nil || len(x) != 0 {
			t.Errorf("%s: the empty tensor is %v, %v", name, x, err)
		}
		values := map[string]any{
			"list": &List{[]any{nil, true, false, int64(0), int64(255), int64(65535), int64(-1), int64(1<<31 - 1), int64(-1 << 40), 2.5, "Grüße"}},
			"tuples": Tuple{
				Tuple(nil), Tuple{int64(1)}, Tuple{int64(1), int64(2)}, Tuple{int64(1), int64(2), int64(3)},
				Tuple{int64(1), int64(2), int64(3), int64(4)},
			},
			"one": &List{[]any{int64(1)}},
		}
		for key, want := range values {
			if got, _ := d.Get(key); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %s is %#v, want %#v", name, key, got, want)
			}
		}
		for key, want := range map[any][]Entry{
			"ordered":    {{"b", int64(1)}, {"a", int64(2)}},
			"milestones": {{int64(300000), int64(1)}, {int64(400000), int64(2)}},
			int64(7):     nil,
		} {
			got, _ := d.Get(key)
			if dict, ok := got.(*Dict); !ok || !reflect.DeepEqual(dict.Entries, want) {
				t.Errorf("%s: %v is %#v, want %v", name, key, got, want)
			}
		}
		v, _ := d.Get("state")
		if state := v.(*Dict); len(state.Entries) != 5 || state.Entries[0].Key != "weight" {
			t.Errorf("%s: state has %d keys", name, len(state.Entries))
		}
	}
}
