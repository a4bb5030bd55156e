package figures

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"vqspeech/model/image"
	"vqspeech/model/train"
	"vqspeech/recipes/images"
)

// corpus prepares a few images of bright squares, or maps of their labels.
func corpus(t *testing.T, side, classes int) *images.Corpus {
	t.Helper()
	src := images.Source{Corpus: "squares", Height: side, Width: side, Channels: 1, Classes: classes}
	for i, name := range []string{"train", "valid", "test"} {
		src.Splits = append(src.Splits, images.Split{
			Name: name, N: 6 - i, Path: func(k int) string { return fmt.Sprint(name, k) },
			Read: func(k int, dst []uint8) error {
				for p := range dst {
					if p%side > 3*k && p/side < side/2+i {
						dst[p] = max(1, uint8(250*(1-min(classes, 1))))
					}
				}
				return nil
			},
		})
	}
	dir := t.TempDir()
	if _, err := images.Prepare(t.Context(), src, dst(dir), images.Options{}); err != nil {
		t.Fatal(err)
	}
	c, err := images.Open(dst(dir))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func dst(dir string) string { return filepath.Join(dir, "data") }

var small = []string{"model.res_blocks=1", "quantizer.codebook_dim=4", "train.epochs=2", "train.batch_size=4", "train.log_every=1"}

// runs makes a figure and returns its lines of CSV by column.
func runs(t *testing.T, s *Sweep, dir string) []map[string]string {
	t.Helper()
	all, err := s.Run(t.Context(), dir, func(Progress) {})
	if err != nil {
		t.Fatal(err)
	}
	table, picture, err := s.Write(dir, all)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(picture)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := png.Decode(bytes.NewReader(text)); err != nil {
		t.Error(err)
	}
	f, err := os.Open(table)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var lines []map[string]string
	for _, row := range rows[1:] {
		line := map[string]string{}
		for i, name := range rows[0] {
			line[name] = row[i]
		}
		lines = append(lines, line)
	}
	return lines
}

func rounded(t *testing.T, text string) string {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Error(err)
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

func TestSelfAnneal(t *testing.T) {
	s, err := SelfAnneal(corpus(t, 28, 0), []float64{0.1, 3}, small)
	if err != nil {
		t.Fatal(err)
	}
	lines := runs(t, s, t.TempDir())
	if len(lines) != 3*4 { // the untrained model, two epochs, the test set
		t.Fatalf("%d lines", len(lines))
	}
	var starts []string
	for i, l := range lines {
		if i%4 == 0 {
			starts = append(starts, l["run"]+" "+l["epoch"]+" "+rounded(t, l["posterior_variance"]))
			if l["posterior_entropy"] == "" || l["posterior_kappa"] != "" {
				t.Errorf("line %v", l)
			}
		}
		if fixed := strings.HasPrefix(l["run"], "fixed"); l["set"] == "valid" && i%4 == 2 && fixed != (l["posterior_variance"] == lines[i-2]["posterior_variance"]) {
			t.Errorf("%s: the variance was %s and is %s", l["run"], lines[i-2]["posterior_variance"], l["posterior_variance"])
		}
	}
	if want := []string{"trainable 0 10", "fixed-0.1 0 0.1", "fixed-3 0 3"}; !slices.Equal(starts, want) {
		t.Errorf("starts %q, want %q", starts, want)
	}
}

func TestKappa(t *testing.T) {
	for _, c := range []struct {
		classes int
		error   string
	}{{0, "mse_x1000"}, {3, "pixel_error"}} {
		s, err := Kappa(corpus(t, 28, c.classes), small)
		if err != nil {
			t.Fatal(err)
		}
		lines := runs(t, s, t.TempDir())
		if len(lines) != 2*4 || rounded(t, lines[0]["posterior_kappa"]) != "1.05" || rounded(t, lines[0]["decoder_kappa"]) != "100" || lines[4]["decoder_kappa"] != "" {
			t.Errorf("%d classes: %v", c.classes, lines)
		}
		if lines[7][c.error] == "" {
			t.Errorf("%d classes: no %s", c.classes, c.error)
		}
	}
}

func TestCapacity(t *testing.T) {
	s, err := Capacity(corpus(t, 28, 0), []int{4, 8}, []int{2, 4}, slices.Concat(small, []string{"quantizer.codebook_size=8", "train.epochs=1"}))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range s.Points {
		names = append(names, p.Name)
		if want := 10 * float64(p.Recipe.Quantizer.CodebookDim) / 4; p.Recipe.Quantizer.InitialScale != want {
			t.Errorf("%s begins with %g, want %g", p.Name, p.Recipe.Quantizer.InitialScale, want)
		}
	}
	if want := []string{"sq-k4-d4", "ema-k4-d4", "sq-k8-d4", "ema-k8-d4", "sq-k8-d2", "ema-k8-d2"}; !slices.Equal(names, want) {
		t.Errorf("runs %q, want %q", names, want)
	}
	if lines := runs(t, s, t.TempDir()); len(lines) != 6*3 {
		t.Errorf("%d lines", len(lines))
	}
	panels := s.capacityPanels(nil)
	if len(panels) != 4 || !slices.Equal(panels[3].XTicks, []float64{2, 4}) {
		t.Errorf("%d panels", len(panels))
	}
}

// A sweep that was stopped goes on; finished runs are kept, those of another
// recipe or on other images are not taken for its own.
func TestResume(t *testing.T) {
	c, dir := corpus(t, 28, 0), t.TempDir()
	sweep := func(overrides ...string) *Sweep {
		s, err := SelfAnneal(c, []float64{1}, append(slices.Clone(small), overrides...))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := sweep().Run(ctx, dir, func(p Progress) {
		if p.Point == 1 && p.Train != nil && p.Train.Step == 1 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("stopped: %v", err)
	}
	follow := func(s *Sweep) (seen []string) {
		t.Helper()
		if _, err := s.Run(t.Context(), dir, func(p Progress) {
			switch {
			case p.Train != nil:
				seen = append(seen, fmt.Sprint(p.Point, ":", p.Train.Step))
			case p.Kept:
				seen = append(seen, fmt.Sprint(p.Point, " kept"))
			}
		}); err != nil {
			t.Fatal(err)
		}
		return seen
	}
	if seen := follow(sweep()); !slices.Equal(seen, []string{"0 kept", "1:2", "1:3", "1:4"}) {
		t.Errorf("resumed: %q", seen)
	}
	model := filepath.Join(dir, "fixed-1", train.ModelFile)
	before, err := os.ReadFile(model)
	if err != nil {
		t.Fatal(err)
	}
	if seen := follow(sweep()); !slices.Equal(seen, []string{"0 kept", "1 kept"}) {
		t.Errorf("finished: %q", seen)
	}
	if after, err := os.ReadFile(model); err != nil || !bytes.Equal(before, after) {
		t.Errorf("a finished run was changed (%v)", err)
	}
	if seen := follow(sweep("train.epochs=3")); !slices.Equal(seen, []string{"0:5", "0:6", "1:5", "1:6"}) {
		t.Errorf("longer: %q", seen)
	}
	for want, s := range map[string]*Sweep{"cannot resume with another configuration": sweep("train.epochs=3", "train.seed=2"), "trainable: the run has 6 steps, want at most 4 or another folder": sweep()} {
		if _, err := s.Run(t.Context(), dir, func(Progress) {}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	other := sweep("train.epochs=3", "data.valid=test", "data.test=valid")
	if _, err := other.Run(t.Context(), dir, func(Progress) {}); err == nil || !strings.Contains(err.Error(), "trainable: the run is on other data: was squares, split hash ") {
		t.Errorf("on other images: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	levels, labels := corpus(t, 28, 0), corpus(t, 64, 3)
	odd := corpus(t, 30, 0)
	for want, make := range map[string]func() (*Sweep, error){
		"the values are labels, want levels of light":              func() (*Sweep, error) { return SelfAnneal(labels, nil, nil) },
		"labels, want levels of light":                             func() (*Sweep, error) { return Capacity(labels, nil, nil, nil) },
		"images of 30×30, want 28×28, 32×32 or 64×64":              func() (*Sweep, error) { return Capacity(odd, Sizes, nil, nil) },
		"sq-k1-d64: quantizer.codebook_size":                       func() (*Sweep, error) { return Capacity(levels, []int{1}, nil, nil) },
		"fixed--1: quantizer.initial_scale: must be between":       func() (*Sweep, error) { return SelfAnneal(levels, []float64{-1}, nil) },
		"fixed-NaN: quantizer.initial_scale: must be between":      func() (*Sweep, error) { return SelfAnneal(levels, []float64{math.NaN()}, nil) },
		"--set train.x: unknown key":                               func() (*Sweep, error) { return Kappa(levels, []string{"train.x=1"}) },
		"data.test: want a split":                                  func() (*Sweep, error) { return Kappa(levels, []string{"data.test=''"}) },
		"--set quantizer.kind: the figure sets it itself":          func() (*Sweep, error) { return SelfAnneal(levels, nil, []string{"quantizer.kind=vq"}) },
		"--set decoder.kind: the figure sets it itself":            func() (*Sweep, error) { return Kappa(levels, []string{"decoder.kind=vmf"}) },
		"--set quantizer.codebook_size: the figure sets it itself": func() (*Sweep, error) { return Capacity(levels, Sizes, nil, []string{"quantizer.codebook_size=9"}) },
		"--set quantizer.codebook_dim: the figure sets it itself":  func() (*Sweep, error) { return Capacity(levels, nil, Dims, []string{"quantizer.codebook_dim=9"}) },
		"101 runs, want at most 64":                                func() (*Sweep, error) { return SelfAnneal(levels, steps(100), nil) },
	} {
		if _, err := make(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	if s, err := Kappa(labels, nil); err != nil || s.Points[0].Recipe.Model.Kind != image.Net64Label || s.Points[0].Recipe.Model.Channels != 3 {
		t.Errorf("labels of 64×64: %v", err)
	}
}

func steps(n int) (xs []float64) {
	for i := range n {
		xs = append(xs, 1+float64(i))
	}
	return xs
}
