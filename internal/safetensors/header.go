package safetensors

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"unicode/utf8"
)

const (
	metadataKey = "__metadata__"
	maxRank     = 16
)

// parseHeader reads the JSON header. The tensors must fill the dataSize bytes
// that follow it without gap or overlap.
func parseHeader(text []byte, dataSize uint64) (*File, error) {
	if !utf8.Valid(text) { // encoding/json would replace what is wrong
		return nil, formatErrorf("header is not valid UTF-8")
	}
	if len(text) == 0 || text[0] != '{' {
		return nil, formatErrorf("header does not begin with {")
	}
	p := headerParser{dec: json.NewDecoder(bytes.NewReader(text))}
	p.dec.UseNumber()
	f := &File{Metadata: map[string]string{}, byName: map[string]int{}}
	err := p.object("the header", func(name string) error {
		if name == metadataKey {
			return p.object(metadataKey, func(key string) (err error) {
				f.Metadata[key], err = p.str("metadata " + strconv.Quote(key))
				return err
			})
		}
		info, err := p.tensor(name)
		if err != nil {
			return err
		}
		f.Tensors = append(f.Tensors, info)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if rest := bytes.TrimRight(text[p.dec.InputOffset():], " "); len(rest) > 0 {
		return nil, formatErrorf("%d bytes after the header's object, want only spaces", len(rest))
	}
	return f, f.layout(dataSize)
}

// layout checks that the tensors tile the data and sorts them by name.
func (f *File) layout(dataSize uint64) error {
	slices.SortFunc(f.Tensors, func(a, b Info) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end))
	})
	var pos uint64
	for _, t := range f.Tensors {
		if t.begin != pos {
			return formatErrorf("tensor %q begins at byte %d of the data, want %d (no gaps, no overlap)", t.Name, t.begin, pos)
		}
		pos = t.end
	}
	if pos != dataSize {
		return formatErrorf("tensors take %d bytes, the file has %d", pos, dataSize)
	}
	slices.SortFunc(f.Tensors, func(a, b Info) int { return cmp.Compare(a.Name, b.Name) })
	for i, t := range f.Tensors {
		f.byName[t.Name] = i
	}
	return nil
}

// headerParser reads JSON token by token: encoding/json would take the last of
// two equal keys, and ignore case and unknown keys.
type headerParser struct {
	dec *json.Decoder
}

func (p *headerParser) token() (json.Token, error) {
	tok, err := p.dec.Token()
	var syntax *json.SyntaxError
	switch {
	case err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF):
		return nil, formatErrorf("header ends early")
	case errors.As(err, &syntax):
		return nil, formatErrorf("header: %v at byte %d", syntax, syntax.Offset)
	case err != nil:
		return nil, formatErrorf("header: %v", err)
	}
	return tok, nil
}

// object reads an object; value is called at the value of every key. what
// names the object in errors.
func (p *headerParser) object(what string, value func(key string) error) error {
	tok, err := p.token()
	if err != nil {
		return err
	}
	if tok != json.Delim('{') {
		return formatErrorf("%s is not an object", what)
	}
	seen := map[string]bool{}
	for p.dec.More() {
		tok, err := p.token()
		if err != nil {
			return err
		}
		key := tok.(string) // the decoder lets nothing else stand here
		if seen[key] {
			return formatErrorf("key %q occurs twice in %s", key, what)
		}
		seen[key] = true
		if err := value(key); err != nil {
			return err
		}
	}
	_, err = p.token()
	return err
}

func (p *headerParser) str(what string) (string, error) {
	tok, err := p.token()
	if err != nil {
		return "", err
	}
	s, ok := tok.(string)
	if !ok {
		return "", formatErrorf("%s is not a string", what)
	}
	return s, nil
}

// ints reads an array of at most limit integers from 0 to 2^63-1.
func (p *headerParser) ints(what string, limit int) ([]uint64, error) {
	tok, err := p.token()
	if err != nil {
		return nil, err
	}
	if tok != json.Delim('[') {
		return nil, formatErrorf("%s is not an array", what)
	}
	list := []uint64{}
	for p.dec.More() {
		tok, err := p.token()
		if err != nil {
			return nil, err
		}
		num, _ := tok.(json.Number)
		v, err := strconv.ParseUint(string(num), 10, 63)
		if err != nil {
			if num == "" {
				return nil, formatErrorf("%s: %.40q is not an integer from 0 to 2^63-1", what, fmt.Sprint(tok))
			}
			return nil, formatErrorf("%s: %.40s is not an integer from 0 to 2^63-1", what, num)
		}
		if len(list) == limit {
			return nil, formatErrorf("%s has more than %d elements", what, limit)
		}
		list = append(list, v)
	}
	_, err = p.token()
	return list, err
}

// tensor reads the description of one tensor.
func (p *headerParser) tensor(name string) (Info, error) {
	info := Info{Name: name}
	what := "tensor " + strconv.Quote(name)
	var offsets []uint64
	err := p.object(what, func(key string) (err error) {
		switch key {
		case "dtype":
			var s string
			s, err = p.str("dtype of " + what)
			info.DType = DType(s)
		case "shape":
			var dims []uint64
			dims, err = p.ints("shape of "+what, maxRank)
			info.Shape = make([]int, len(dims))
			for i, d := range dims {
				if d > math.MaxInt {
					return formatErrorf("%s: dimension %d is too large", what, d)
				}
				info.Shape[i] = int(d)
			}
		case "data_offsets":
			offsets, err = p.ints("data_offsets of "+what, 2)
		default:
			err = formatErrorf("%s: unknown key %q", what, key)
		}
		return err
	})
	switch {
	case err != nil:
		return info, err
	case info.DType == "" || info.Shape == nil || len(offsets) != 2:
		return info, formatErrorf("%s: want dtype, shape and two data_offsets", what)
	case info.DType.size() == 0:
		return info, UnsupportedError(what + " has dtype " + strconv.Quote(string(info.DType)))
	}
	info.begin, info.end = offsets[0], offsets[1]
	want := info.DType.size()
	for _, d := range info.Shape {
		hi, lo := bits.Mul64(want, uint64(d))
		if hi != 0 || lo > math.MaxInt64 {
			return info, formatErrorf("%s: shape %v is too large", what, info.Shape)
		}
		want = lo
	}
	if info.end < info.begin || info.end-info.begin != want {
		return info, formatErrorf("%s: data_offsets [%d, %d], but %s of shape %v takes %d bytes",
			what, info.begin, info.end, info.DType, info.Shape, want)
	}
	return info, nil
}
