// Package golden opens the fixtures that every numeric part of the project is
// tested against, and compares results with them.
//
// The fixtures are in testdata; its README.md says what they hold. Tests take
// every size and setting from the file, so that they also pass on another set:
//
//	VQSPEECH_GOLDEN=/some/folder go test -run Golden ./...
package golden

import (
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"

	"vqspeech/internal/safetensors"
)

// Env names the environment variable that points to another set of fixtures.
const Env = "VQSPEECH_GOLDEN"

// File is an open fixture. Its methods end the test if a tensor or a metadata
// key is missing or has another type.
type File struct {
	t       testing.TB
	name    string
	file    *safetensors.File
	tensors map[string]manifestTensor
	rtol    float64
	used    map[string]bool
}

// manifest is the part of MANIFEST.json that is used here.
type manifest struct {
	RTol  float64 `json:"rtol"`
	Files map[string]struct {
		Tensors map[string]manifestTensor `json:"tensors"`
	} `json:"files"`
}

type manifestTensor struct {
	Shape []int    `json:"shape"`
	Role  string   `json:"role"` // "given" or "result"
	Atol  *float64 `json:"atol"` // only floating-point results have one
}

// Open opens a safetensors fixture.
func Open(t testing.TB, file string) *File {
	t.Helper()
	b, err := os.ReadFile(Path(t, file))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := safetensors.Parse(b)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	m, err := loadManifest(Path(t, "MANIFEST.json"))
	if err != nil {
		t.Fatal(err)
	}
	entry, ok := m.Files[file]
	if !ok {
		t.Fatalf("MANIFEST.json does not list %s", file)
	}
	return &File{t: t, name: file, file: parsed, tensors: entry.Tensors, rtol: m.RTol, used: map[string]bool{}}
}

var manifests sync.Map // path → func() (*manifest, error)

// loadManifest reads a manifest once per process: it is large.
func loadManifest(path string) (*manifest, error) {
	load, _ := manifests.LoadOrStore(path, sync.OnceValues(func() (*manifest, error) {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		m := new(manifest)
		return m, json.Unmarshal(b, m)
	}))
	return load.(func() (*manifest, error))()
}

// Glob returns the names of the fixtures that match the pattern, sorted. It
// ends the test if there is none.
func Glob(t testing.TB, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder(t), pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no fixture matches %s (%v)", pattern, err)
	}
	for i, p := range paths {
		paths[i] = filepath.Base(p)
	}
	slices.Sort(paths)
	return paths
}

// Path returns the path of a fixture. It ends the test if the file is missing.
func Path(t testing.TB, name string) string {
	t.Helper()
	file := filepath.Join(folder(t), name)
	if _, err := os.Stat(file); err != nil {
		t.Fatal(err)
	}
	return file
}

// folder returns the folder of the fixtures. A test runs in the folder of its
// package, so the module's root is at or above it.
func folder(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv(Env); dir != "" {
		return dir
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "internal", "golden", "testdata")
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the working folder")
		}
		dir = parent
	}
}

// Has reports whether the file has the tensor.
func (f *File) Has(name string) bool {
	_, ok := f.file.Info(name)
	return ok
}

// Names returns the names of all tensors, sorted.
func (f *File) Names() []string {
	names := make([]string, len(f.file.Tensors))
	for i, info := range f.file.Tensors {
		names[i] = info.Name
	}
	return names
}

// Shape returns the shape of a tensor; it is empty for a scalar.
func (f *File) Shape(name string) []int {
	f.t.Helper()
	info, ok := f.file.Info(name)
	if !ok {
		f.t.Fatalf("%s: no tensor %q", f.name, name)
	}
	return slices.Clone(info.Shape)
}

// F32 returns the elements of a float tensor. The caller may change them.
func (f *File) F32(name string) []float32 {
	f.t.Helper()
	data, _, err := f.file.F32(name)
	if err != nil {
		f.t.Fatalf("%s: %v", f.name, err)
	}
	f.used[name] = true
	return data
}

// I32 returns the elements of an integer tensor. The caller may change them.
func (f *File) I32(name string) []int32 {
	f.t.Helper()
	data, _, err := f.file.I32(name)
	if err != nil {
		f.t.Fatalf("%s: %v", f.name, err)
	}
	f.used[name] = true
	return data
}

// RequireAllUsed fails the test for every result of the file that was never
// read, except those that match one of the patterns (path.Match).
func (f *File) RequireAllUsed(except ...string) {
	f.t.Helper()
	for _, name := range f.Names() {
		if f.used[name] || f.tensors[name].Role != "result" {
			continue
		}
		if !slices.ContainsFunc(except, func(pattern string) bool { ok, _ := path.Match(pattern, name); return ok }) {
			f.t.Errorf("%s: result %s was not compared", f.name, name)
		}
	}
}

// Meta returns a metadata value as it is stored.
func (f *File) Meta(key string) string {
	f.t.Helper()
	v, ok := f.file.Metadata[key]
	if !ok {
		f.t.Fatalf("%s: no metadata %q", f.name, key)
	}
	return v
}

// Int returns an integer metadata value.
func (f *File) Int(key string) int {
	f.t.Helper()
	v, err := strconv.Atoi(f.Meta(key))
	if err != nil {
		f.t.Fatalf("%s: metadata %q: %v", f.name, key, err)
	}
	return v
}

// Float returns a numeric metadata value.
func (f *File) Float(key string) float64 {
	f.t.Helper()
	v, err := strconv.ParseFloat(f.Meta(key), 64)
	if err != nil {
		f.t.Fatalf("%s: metadata %q: %v", f.name, key, err)
	}
	return v
}

// JSON decodes a metadata value that is a list or an object into v.
func (f *File) JSON(key string, v any) {
	f.t.Helper()
	if err := json.Unmarshal([]byte(f.Meta(key)), v); err != nil {
		f.t.Fatalf("%s: metadata %q: %v", f.name, key, err)
	}
}
