package safetensors

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSave(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.safetensors")
	if err := Save(path, map[string]string{"a": "b"}, []Tensor{{"w", []int{2}, F32, []float32{1, 2}}}); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if f, err := Parse(b); err != nil || f.Metadata["a"] != "b" || len(f.Tensors) != 1 {
		t.Errorf("read back %v, %v", f, err)
	}
	bad := []Tensor{{"w", []int{3}, F32, []float32{1, 2}}}
	if err := Save(path, nil, bad); err == nil || strings.Count(err.Error(), path) != 1 {
		t.Errorf("error %v, want one that names the file", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%d files are left", len(entries))
	}
	if now, _ := os.ReadFile(path); string(now) != string(b) {
		t.Error("a failed Save changed the file")
	}
	missing := filepath.Join(dir, "no", "x")
	if err := Save(missing, nil, nil); err == nil || !strings.HasPrefix(err.Error(), missing+": ") {
		t.Errorf("a missing folder: error %v", err)
	}
}
