package results

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vqspeech/internal/atomicfile"
	"vqspeech/internal/safetensors"
	"vqspeech/internal/training"
	"vqspeech/model"
	"vqspeech/model/image"
	imagetrain "vqspeech/model/image/train"
	"vqspeech/model/train"
	"vqspeech/recipes"
)

// masks is the configuration of a run on CelebAMask-HQ, at the published
// schedule.
func masks(kind model.QuantizerKind, decoder image.DecoderKind, seed uint64) imagetrain.RunConfig {
	c := imagetrain.RunConfig{Model: image.DefaultConfig(image.Net64Label), Train: imagetrain.DefaultConfig(), Training: 64, Valid: 5, Test: 7}
	c.Model.Quantizer.Kind, c.Model.Decoder.Kind, c.Train.Seed, c.Train.Epochs = kind, decoder, seed, 70
	return c
}

// imageRun writes the folder of a finished run of an image model.
func imageRun(t *testing.T, corpus string, c imagetrain.RunConfig, e image.Evaluation) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), fmt.Sprintf("run-%d", c.Train.Seed))
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	meta := map[string]string{recipes.CorpusKey: corpus, recipes.SplitHashKey: "00aa"}
	for _, err := range []error{
		atomicfile.WriteJSON(filepath.Join(dir, train.ConfigFile), c), atomicfile.WriteJSON(filepath.Join(dir, imagetrain.TestFile), e),
		safetensors.Save(filepath.Join(dir, train.ModelFile), meta, nil),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	write(t, dir, training.MetricsFile, fmt.Sprintf(`{"step":0,"valid":{"loss":9}}`+"\n"+`{"step":%d,"valid":{"loss":5}}`+"\n", c.MaxSteps()))
	return dir
}

func finished(t *testing.T, dirs ...string) (runs []*ImageRun) {
	t.Helper()
	for _, r := range open(t, dirs...) {
		run, err := r.FinishedImage()
		if err != nil {
			t.Fatal(err)
		}
		runs = append(runs, run)
	}
	return runs
}

func TestImage(t *testing.T) {
	runs := finished(t,
		imageRun(t, "celebamask", masks(image.VMF, image.VMFDecoder, 1), image.Evaluation{PixelError: 4, MeanIoU: 70, BatchPerplexity: 50}),
		imageRun(t, "celebamask", masks(image.VMF, image.VMFDecoder, 0), image.Evaluation{PixelError: 3, MeanIoU: 72, BatchPerplexity: 54}),
		imageRun(t, "celebamask", masks(image.VAE, image.CategoricalDecoder, 0), image.Evaluation{PixelError: 9, MeanIoU: 60}),
		imageRun(t, "celebamask", masks(image.VAE, image.CategoricalDecoder, 1), image.Evaluation{PixelError: 9, MeanIoU: 60}))
	table := Image(runs)
	var b bytes.Buffer
	if err := table.WriteMarkdown(&b); err != nil {
		t.Fatal(err)
	}
	want := `celebamask, labels: 64 images to train, 5 to choose, 7 to test; split hash 00aa; paper: table 4

| system | pixel error (%) | paper | mIoU (%) | paper | perplexity of 32 images | paper | seeds | epochs | steps | batch | codebook |
|---|---|---|---|---|---|---|---|---|---|---|---|
| VAE | 9.00 ± 0.00 | 8.79 ± 0.01 | 60.0 ± 0.0 | 55.8 ± 0.3 | – | – | 0, 1 | 70 | 140 | 32 | – |
| SQ-VAE vMF | 3.50 ± 0.71 | 3.51 ± 0.17 | 71.0 ± 1.4 | 74.6 ± 0.0 | 52.0 ± 2.8 | 52.4 ± 0.8 | 0, 1 | 70 | 140 | 32 | 64 × 65 |
`
	if b.String() != want {
		t.Errorf("table\n%swant\n%s", b.String(), want)
	}
}

