package units

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"vqspeech/internal/npy"
)

// export writes codes in a format, in two parts.
func export(t *testing.T, format string, h Header, codes []uint16, samples int64) []byte {
	t.Helper()
	var b bytes.Buffer
	s, err := NewSink(&b, format, h, "dir/a.wav")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Write(codes[:len(codes)/2]), s.Write(codes[len(codes)/2:]), s.Close(samples)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestExportText(t *testing.T) {
	h := testHeader(4)
	if got := string(export(t, "txt", h, []uint16{0, 511, 7, 10}, h.Samples)); got != "0 511 7 10\n" {
		t.Errorf("got %q", got)
	}
	if got := string(export(t, "txt", h, nil, 0)); got != "\n" {
		t.Errorf("no units: got %q, want an empty line", got)
	}
}

func TestExportJSON(t *testing.T) {
	h := testHeader(3)
	h.Samples = Streamed
	h.Speaker = `a"<é>`
	got := string(export(t, "json", h, []uint16{0, 511, 7}, 1120))
	want := `{"file":"dir/a.wav","model":"01020304050607ff","sample_rate":16000,"code_rate_hz":50,"codebook_size":512,` +
		`"speaker":"a\"\u003cé\u003e","units":[0,511,7],"samples":1120}` + "\n"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	h.Hop = 300
	var object map[string]any
	if err := json.Unmarshal(export(t, "json", h, nil, 0), &object); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(object["units"], []any{}) || fmt.Sprint(object["code_rate_hz"]) != "53.333333333333336" {
		t.Errorf("no units: got %v", object)
	}
}

func TestExportNPY(t *testing.T) {
	codes := testCodes(10000, 512)
	shape, got, err := npy.Read[uint16](bytes.NewReader(export(t, "npy", testHeader(10000), codes, 0)))
	if err != nil || !slices.Equal(shape, []int{10000}) || !slices.Equal(got, codes) {
		t.Errorf("shape %v, error %v", shape, err)
	}
}

func TestExportVQS(t *testing.T) {
	h, codes := testHeader(5000), testCodes(5000, 512)
	if !bytes.Equal(export(t, "vqs", h, codes, h.Samples), encode(t, h, codes)) {
		t.Error("the sink writes another file than Encode")
	}
}

func TestCopyConverts(t *testing.T) {
	h, codes := testHeader(5000), testCodes(5000, 512)
	for _, format := range Formats {
		r, err := NewReader(bytes.NewReader(encode(t, h, codes)))
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		s, err := NewSink(&b, format, h, "dir/a.wav")
		if err != nil {
			t.Fatal(err)
		}
		if err := Copy(s, r); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.Bytes(), export(t, format, h, codes, h.Samples)) {
			t.Errorf("%s: a copied file differs from an encoded one", format)
		}
	}
	r, err := NewReader(bytes.NewReader(encode(t, h, codes)[:5000]))
	if err != nil {
		t.Fatal(err)
	}
	if err := Copy(&collect{}, r); err == nil {
		t.Error("a cut file was copied without an error")
	}
}

// full is a writer on a full disk.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

var errFull = errors.New("disk full")

func TestSinkErrors(t *testing.T) {
	if _, err := NewSink(io.Discard, "mp3", testHeader(1), ""); err == nil || !strings.Contains(err.Error(), `unknown format "mp3", want one of vqs, txt, json, npy`) {
		t.Errorf("unknown format: %v", err)
	}
	for _, format := range Formats {
		if _, err := NewSink(io.Discard, format, Header{}, ""); err == nil {
			t.Errorf("%s: an empty header was accepted", format)
		}
		s, err := NewSink(full{}, format, testHeader(1), "")
		if err == nil {
			err = errors.Join(s.Write([]uint16{1}), s.Close(480))
		}
		if !errors.Is(err, errFull) {
			t.Errorf("%s: error %v, want %v", format, err, errFull)
		}
	}
}
