package safetensors

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// file puts a header and n data bytes together.
func file(header string, n int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	b = append(b, header...)
	return append(b, make([]byte, n)...)
}

var example = []Tensor{
	{"w", []int{2, 3}, F32, []float32{1, -2, 3.5, 0, float32(math.Inf(1)), 1e-40}},
	{"half", []int{3}, F16, []float32{1, 65504, 1.0 / 3}},
	{"n", nil, I64, []int64{-1 << 62}},
	{"idx", []int{2, 1}, I32, []int32{-7, 1 << 30}},
	{"bytes", []int{3}, U8, []uint8{0, 128, 255}},
	{"empty", []int{0, 5}, F32, []float32{}},
}

func encode(t testing.TB, metadata map[string]string, tensors []Tensor) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, metadata, tensors); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	metadata := map[string]string{"seed": "1", "config": `{"a":"<b>"}`, "empty": ""}
	b := encode(t, metadata, example)
	reversed := make([]Tensor, len(example))
	for i, x := range example {
		reversed[len(example)-1-i] = x
	}
	if !bytes.Equal(b, encode(t, metadata, reversed)) {
		t.Error("the order of the tensors changes the bytes")
	}
	f, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(f.Metadata, metadata) {
		t.Errorf("metadata %q, want %q", f.Metadata, metadata)
	}
	var names []string
	for _, info := range f.Tensors {
		names = append(names, info.Name)
	}
	if got := strings.Join(names, " "); got != "bytes empty half idx n w" {
		t.Errorf("tensors %s, want them sorted", got)
	}
	for _, want := range example {
		var data any
		var shape []int
		var err error
		switch want.DType {
		case F32, F16:
			data, shape, err = f.F32(want.Name)
		case I32:
			data, shape, err = f.I32(want.Name)
		case I64:
			data, shape, err = f.I64(want.Name)
		case U8:
			data, shape, err = f.U8(want.Name)
		}
		if err != nil {
			t.Fatal(err)
		}
		if want.DType == F16 {
			want.Data = []float32{1, 65504, 0.33325195}
		}
		if !reflect.DeepEqual(data, want.Data) || len(shape) != len(want.Shape) {
			t.Errorf("%s: got %v %v, want %v %v", want.Name, shape, data, want.Shape, want.Data)
		}
	}
}

