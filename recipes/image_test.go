package recipes_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vqspeech/model/image"
	"vqspeech/recipes"
	"vqspeech/recipes/images"
)

// TestPublishedImageRecipes wants the settings of sony/sqvae vision.
func TestPublishedImageRecipes(t *testing.T) {
	type row struct {
		Net            image.NetKind
		Channels, Size int
		ResBlocks      int
		Scale          float64
		Quantizer      string
		Decoder        image.DecoderKind
		Epochs         int
	}
	for path, want := range map[string]row{
		"mnist/gaussian-1.yaml":         {image.Net28, 1, 128, 2, 10, "gaussian-1", image.GaussianDecoder, 100},
		"fashion-mnist/gaussian-1.yaml": {image.Net28, 1, 256, 2, 10, "gaussian-1", image.GaussianDecoder, 100},
		"cifar10/gaussian-1.yaml":       {image.Net32, 3, 512, 2, 20, "gaussian-1", image.GaussianDecoder, 100},
		"celeba/gaussian-1.yaml":        {image.Net64, 3, 512, 6, 20, "gaussian-1", image.GaussianDecoder, 70},
		"celeba/gaussian-2.yaml":        {image.Net64, 3, 512, 6, 20, "gaussian-2", image.GaussianDecoder, 70},
		"celeba/gaussian-3.yaml":        {image.Net64, 3, 512, 6, 20, "gaussian-3", image.GaussianDecoder, 70},
		"celeba/gaussian-4.yaml":        {image.Net64, 3, 512, 6, 20, "gaussian-4", image.GaussianDecoder, 70},
		"celebamask/vmf.yaml":           {image.Net64Label, 19, 64, 2, 0.05, "vmf", image.VMFDecoder, 70},
	} {
		r, err := recipes.Load(filepath.FromSlash(path), recipes.ParseImage)
		if err != nil {
			t.Error(err)
			continue
		}
		q := r.Quantizer
		got := row{r.Model.Kind, r.Model.Channels, q.CodebookSize, r.Model.ResBlocks, q.InitialScale, string(q.Kind), r.Decoder.Kind, r.Train.Epochs}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", path, d)
		}
		if q.CodebookDim != 64 || q.Temperature != 1 || q.TemperatureDecay != 1e-5 || q.Variance != image.OnePlusExp || r.Train.BatchSize != 32 {
			t.Errorf("%s: %+v, %+v", path, q, r.Train)
		}
	}
}

// TestImageDefaults wants the net to decide the defaults, wherever it is named.
func TestImageDefaults(t *testing.T) {
	inFile, err := recipes.ParseImage("r.yaml", []byte("model: {kind: 64, res_blocks: 3}"))
	if err != nil {
		t.Fatal(err)
	}
	set, err := recipes.ParseImage("r.yaml", []byte("model: {kind: 28, res_blocks: 3}"), "model.kind=64")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(inFile, set); d != "" {
		t.Error(d)
	}
	if inFile.Model.ResBlocks != 3 || inFile.Quantizer.CodebookSize != 512 || inFile.Data != (recipes.ImageData{Train: "train", Valid: "valid", Test: "test"}) {
		t.Errorf("%+v", inFile)
	}
}

func TestImageErrors(t *testing.T) {
	for _, c := range []struct{ doc, set, want string }{
		{"model: {kind: 29}", "", `r.yaml: model.kind: must be one of [28 32 64 64-label 128] (got 29)`},
		{"model: {kind: 28}\nquantizer: {codes: 5}", "", "r.yaml:2: quantizer.codes: unknown key, want one of kind, codebook_size, "},
		{"model: {kind: 28}", "features.n_mels=80", "--set features: unknown key, want one of data, model, quantizer, decoder, train"},
		{"model: {kind: 28}", "data.valid=train", `--set data: train, valid and test must be different splits (got "train" twice)`},
		{"model: {kind: 28}", "data.train=''", `--set data.train: must name a split`},
		{"model: {kind: 28}", "data.gray=7", "--set data.gray: want true or false (got 7)"},
		{"model: {kind: 28}", "quantizer.initial_scale=0", "--set quantizer.initial_scale: must be between 1e-06 and 1e+06 (got 0)"},
		{"model: {kind: 28}\nquantizer: {dead_code_threshold: 1}", "quantizer.dead_code_fraction=0.03", "--set quantizer: dead_code_threshold and dead_code_fraction are two rules, want one of them 0"},
		{"model: {kind: 28}\ndecoder: {kind: vmf}", "", "r.yaml: model.channels: at least 2 classes"},
	} {
		var overrides []string
		if c.set != "" {
			overrides = append(overrides, c.set)
		}
		_, err := recipes.ParseImage("r.yaml", []byte(c.doc), overrides...)
		if err == nil || !strings.HasPrefix(strings.ReplaceAll(err.Error(), "must be at least 2 classes", "at least 2 classes"), c.want) {
			t.Errorf("%q %s: got %v, want %s", c.doc, c.set, err, c.want)
		}
	}
}

// prepared makes a corpus of one grey-blue image a split.
func prepared(t *testing.T, side, channels, classes int) *images.Corpus {
	t.Helper()
	src := images.Source{Corpus: "test", Height: side, Width: side, Channels: channels, Classes: classes}
	for _, name := range []string{"train", "valid"} {
		src.Splits = append(src.Splits, images.Split{
			Name: name, N: 1, Path: func(int) string { return name },
			Read: func(_ int, dst []uint8) error {
				for i := range dst {
					dst[i] = uint8(i % channels * 10)
				}
				return nil
			},
		})
	}
	dst := t.TempDir()
	if _, err := images.Prepare(t.Context(), src, dst, images.Options{}); err != nil {
		t.Fatal(err)
	}
	c, err := images.Open(dst)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestImageSet(t *testing.T) {
	for _, c := range []struct {
		recipe                  string
		side, channels, classes int
		want                    string // of an error
		first                   uint8  // else the first values are 0 and this
	}{
		{"mnist/gaussian-1.yaml", 28, 1, 0, "", 0},
		{"mnist/vmf.yaml", 28, 1, 0, "", 0},
		{"mnist/gaussian-1.yaml", 28, 1, 10, "labels of 10 classes, want decoder.kind categorical or vmf", 0},
		{"mnist/gaussian-1.yaml", 32, 3, 0, "train: images are 32×32 with 3 channels, want 28×28", 0},
		{"celeba/gaussian-1.yaml", 64, 3, 0, "", 10},
		{"celeba/gray-nc.yaml", 64, 3, 0, "", 8}, // 0.587*10 + 0.114*20
		{"celebamask/nc.yaml", 64, 1, 19, "", 0},
		{"celebamask/nc.yaml", 64, 1, 0, "256 classes, want model.channels 256 (got 19)", 0},
		{"celebamask/nc.yaml", 64, 1, 18, "18 classes, want model.channels 18 (got 19)", 0},
	} {
		r, err := recipes.Load(filepath.FromSlash(c.recipe), recipes.ParseImage)
		if err != nil {
			t.Fatal(err)
		}
		set, err := r.Set(prepared(t, c.side, c.channels, c.classes), "train")
		if c.want != "" {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: got %v, want %s", c.recipe, err, c.want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.recipe, err)
		} else if set.N != 1 || max(set.Images[0], set.Images[1]) != c.first {
			t.Errorf("%s: %d images that begin with %v", c.recipe, set.N, set.Images[:2])
		}
	}
}
