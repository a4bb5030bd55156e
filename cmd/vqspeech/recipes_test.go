package main

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vqspeech/recipes"
	"vqspeech/recipes/corpus/corpustest"
)

// recipeRow is a recipe and the miniature corpora it is run on.
type recipeRow struct {
	recipe  string // CORPUS/NAME.yaml
	split   string // that eval mse measures
	layouts []string
}

// recipeRows has a row for every recipe of a speech corpus.
var recipeRows = []recipeRow{
	{"librispeech/default.yaml", "valid", []string{"librispeech"}},
	{"librispeech/gaussian-1.yaml", "valid", []string{"librispeech"}},
	{"librispeech/gaussian-3.yaml", "valid", []string{"librispeech"}},
	{"librispeech/gaussian-4.yaml", "valid", []string{"librispeech"}},
	{"librispeech/vq.yaml", "valid", []string{"librispeech"}},
	{"librispeech/vq-ema.yaml", "valid", []string{"librispeech"}},
	{"librispeech/wavenet.yaml", "valid", []string{"librispeech"}},
	{"librispeech/wavernn.yaml", "valid", []string{"librispeech"}},
	{"librispeech/wavenet-units.yaml", "valid", []string{"librispeech"}},
	{"librispeech/unit-prior.yaml", "valid", []string{"librispeech"}},
	{"vctk/vq-ema.yaml", "test", []string{"vctk-0.80"}},
	{"vctk/gaussian-1.yaml", "test", []string{"vctk-0.80"}},
	{"vctk/gaussian-3.yaml", "test", []string{"vctk-0.80"}},
	{"vctk/gaussian-4.yaml", "test", []string{"vctk-0.80", "vctk-0.92", "vctk-0.92-mic2"}},
	{"vctk/vq-ema-small.yaml", "test", []string{"vctk-0.80"}},
	{"vctk/gaussian-1-small.yaml", "test", []string{"vctk-0.80"}},
	{"vctk/gaussian-3-small.yaml", "test", []string{"vctk-0.80"}},
	{"vctk/gaussian-4-small.yaml", "test", []string{"vctk-0.80"}},
	{"zerospeech/vq-ema.yaml", "mse", []string{"zerospeech"}},
	{"zerospeech/gaussian-1.yaml", "mse", []string{"zerospeech"}},
	{"zerospeech/gaussian-3.yaml", "mse", []string{"zerospeech"}},
	{"zerospeech/gaussian-4.yaml", "mse", []string{"zerospeech", "zerospeech-lists", "zerospeech-surprise"}},
	{"zerospeech/vq-ema-small.yaml", "mse", []string{"zerospeech"}},
	{"zerospeech/gaussian-1-small.yaml", "mse", []string{"zerospeech"}},
	{"zerospeech/gaussian-3-small.yaml", "mse", []string{"zerospeech"}},
	{"zerospeech/gaussian-4-small.yaml", "mse", []string{"zerospeech"}},
}

const recipesFolder = "../../recipes"

// TestEveryRecipeHasARow fails for a recipe that TestRecipes would not run.
// TestImageRecipes runs those of images, TestPriorRecipes those of priors.
func TestEveryRecipeHasARow(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(recipesFolder, "*", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d recipes, %v", len(files), err)
	}
	var names, rows []string
	for _, f := range files {
		kind := kindOf(t, f)
		if rel, _ := filepath.Rel(recipesFolder, f); kind != recipes.KindImage && kind != recipes.KindPrior {
			names = append(names, filepath.ToSlash(rel))
		}
	}
	for _, r := range recipeRows {
		rows = append(rows, r.recipe)
	}
	for _, n := range names {
		if !slices.Contains(rows, n) {
			t.Errorf("recipe %s has no row", n)
		}
	}
	for _, r := range rows {
		if !slices.Contains(names, r) {
			t.Errorf("row %s has no recipe", r)
		}
	}
}

func kindOf(t *testing.T, path string) recipes.Kind {
	t.Helper()
	data, err := recipes.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return recipes.KindOf(data)
}