func TestBytes(t *testing.T) {
	got := encode(t, map[string]string{"k": "v"}, []Tensor{
		{"b", []int{1}, U8, []uint8{9}},
		{"a", []int{1}, I32, []int32{1}},
	})
	header := `{"__metadata__":{"k":"v"},"a":{"dtype":"I32","shape":[1],"data_offsets":[0,4]},` +
		`"b":{"dtype":"U8","shape":[1],"data_offsets":[4,5]}}`
	header += strings.Repeat(" ", -len(header)&7)
	want := append(file(header, 0), 1, 0, 0, 0, 9)
	if !bytes.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestBfloat16Tensor(t *testing.T) {
	b := file(`{"x":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}`, 0)
	f, err := Parse(append(b, 0x80, 0x3f, 0x00, 0xc0))
	if err != nil {
		t.Fatal(err)
	}
	if x, _, err := f.F32("x"); err != nil || x[0] != 1 || x[1] != -2 {
		t.Errorf("got %v, %v, want [1 -2]", x, err)
	}
}

func TestLargeTensor(t *testing.T) {
	data := make([]float32, 3*chunkBytes/4+5) // several chunks, the last one short
	for i := range data {
		data[i] = float32(i)
	}
	f, err := Parse(encode(t, nil, []Tensor{{"x", []int{len(data)}, F32, data}}))
	if err != nil {
		t.Fatal(err)
	}
	if got, _, err := f.F32("x"); err != nil || !reflect.DeepEqual(got, data) {
		t.Errorf("large tensor changed: %v", err)
	}
}

func TestParseErrors(t *testing.T) {
	const one = `"dtype":"F32","shape":[1],"data_offsets":[0,4]`
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"empty", nil, "file is 0 bytes"},
		{"only length", file("", 0), "does not begin with {"},
		{"header past end", append(binary.LittleEndian.AppendUint64(nil, 100), '{', '}'), "header of 100 bytes, but only 2 follow"},
		{"header huge", append(binary.LittleEndian.AppendUint64(nil, 1<<63), '{', '}'), "want the size of a header, at most 104857600"},
		{"leading space", file(` {}`, 0), "does not begin with {"},
		{"array", file(`[]`, 0), "does not begin with {"},
		{"cut JSON", file(`{"a":{`, 0), "header ends early"},
		{"bad JSON", file(`{"a"}`, 0), "header: "},
		{"number as key", file(`{1:2}`, 0), "header: "},
		{"not UTF-8", file("{\"\xff\":{"+one+"}}", 4), "not valid UTF-8"},
		{"NUL padding", file("{}\x00", 0), "1 bytes after the header's object"},
		{"two objects", file(`{}{}`, 0), "2 bytes after the header's object"},
		{"trailing data", file(`{}`, 3), "tensors take 0 bytes, the file has 3"},
		{"missing data", file(`{"a":{`+one+`}}`, 3), "tensors take 4 bytes, the file has 3"},
		{"duplicate tensor", file(`{"a":{`+one+`},"a":{`+one+`}}`, 4), `key "a" occurs twice in the header`},
		{"duplicate key", file(`{"a":{"dtype":"F32",`+one+`}}`, 4), `key "dtype" occurs twice in tensor "a"`},
		{"duplicate metadata", file(`{"__metadata__":{"a":"1","a":"2"}}`, 0), `key "a" occurs twice in __metadata__`},
		{"metadata twice", file(`{"__metadata__":{},"__metadata__":{}}`, 0), "occurs twice in the header"},
		{"metadata number", file(`{"__metadata__":{"a":1}}`, 0), `metadata "a" is not a string`},
		{"metadata null", file(`{"__metadata__":null}`, 0), "__metadata__ is not an object"},
		{"unknown key", file(`{"a":{"Dtype":"F32"}}`, 0), `unknown key "Dtype"`},
		{"no shape", file(`{"a":{"dtype":"F32","data_offsets":[0,4]}}`, 4), "want dtype, shape and two data_offsets"},
		{"one offset", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4]}}`, 4), "want dtype, shape and two data_offsets"},
		{"three offsets", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}`, 4), "more than 2 elements"},
		{"negative offset", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}`, 4), "-4 is not an integer"},
		{"fraction", file(`{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}`, 4), "1.0 is not an integer"},
		{"text of two lines in the shape", file(`{"a":{"dtype":"F32","shape":["1\n2"],"data_offsets":[0,4]}}`, 4), `"1\n2" is not an integer`},
		{"nested shape", file(`{"a":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}}`, 4), "is not an integer"},
		{"reversed offsets", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}`, 4), "takes 4 bytes"},
		{"short span", file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, 4), "shape [2] takes 8 bytes"},
		{"overflow", file(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, 0), "too large"},
		{"wrapped", file(`{"a":{"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]}}`, 4), "too large"},
		{"rank", file(`{"a":{"dtype":"F32","shape":[`+strings.Repeat("1,", maxRank)+`1],"data_offsets":[0,4]}}`, 4), "more than 16 elements"},
		{"overlap", file(`{"a":{`+one+`},"b":{`+one+`}}`, 4), `tensor "b" begins at byte 0 of the data, want 4`},
		{"gap", file(`{"a":{`+one+`},"b":{"dtype":"F32","shape":[1],"data_offsets":[5,9]}}`, 9), "begins at byte 5 of the data, want 4"},
		{"gap in front", file(`{"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}`, 5), "begins at byte 1 of the data, want 0"},
	} {
		_, err := Parse(c.b)
		var format FormatError
		if !errors.As(err, &format) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want a FormatError with %q", c.name, err, c.want)
		}
	}
	_, err := Parse(file(`{"a":{"dtype":"F4","shape":[1],"data_offsets":[0,4]}}`, 4))
	var unsupported UnsupportedError
	if !errors.As(err, &unsupported) {
		t.Errorf("dtype F4: error %v, want an UnsupportedError", err)
	}
}