// Runs that are not alike are neither averaged nor passed over in silence.
func TestImageOfUnequalRuns(t *testing.T) {
	e := image.Evaluation{MSE: 3, PixelError: 1, MeanIoU: 50, BatchPerplexity: 9}
	for name, c := range map[string]struct {
		change func(*imagetrain.RunConfig)
		notes  []string
	}{
		"steps": {func(c *imagetrain.RunConfig) { c.Train.MaxSteps = 35 }, []string{
			"rows cannot be compared: the number of steps is 35 and 140", "SQ-VAE vMF: 17.5 of the 70 epochs of the paper"}},
		"codes":    {func(c *imagetrain.RunConfig) { c.Model.Quantizer.CodebookSize = 9 }, []string{"rows cannot be compared: the codebook is 9 × 64 and 64 × 64"}},
		"blocks":   {func(c *imagetrain.RunConfig) { c.Model.Net.ResBlocks = 1 }, []string{"rows cannot be compared: the net is 64-label with 2 blocks and 64-label with 1 blocks"}},
		"patience": {func(c *imagetrain.RunConfig) { c.Train.PlateauPatience = 9 }, []string{"rows cannot be compared: train.plateau_patience is 3 and 9"}},
		"spread":   {func(c *imagetrain.RunConfig) { c.Model.Decoder.InitialSpread = 1 }, []string{"rows cannot be compared: decoder.initial_spread is 0.01 and 1"}},
	} {
		other := masks(image.VMF, image.VMFDecoder, 1)
		c.change(&other)
		g := Image(finished(t, imageRun(t, "celebamask", masks(image.VMF, image.VMFDecoder, 0), e), imageRun(t, "celebamask", other, e))).Groups
		if len(g) != 1 || len(g[0].Rows) != 2 {
			t.Fatalf("%s: %+v", name, g)
		}
		if !slices.Equal(g[0].Notes, c.notes) {
			t.Errorf("%s: notes %q, want %q", name, g[0].Notes, c.notes)
		}
	}
	one := masks(image.VMF, image.VMFDecoder, 3)
	g := Image(finished(t, imageRun(t, "celebamask", one, e), imageRun(t, "celebamask", one, e))).Groups
	if n := g[0].Notes; len(n) != 1 || !strings.HasPrefix(n[0], "SQ-VAE vMF: seed 3 counts twice: ") {
		t.Errorf("notes %q", n)
	}
	// What makes another system is no difference to be told.
	auto := masks(image.VAE, image.CategoricalDecoder, 3)
	auto.Model.Decoder.InitialSpread, auto.Train.LogEvery = 1, 1
	if g := Image(finished(t, imageRun(t, "celebamask", one, e), imageRun(t, "celebamask", auto, e))).Groups; len(g[0].Notes) != 0 {
		t.Errorf("notes %q", g[0].Notes)
	}
	// Nor is the dimension that vmf has more, or what a system does not read.
	hard := masks(model.VQEMA, image.CategoricalDecoder, 3)
	again := masks(model.VQEMA, image.CategoricalDecoder, 4)
	again.Model.Quantizer.InitialScale, again.Model.Quantizer.Temperature, again.Model.Decoder.InitialSpread = 3, 3, 3
	g = Image(finished(t, imageRun(t, "celebamask", one, e), imageRun(t, "celebamask", hard, e), imageRun(t, "celebamask", again, e))).Groups
	if len(g[0].Rows) != 2 || slices.ContainsFunc(g[0].Notes, func(n string) bool { return !strings.Contains(n, "number of seeds") }) {
		t.Errorf("%d rows, notes %q", len(g[0].Rows), g[0].Notes)
	}
	// Other images are another table.
	fewer := one
	fewer.Test--
	if g := Image(finished(t, imageRun(t, "celebamask", one, e), imageRun(t, "celebamask", fewer, e), imageRun(t, "other", one, e))).Groups; len(g) != 3 {
		t.Errorf("%d tables, want 3", len(g))
	}
	// So may be those that are not recorded.
	unknown := finished(t, imageRun(t, "celebamask", one, e), imageRun(t, "celebamask", one, e))
	unknown[0].SplitHash, unknown[1].SplitHash = "", ""
	if g := Image(unknown).Groups; len(g) != 2 {
		t.Errorf("%d tables of images that are not known, want 2", len(g))
	}
}