// TestPublishedSettings holds the recipes of the paper's corpora to its sizes
// and schedule, and their small variants to a shorter one of the same shape.
func TestPublishedSettings(t *testing.T) {
	for _, row := range recipeRows {
		if strings.HasPrefix(row.recipe, "librispeech/") {
			continue
		}
		r, err := recipes.Load(filepath.Join(recipesFolder, row.recipe), recipes.Parse)
		if err != nil {
			t.Fatal(err)
		}
		kind, small := strings.CutSuffix(strings.TrimSuffix(filepath.Base(row.recipe), ".yaml"), "-small")
		want := recipes.Default()
		want.Data.Valid = []string{row.split}
		want.Quantizer.Kind = r.Quantizer.Kind
		want.Train.EvalEvery = 20000
		if kind == "vq-ema" {
			want.Train.Recon = "mse"
		}
		if small {
			want.Model.Channels = 256
			want.Train.MaxSteps, want.Train.Milestones, want.Train.EvalEvery = 20000, []int{12000, 16000}, 5000
			if r.Quantizer.Kind.Gaussian() {
				want.Quantizer.TemperatureDecay = 2.5e-4
			}
		}
		a, _ := want.YAML()
		b, _ := r.YAML()
		if !bytes.Equal(a, b) || string(r.Quantizer.Kind) != kind {
			t.Errorf("%s:\n%swant\n%s", row.recipe, b, a)
		}
		if first, last := r.Quantizer.TemperatureAfter(0), r.Quantizer.TemperatureAfter(r.Train.MaxSteps); r.Quantizer.Kind.Gaussian() && math.Abs(last/first-math.Exp(-5)) > 1e-12 {
			t.Errorf("%s: the temperature ends at %v", row.recipe, last)
		}
	}
}

// vqspeech runs the program and decodes what it prints with --json.
func vqspeech(t *testing.T, report any, args ...string) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	cmd := &exec.Cmd{Path: exe, Args: append([]string{"vqspeech"}, args...), Stdout: &stdout, Stderr: &stderr} // the name makes the test binary the program
	if err := cmd.Run(); err != nil {
		t.Fatalf("vqspeech %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	if report != nil {
		if err := json.Unmarshal(stdout.Bytes(), report); err != nil {
			t.Fatalf("vqspeech %s: %v in %q", strings.Join(args, " "), err, &stdout)
		}
	}
}

// preparedReport is what prepare --json says.
type preparedReport struct {
	SplitHash string `json:"split_hash"`
	Splits    map[string]struct{ Utterances int }
	Failed    []any
}

// prepared makes a miniature corpus and prepares it.
func prepared(t *testing.T, layout string) (src, data string, r preparedReport) {
	t.Helper()
	src, data = t.TempDir(), filepath.Join(t.TempDir(), "data")
	base, mic, _ := strings.Cut(layout, "-mic")
	if err := corpustest.Makers[base](src); err != nil {
		t.Fatal(err)
	}
	name, _, _ := strings.Cut(layout, "-")
	folder := src
	switch base {
	case "zerospeech", "zerospeech-lists":
		folder = filepath.Join(src, "2019", "english")
	case "zerospeech-surprise":
		folder = filepath.Join(src, "2019", "surprise")
	}
	args := []string{"prepare", name, folder, data, "--json", "--audio"}
	if mic != "" {
		args = append(args, "--mic", "mic"+mic)
	}
	vqspeech(t, &r, args...)
	if len(r.Failed) > 0 || len(r.SplitHash) != 16 {
		t.Fatalf("%s: %+v", layout, r)
	}
	return src, data, r
}

// tiny makes any recipe small enough for a test; its data, quantiser and
// objective stay.
var tiny = []string{
	"model.channels=8", "model.speaker_dim=4", "model.decoder_hidden=8", "quantizer.codebook_size=16", "quantizer.codebook_dim=4",
	"train.max_steps=3", "train.batch_size=2", "train.log_every=1",
}

var tinyVocoder = []string{
	"vocoder.residual=8", "vocoder.post=8", "vocoder.cond_channels=8", "vocoder.speaker_dim=4",
	"train.max_steps=3", "train.batch_size=2", "train.crop_frames=6", "train.pitch_steps=2",
}

// The rest of tinyVocoder, for either core.
var (
	tinyDilated   = []string{"vocoder.cycle_layers=3", "vocoder.gate=8", "vocoder.skip=8"}
	tinyRecurrent = []string{"vocoder.gru=8"}
)

func set(values []string) (args []string) {
	for _, v := range values {
		args = append(args, "--set", v)
	}
	return args
}

