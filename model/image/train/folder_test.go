package train

import (
	"bytes"
	"errors"
	"image/png"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"vqspeech/internal/safetensors"
	"vqspeech/internal/training"
	"vqspeech/model"
	"vqspeech/model/checkpoint"
	"vqspeech/model/image"
	"vqspeech/model/train"
)

// TestRunFolder reads back what a run leaves, one that was killed before its
// first checkpoint and begun again.
func TestRunFolder(t *testing.T) {
	cfg := small(image.Net28, model.Gaussian1, image.GaussianDecoder)
	cfg.Quantizer.Variance = image.Exp
	o := options(t, cfg)
	o.Train.MaxSteps = 5 // of 9
	for range 2 {
		test, err := Run(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		c, err := ReadRunConfig(o.Dir)
		if err != nil || c.Model != o.Model || c.Train != o.Train || c.StepsPerEpoch() != 3 || c.MaxSteps() != 5 {
			t.Errorf("config.json: %+v, %v", c, err)
		}
		if e, err := ReadTest(o.Dir); err != nil || !reflect.DeepEqual(e, *test) {
			t.Errorf("test.json: %+v, %v, want %+v", e, err, *test)
		}
		records, err := training.ReadMetrics(filepath.Join(o.Dir, training.MetricsFile))
		if err != nil || len(records) != 8 || records[0].Step != 0 || records[1].Step != 1 {
			t.Fatalf("%d records from step %d, %v", len(records), records[0].Step, err)
		}
		if v := records[0].Values; v["valid/posterior_variance"] < 9.99 || v["valid/posterior_variance"] > 10.01 || v["valid/decoder_variance"] != v["valid/mse_x1000"]/1000 {
			t.Errorf("the untrained model: %v", v)
		}
		pic, err := png.Decode(bytes.NewReader(contents(t, o.Dir, ReconstructionsFile)))
		if err != nil || pic.Bounds().Dx() != 9*58+2 {
			t.Errorf("reconstructions.png: %v", err)
		}
		if err := os.Remove(filepath.Join(o.Dir, train.LatestFile)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLongerRun wants the results of a finished run that goes on to be replaced
// together, and to say of how many steps they are.
func TestLongerRun(t *testing.T) {
	o := options(t, small(image.Net28, model.VQEMA, image.GaussianDecoder))
	o.Data, o.Train.MaxSteps = "discs", 2
	steps := func() string {
		f, err := safetensors.Load(filepath.Join(o.Dir, train.ModelFile), func(f *safetensors.File) (*safetensors.File, error) { return f, nil })
		if err != nil {
			t.Fatal(err)
		}
		return f.Metadata[checkpoint.RunStepsKey]
	}
	if _, err := Run(t.Context(), o); err != nil || steps() != "2" {
		t.Fatalf("%v, a model of %s steps, want 2", err, steps())
	}
	o.Resume, o.Train.MaxSteps = true, 4
	other := o
	other.Data = "squares"
	if _, err := Run(t.Context(), other); err == nil || !strings.HasSuffix(err.Error(), "the run is on other data: was discs, is squares") {
		t.Errorf("on other images: %v", err)
	}
	// Whatever stops it before the new model is there.
	model, aside := filepath.Join(o.Dir, train.ModelFile), filepath.Join(t.TempDir(), "model")
	if err := errors.Join(os.Rename(model, aside), os.MkdirAll(filepath.Join(model, "in the way"), 0o777)); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), o); err == nil {
		t.Error("a folder was replaced by a model")
	}
	if _, err := ReadTest(o.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the test of 2 steps is left: %v", err)
	}
	if err := errors.Join(os.RemoveAll(model), os.Rename(aside, model)); err != nil {
		t.Fatal(err)
	}
	if steps() != "2" {
		t.Errorf("a model of %s steps, want 2", steps())
	}
	if _, err := Run(t.Context(), o); err != nil || steps() != "4" {
		t.Errorf("%v, a model of %s steps, want 4", err, steps())
	}
}

func TestReadRunConfigErrors(t *testing.T) {
	for text, want := range map[string]string{
		"{}": "not the configuration of an image model's run", "{": "unexpected end of JSON input",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, train.ConfigFile), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadRunConfig(dir); err == nil || !strings.HasPrefix(err.Error(), dir) || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%.20q: %v, want %s", text, err, want)
		}
	}
}