func TestAccessorErrors(t *testing.T) {
	f, err := Parse(encode(t, nil, example))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.F32("idx"); err == nil || !strings.Contains(err.Error(), `"idx" has dtype I32, want F32`) {
		t.Errorf("wrong dtype: %v", err)
	}
	if _, _, err := f.I32("none"); err == nil || !strings.Contains(err.Error(), `no tensor "none"`) {
		t.Errorf("missing tensor: %v", err)
	}
	b := encode(t, nil, example)
	short, err := Read(bytes.NewReader(b[:len(b)-4]), int64(len(b))) // file shrank after its size was taken
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := short.U8("bytes"); err == nil || !strings.Contains(err.Error(), "file ends at byte") {
		t.Errorf("short file: %v", err)
	}
}

func TestWriteErrors(t *testing.T) {
	x := []float32{1, 2}
	for name, tensors := range map[string][]Tensor{
		"shape":     {{"x", []int{3}, F32, x}},
		"negative":  {{"x", []int{-1, -2}, F32, x}},
		"overflow":  {{"x", []int{math.MaxInt, math.MaxInt, 2}, F32, x}},
		"dtype":     {{"x", []int{2}, I32, x}},
		"bfloat":    {{"x", []int{2}, BF16, x}},
		"data":      {{"x", []int{2}, F32, []float64{1, 2}}},
		"duplicate": {{"x", []int{2}, F32, x}, {"x", []int{2}, F16, x}},
		"reserved":  {{"__metadata__", []int{2}, F32, x}},
		"UTF-8":     {{"\xff", []int{2}, F32, x}},
		"rank":      {{"x", make([]int, maxRank+1), F32, []float32{}}},
	} {
		var b bytes.Buffer
		if err := Write(&b, nil, tensors); err == nil || b.Len() > 0 {
			t.Errorf("%s: error %v and %d bytes written, want an error and none", name, err, b.Len())
		}
	}
	if err := Write(io.Discard, map[string]string{"k": "\xff"}, nil); err == nil {
		t.Error("metadata that is not UTF-8 was written")
	}
}

// TestTorch reads the first bytes of what torch.save writes, now and before
// PyTorch 1.6.
func TestTorch(t *testing.T) {
	for _, head := range []string{"PK\x03\x04\x00\x00\x08\x08", "PK\x03\x04\x00\x00\x00\x00", "\x80\x02\x8a\nl\xfc\x9cF"} {
		if _, err := Parse([]byte(head + "\x00\x00archive/data.pkl")); !errors.Is(err, ErrTorch) {
			t.Errorf("%q: error %v, want %v", head, err, ErrTorch)
		}
	}
}

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	fault := errors.New("no tensor")
	read := func(f *File) ([]byte, error) {
		sum, err := f.SHA256()
		if len(f.Tensors) == 0 {
			err = fault
		}
		return sum[:], err
	}
	if _, err := Load(path, read); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	for _, tensors := range [][]Tensor{example, nil} {
		b := encode(t, nil, tensors)
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
		got, err := Load(path, read)
		if want := sha256.Sum256(b); tensors != nil && (err != nil || !bytes.Equal(got, want[:])) {
			t.Errorf("hash %x, %v, want %x", got, err, want)
		}
		if tensors == nil && (!errors.Is(err, fault) || err.Error() != path+": no tensor") {
			t.Errorf("a fault of read: %v", err)
		}
	}
	if err := os.WriteFile(path, []byte("cut"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path, read); err == nil || !strings.HasPrefix(err.Error(), path+": safetensors: invalid format: ") {
		t.Errorf("a broken file: %v", err)
	}
}
