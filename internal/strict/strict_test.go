package strict_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vqspeech/internal/strict"
)

func TestReadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	if _, err := strict.ReadFile(path, 5); !errors.Is(err, fs.ErrNotExist) || !errors.Is(strict.Cause(err), fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := os.WriteFile(path, []byte("hello"), 0o666); err != nil {
		t.Fatal(err)
	}
	if b, err := strict.ReadFile(path, 5); err != nil || string(b) != "hello" {
		t.Errorf("read %q, %v", b, err)
	}
	if _, err := strict.ReadFile(path, 4); err == nil || err.Error() != "read "+path+": larger than 4 bytes" || strict.Cause(err).Error() != "larger than 4 bytes" {
		t.Errorf("too large: %v", err)
	}
}

func TestJSON(t *testing.T) {
	for text, want := range map[string]string{
		`{"step": 3} `: "", "": "invalid JSON: EOF", `{"step":`: "invalid JSON: unexpected EOF", `{"step":3,"x":1}`: `unknown field "x"`,
		`{"step":3}{}`: "more than one value", `{"step":"3"}`: "cannot unmarshal string",
	} {
		var v struct{ Step int }
		err := strict.JSON([]byte(text), &v)
		if want == "" && (err != nil || v.Step != 3) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %+v, %v, want %s", text, v, err, want)
		}
	}
}
