package golden

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"vqspeech/internal/safetensors"
)

// recorder is a testing.TB that records failures.
type recorder struct {
	testing.TB // for what is not overridden
	errors     []string
	fatal      string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.fatal = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Fatal(args ...any) { r.Fatalf("%s", fmt.Sprint(args...)) }

// record runs f, which may end early by Fatal.
func record(t *testing.T, f func(t testing.TB)) *recorder {
	t.Helper()
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(r)
	}()
	<-done
	return r
}

// useFixture makes a folder with one small fixture the current set.
func useFixture(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "x.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	err = safetensors.Write(f, map[string]string{"n": "3", "eps": "1e-5", "list": "[1, 2]", "text": "abc"}, []safetensors.Tensor{
		{Name: "a", Shape: []int{2, 3}, DType: safetensors.F32, Data: []float32{0, 1, -2, 100, 4, float32(math.Inf(1))}},
		{Name: "i", Shape: []int{2, 2}, DType: safetensors.I32, Data: []int32{1, 2, 3, 4}},
		{Name: "given", Shape: []int{1}, DType: safetensors.F32, Data: []float32{1}},
		{Name: "nan", Shape: nil, DType: safetensors.F32, Data: []float32{float32(math.NaN())}},
		{Name: "none", Shape: []int{0}, DType: safetensors.F32, Data: []float32{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	manifest := `{"rtol": 0.01, "files": {"x.safetensors": {"tensors": {
		"a": {"shape": [2, 3], "atol": 0.1}, "i": {"shape": [2, 2]}, "given": {"shape": [1]},
		"nan": {"shape": [], "atol": 1}, "none": {"shape": [0], "atol": 0}}}}}`
	if err := os.WriteFile(filepath.Join(dir, "MANIFEST.json"), []byte(manifest), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv(Env, dir)
}

func TestCheck(t *testing.T) {
	useFixture(t)
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, c := range []struct {
		name string
		f    func(f *File)
		want string // "" if the check must pass
	}{
		{"equal", func(f *File) { f.Check("a", []float32{0, 1, -2, 100, 4, inf}) }, ""},
		{"shape", func(f *File) { f.Check("a", []float32{0, 1, -2, 100, 4, inf}, 2, 3) }, ""},
		{"within", func(f *File) { f.Check("a", []float32{0.09, 1.1, -2.1, 101, 4, inf}) }, ""},
		{"none", func(f *File) { f.Check("none", nil, 0) }, ""},
		{"ints", func(f *File) { f.CheckInts("i", []int32{1, 2, 3, 4}, 2, 2) }, ""},
		{"own tolerance", func(f *File) { f.CheckWithin("given", []float32{3}, 0, 2) }, ""},

		{"absolute", func(f *File) { f.Check("a", []float32{0.11, 1, -2, 100, 4, inf}) }, "at [0 0]: got 0.11, want 0"},
		{"worst", func(f *File) { f.Check("a", []float32{0.11, 1, -2, 120, 4, inf}) }, "a: 2 of 6 elements differ, the worst at [1 0]: got 120, want 100 within 0.1 + 0.01|want|"},
		{"NaN", func(f *File) { f.Check("a", []float32{0, 1, nan, 120, 4, inf}) }, "worst at [0 2]: got NaN"},
		{"wanted NaN", func(f *File) { f.Check("nan", []float32{1}) }, "got 1, want NaN"},
		{"infinity", func(f *File) { f.Check("a", []float32{0, 1, -2, 100, inf, inf}) }, "got +Inf, want 4"},
		{"not infinity", func(f *File) { f.Check("a", []float32{0, 1, -2, 100, 4, 5}) }, "got 5, want +Inf"},
		{"other infinity", func(f *File) { f.Check("a", []float32{0, 1, -2, 100, 4, -inf}) }, "got -Inf, want +Inf"},
		{"too short", func(f *File) { f.Check("a", make([]float32, 5)) }, "got 5 elements, want 6 of shape [2 3]"},
		{"too long", func(f *File) { f.Check("a", make([]float32, 7)) }, "got 7 elements"},
		{"nothing", func(f *File) { f.Check("a", nil) }, "got 0 elements"},
		{"other shape", func(f *File) { f.Check("a", []float32{0, 1, -2, 100, 4, inf}, 3, 2) }, "got shape [3 2], want [2 3]"},
		{"shape of a scalar", func(f *File) { f.Check("nan", []float32{1}, 1) }, "got shape [1], want []"},
		{"own zero tolerance", func(f *File) { f.CheckWithin("given", []float32{1.5}, 0, 0) }, "got 1.5, want 1"},
		{"int", func(f *File) { f.CheckInts("i", []int32{1, 2, 4, 3}) }, "i: 2 of 4 elements differ, the first at [1 0]: got 4, want 3"},
		{"ints too short", func(f *File) { f.CheckInts("i", []int32{1}) }, "got 1 elements"},
		{"ints other shape", func(f *File) { f.CheckInts("i", []int32{1, 2, 3, 4}, 4) }, "got shape [4]"},
	} {
		r := record(t, func(tb testing.TB) { c.f(Open(tb, "x.safetensors")) })
		if r.fatal != "" {
			t.Errorf("%s: fatal %q", c.name, r.fatal)
		}
		got := strings.Join(r.errors, "\n")
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) || len(r.errors) > 1 {
			t.Errorf("%s: errors %q, want one with %q", c.name, got, c.want)
		}
	}
}

func TestFatal(t *testing.T) {
	useFixture(t)
	for _, c := range []struct {
		name string
		f    func(t testing.TB, f *File)
		want string
	}{
		{"missing file", func(t testing.TB, f *File) { Open(t, "y.safetensors") }, "y.safetensors"},
		{"not listed", func(t testing.TB, f *File) { copyFixture(t); Open(t, "z.safetensors") }, "MANIFEST.json does not list z.safetensors"},
		{"no match", func(t testing.TB, f *File) { Glob(t, "image*.safetensors") }, "no fixture matches image*.safetensors"},
		{"missing tensor", func(t testing.TB, f *File) { f.F32("b") }, `no tensor "b"`},
		{"missing tensor in Check", func(t testing.TB, f *File) { f.CheckWithin("b", nil, 0, 0) }, `no tensor "b"`},
		{"missing shape", func(t testing.TB, f *File) { f.Shape("b") }, `no tensor "b"`},
		{"ints as floats", func(t testing.TB, f *File) { f.F32("i") }, "dtype I32"},
		{"floats as ints", func(t testing.TB, f *File) { f.CheckInts("a", nil) }, "dtype F32"},
		{"no tolerance", func(t testing.TB, f *File) { f.Check("given", []float32{1}) }, "no tolerance"},
		{"missing metadata", func(t testing.TB, f *File) { f.Meta("b") }, `no metadata "b"`},
		{"not an int", func(t testing.TB, f *File) { f.Int("eps") }, `metadata "eps"`},
		{"not a float", func(t testing.TB, f *File) { f.Float("text") }, `metadata "text"`},
		{"not JSON", func(t testing.TB, f *File) { f.JSON("text", new(any)) }, `metadata "text"`},
	} {
		r := record(t, func(tb testing.TB) { c.f(tb, Open(tb, "x.safetensors")) })
		if !strings.Contains(r.fatal, c.want) {
			t.Errorf("%s: fatal %q, want one with %q", c.name, r.fatal, c.want)
		}
	}
}

// copyFixture adds a copy of x.safetensors that the manifest does not list.
func copyFixture(t testing.TB) {
	b, err := os.ReadFile(Path(t, "x.safetensors"))
	if err == nil {
		err = os.WriteFile(filepath.Join(os.Getenv(Env), "z.safetensors"), b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestMetadata(t *testing.T) {
	useFixture(t)
	f := Open(t, "x.safetensors")
	var list []int
	f.JSON("list", &list)
	if f.Int("n") != 3 || f.Float("eps") != 1e-5 || f.Float("n") != 3 || f.Meta("text") != "abc" || !slices.Equal(list, []int{1, 2}) {
		t.Error("metadata values differ from the file's")
	}
	if !f.Has("a") || f.Has("b") || !slices.Equal(f.Names(), []string{"a", "given", "i", "nan", "none"}) {
		t.Errorf("names %q", f.Names())
	}
	if f.Atol("a") != 0.1 || !slices.Equal(f.Shape("a"), []int{2, 3}) || !slices.Equal(f.I32("i"), []int32{1, 2, 3, 4}) {
		t.Error("tensor values differ from the file's")
	}
}

// Every fixture here can be opened and agrees with the manifest.
func TestGoldenFixtures(t *testing.T) {
	for _, name := range Glob(t, "*.safetensors") {
		f := Open(t, name)
		if got, want := len(f.Names()), len(f.tensors); got != want {
			t.Errorf("%s: %d tensors, the manifest lists %d", name, got, want)
		}
		for _, tensor := range f.Names() {
			if got, want := f.Shape(tensor), f.tensors[tensor].Shape; !slices.Equal(got, want) {
				t.Errorf("%s: %s: shape %v, the manifest says %v", name, tensor, got, want)
			}
		}
	}
	Path(t, "tones_16k.wav")
}