func TestSystems(t *testing.T) {
	name := func(c image.Config) string {
		row := ImageRow{Model: c}
		row.System, row.Variant = systemOf(c)
		return row.name()
	}
	c := image.DefaultConfig(image.Net64)
	for want, change := range map[string]func(*image.QuantizerConfig){
		"SQ-VAE I":                     func(*image.QuantizerConfig) {},
		"SQ-VAE I (exp(s))":            func(q *image.QuantizerConfig) { q.Variance = image.Exp },
		"SQ-VAE, fixed variance (0.3)": func(q *image.QuantizerConfig) { q.Variance, q.InitialScale = image.Fixed, 0.3 },
		"SQ-VAE III":                   func(q *image.QuantizerConfig) { q.Kind = model.Gaussian3 },
		"VQ-VAE EMA, code reset":       func(q *image.QuantizerConfig) { q.Kind, q.DeadCodeFraction = model.VQEMA, 0.03 },
		"VQ-VAE EMA, code reset (to random latents)": func(q *image.QuantizerConfig) {
			q.Kind, q.DeadCodeThreshold = model.VQEMA, 1
		},
		"VAE": func(q *image.QuantizerConfig) { q.Kind = image.VAE },
	} {
		changed := c
		change(&changed.Quantizer)
		if got := name(changed); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if got := name(masks(image.VMF, image.CategoricalDecoder, 0).Model); got != naive {
		t.Errorf("%s, want %s", got, naive)
	}
	for _, p := range []*publishedTable{
		publishedFor("celeba", Levels), publishedFor("celeba", Greys), publishedFor("celebamask", Labels), publishedFor("mnist", Greys),
	} {
		for system := range p.rows {
			if !slices.Contains(systems, system) {
				t.Errorf("table %d has the unknown system %s", p.table, system)
			}
		}
	}
	if publishedFor("mnist", Levels) != nil {
		t.Error("the paper has no table of MNIST's levels")
	}
}

func TestFinishedImage(t *testing.T) {
	e := image.Evaluation{PixelError: 1}
	for want, change := range map[string]func(t *testing.T, dir string){
		": unfinished: step 10 of 140": func(t *testing.T, dir string) {
			write(t, dir, training.MetricsFile, `{"step":10,"valid":{"loss":9}}`+"\n")
		},
		": unfinished: it has no model.safetensors": func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, train.ModelFile)) },
		": unfinished: it has no test.json":         func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, imagetrain.TestFile)) },
		"test.json: unexpected end of JSON input":   func(t *testing.T, dir string) { write(t, dir, imagetrain.TestFile, "{") },
		"config.json: not the configuration of an image model's run": func(t *testing.T, dir string) {
			write(t, dir, train.ConfigFile, "{}")
		},
		": the run has no test images": func(t *testing.T, dir string) {
			c := masks(image.VMF, image.VMFDecoder, 0)
			c.Test = 0
			if err := atomicfile.WriteJSON(filepath.Join(dir, train.ConfigFile), c); err != nil {
				t.Fatal(err)
			}
		},
		"model.safetensors: safetensors: invalid format: file is 1 bytes": func(t *testing.T, dir string) { write(t, dir, train.ModelFile, "x") },
	} {
		dir := imageRun(t, "celebamask", masks(image.VMF, image.VMFDecoder, 0), e)
		change(t, dir)
		_, err := open(t, dir)[0].FinishedImage()
		if err == nil || !strings.HasPrefix(err.Error(), dir) || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}