// TestRecipes runs every recipe on miniatures of its corpus: prepare, a few steps
// of train, eval mse.
func TestRecipes(t *testing.T) {
	type corpusDir struct {
		src, data string
		report    preparedReport
	}
	made := map[string]corpusDir{}
	for _, row := range recipeRows {
		for _, layout := range row.layouts {
			if _, ok := made[layout]; !ok {
				src, data, r := prepared(t, layout)
				made[layout] = corpusDir{src, data, r}
			}
			t.Run(row.recipe+" on "+layout, func(t *testing.T) {
				c := made[layout]
				path := filepath.Join(recipesFolder, filepath.FromSlash(row.recipe))
				switch kindOf(t, path) {
				case recipes.KindVocoder:
					trainVocoder(t, path, c.src, c.data)
					return
				case recipes.KindUnitPrior:
					trainUnitPrior(t, path, c.data)
					return
				}
				sets, split := tiny, row.split
				if c.report.Splits[split].Utterances == 0 { // the surprise language has no split mse
					sets, split = append([]string{"data.valid=[]"}, tiny...), "train"
				}
				run := filepath.Join(t.TempDir(), "run")
				var trained struct {
					Steps      int
					Utterances map[string]int
				}
				vqspeech(t, &trained, append([]string{"train", path, "--data", c.data, "--run", run, "--json"}, set(sets)...)...)
				if trained.Steps != 3 || trained.Utterances["train"] == 0 {
					t.Errorf("trained %+v", trained)
				}
				var e struct {
					MSE        float64 `json:"mse_db2"`
					SplitHash  string  `json:"split_hash"`
					Utterances int
				}
				vqspeech(t, &e, "eval", "mse", "--data", c.data, "--split", split, "--model", filepath.Join(run, "model.safetensors"), "--json")
				if !(e.MSE > 0 && e.MSE < 1e5) || e.SplitHash != c.report.SplitHash || e.Utterances != c.report.Splits[split].Utterances {
					t.Errorf("%+v, want split hash %s and %d utterances", e, c.report.SplitHash, c.report.Splits[split].Utterances)
				}
			})
		}
	}
}

// trainUnitPrior trains the prior over the units of a tiny model and speaks what is
// drawn from it.
func trainUnitPrior(t *testing.T, path, data string) {
	dir := t.TempDir()
	in := func(name ...string) string { return filepath.Join(append([]string{dir}, name...)...) }
	vqspeech(t, nil, append([]string{"train", filepath.Join(recipesFolder, "librispeech/default.yaml"), "--data", data, "--run", in("model")}, set(tiny)...)...)
	model := in("model", "model.safetensors")
	var trained struct {
		Valid      map[string]float64
		Utterances map[string]int
	}
	vqspeech(t, &trained, append([]string{"train", path, "--data", data, "--run", in("prior"), "--model", model, "--json"},
		set([]string{"unit_prior.hidden=4", "unit_prior.embedding=4", "train.max_steps=3", "train.batch_size=2", "train.crop_units=5"})...)...)
	if trained.Utterances["train"] == 0 || trained.Utterances["valid"] == 0 || !(trained.Valid["bits_per_unit"] > 0) {
		t.Errorf("trained %+v", trained)
	}
	var drawn struct{ Units int }
	vqspeech(t, &drawn, "sample", in("prior"), "--model", model, "--seed", "1", "-o", in("new.vqs"), "--json")
	vqspeech(t, nil, "decode", in("new.vqs"), "--speaker", "14", "-o", in("new.wav"), "--model", model)
	if drawn.Units == 0 {
		t.Error("no units are drawn")
	}
}

// trainVocoder trains the vocoder of a tiny model and measures what it makes of
// a recording.
func trainVocoder(t *testing.T, path, src, data string) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	vqspeech(t, nil, append([]string{"train", filepath.Join(recipesFolder, "librispeech/default.yaml"), "--data", data, "--run", in("model")}, set(tiny)...)...)
	model := filepath.Join(in("model"), "model.safetensors")
	r, err := recipes.Load(path, recipes.ParseVocoder)
	if err != nil {
		t.Fatal(err)
	}
	sets := slices.Concat(tinyVocoder, tinyDilated)
	if r.Vocoder.GRU > 0 {
		sets = slices.Concat(tinyVocoder, tinyRecurrent)
	}
	vqspeech(t, nil, append([]string{"train", path, "--data", data, "--run", in("voc"), "--model", model}, set(sets)...)...)
	recordings, err := filepath.Glob(filepath.Join(src, "LibriSpeech/dev-clean/14/208/*.flac"))
	if err != nil || len(recordings) == 0 {
		t.Fatal(recordings, err)
	}
	vqspeech(t, nil, "convert", recordings[0], "--to", "14", "-o", in("out.wav"), "--model", model, "--vocoder", filepath.Join(in("voc"), "vocoder.safetensors"))
	var e struct {
		Scores map[string]struct{ Value float64 }
	}
	vqspeech(t, &e, "eval", "mse", recordings[0], in("out.wav"), "--json")
	if v := e.Scores["mse_db2"].Value; !(v > 0 && v < 1e5) {
		t.Errorf("%+v", e)
	}
}
