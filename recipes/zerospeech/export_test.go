package zerospeech_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"vqspeech/audio"
	"vqspeech/features"
	"vqspeech/model"
	"vqspeech/model/modeltest"
	"vqspeech/recipes/zerospeech"
)

var meta = zerospeech.Metadata{ABXDistance: "dtw_cosine", Description: "a: test", HyperParameters: "none", ExternalData: true}

func TestExport(t *testing.T) {
	root := made(t, "zerospeech-lists")
	english := filepath.Join(root, "english")
	put(t, filepath.Join(english, "test.json"), `[
  ["english/test/S002_0379088085", 0.1, 0.4, "english/test/S002/S002_0379088085"],
  ["english/test/0107_400123", 0.0, 0.088, "english/test/S002/0107_400123"],
  ["english/test/0107_400123", 0.0, 0.029, "english/test/S002/short"],
  ["english/test/none", 0.0, 0.5, "english/test/S002/none"],
  ["english/test/0107_400123", 0.0, 0.5, "english/test/S002/outside"]
]`)
	list, err := zerospeech.ReadTest(english, "")
	if err != nil {
		t.Fatal(err)
	}
	m := modeltest.New(t, model.Gaussian4, features.Reference)
	dst := filepath.Join(t.TempDir(), "sub[1]*")
	done := 0
	r, err := zerospeech.Export(t.Context(), m, list, dst, meta, func(n int) { done = n })
	if err != nil {
		t.Fatal(err)
	}
	// 0.4 s are 41 frames and 19 units, 88 ms are 9 frames and 3 units.
	if r.Files != 2 || r.Units != 19+3 || len(r.Empty) != 1 || len(r.Failed) != 2 || done != 5 {
		t.Errorf("%+v after %d", r, done)
	}
	if text := r.Empty[0].Err.Error(); !strings.Contains(text, "464 samples (29 ms) are too short") {
		t.Error(text)
	}
	if text := r.Failed[0].Err.Error(); !strings.Contains(text, "segment from 0 s to 0.5 s lies outside") {
		t.Error(text)
	}

	// The vectors are those of the codes of the segment.
	clip, err := audio.LoadSegment(filepath.Join(english, "test/S002_0379088085.wav"), audio.Range{Start: 0.1, Duration: 0.4})
	if err != nil {
		t.Fatal(err)
	}
	var codes []uint16
	if _, err := m.EncodeClip(clip, func(c []uint16) error { codes = append(codes, c...); return nil }); err != nil {
		t.Fatal(err)
	}
	text := read(t, filepath.Join(dst, "2019/english/test/S002_0379088085.txt"))
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) != len(codes) {
		t.Fatalf("%d lines, want %d", len(lines), len(codes))
	}
	d := m.Codebook.Dim
	for i, line := range lines {
		numbers := strings.Split(line, " ")
		if len(numbers) != d {
			t.Fatalf("line %d has %d numbers, want %d", i+1, len(numbers), d)
		}
		for j, n := range numbers {
			v, err := strconv.ParseFloat(n, 64)
			want := float64(m.Codebook.Vectors[int(codes[i])*d+j])
			_, digits, _ := strings.Cut(n, ".")
			if err != nil || len(digits) != 16 || math.Abs(v-want) > 1e-16 {
				t.Fatalf("line %d: %s, want %.16f", i+1, n, want)
			}
		}
	}
	var back zerospeech.Metadata
	metaFile := filepath.Join(dst, "2019/metadata.yaml")
	if err := yaml.Unmarshal([]byte(read(t, metaFile)), &back); err != nil || back != meta {
		t.Errorf("metadata %+v, %v", back, err)
	}
	if want := "abx distance: dtw_cosine\nsystem description: 'a: test'\nhyperparameters: none\nusing parallel train: false\nusing external data: true\n"; read(t, metaFile) != want {
		t.Error(cmp.Diff(want, read(t, metaFile)))
	}

	// A second model does not mix in; a second language goes beside, and what is
	// in metadata.yaml stays.
	if _, err := zerospeech.Export(t.Context(), m, list, dst, meta, nil); err == nil || !strings.Contains(err.Error(), "holds vectors already") {
		t.Errorf("a second time: %v", err)
	}
	put(t, metaFile, "edited\n")
	surprise, err := zerospeech.ReadTest(filepath.Join(made(t, "zerospeech-surprise"), "surprise"), "")
	if err != nil {
		t.Fatal(err)
	}
	if r, err := zerospeech.Export(t.Context(), m, surprise, dst, meta, nil); err != nil || r.Files != 2 {
		t.Errorf("surprise: %+v, %v", r, err)
	}
	if text := read(t, metaFile); text != "edited\n" {
		t.Errorf("metadata is %q", text)
	}
}

func TestExportStops(t *testing.T) {
	list, err := zerospeech.ReadTest(filepath.Join(made(t, "zerospeech"), "english"), "")
	if err != nil {
		t.Fatal(err)
	}
	m := modeltest.New(t, model.VQ, features.Stream)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := zerospeech.Export(ctx, m, list, t.TempDir(), meta, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	put(t, file, "in the way")
	if _, err := zerospeech.Export(t.Context(), m, list, file, meta, nil); err == nil {
		t.Error("a file was taken for a folder")
	}
}

func TestReadTestErrors(t *testing.T) {
	english := filepath.Join(made(t, "zerospeech"), "english")
	list := filepath.Join(t.TempDir(), "l.json")
	put(t, list, `[["a", 0, 1, "e/s/a"], ["b", 0, 1, "e/t/a"]]`)
	if _, err := zerospeech.ReadTest(english, list); err == nil || err.Error() != "e/s/a and e/t/a would both be written to a.txt" {
		t.Errorf("two names: %v", err)
	}
	if _, err := zerospeech.ReadTest(english, list+"x"); err == nil || !strings.Contains(err.Error(), "l.jsonx") {
		t.Errorf("no list: %v", err)
	}
	if err := os.RemoveAll(filepath.Join(english, "test")); err != nil {
		t.Fatal(err)
	}
	if _, err := zerospeech.ReadTest(english, ""); err == nil || !strings.Contains(err.Error(), "neither test.json nor recordings in test") {
		t.Errorf("no items: %v", err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
