package results

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vqspeech/features"
	"vqspeech/internal/chart"
	"vqspeech/internal/safetensors"
	"vqspeech/internal/training"
	"vqspeech/model"
	"vqspeech/model/checkpoint"
	"vqspeech/model/train"
	"vqspeech/recipes"
)

// speechRun writes the folder of a run of a speech model.
func speechRun(t *testing.T, kind model.QuantizerKind, seed uint64, mse float64, change func(*train.RunConfig)) string {
	t.Helper()
	c := train.RunConfig{Model: model.DefaultConfig(), Train: train.DefaultConfig()}
	c.Metadata = map[string]string{recipes.CorpusKey: "vctk", recipes.SplitHashKey: "00aa"}
	c.Model.Speakers = []string{"p225"}
	c.Model.Quantizer.Kind = kind
	c.Train.Seed, c.Train.MaxSteps = seed, 20
	if change != nil {
		change(&c)
	}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), fmt.Sprintf("%s-%d", kind, seed))
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	write(t, dir, train.ConfigFile, string(text))
	if err := safetensors.Save(filepath.Join(dir, train.ModelFile), map[string]string{checkpoint.RunStepsKey: "20"}, nil); err != nil {
		t.Fatal(err)
	}
	write(t, dir, training.MetricsFile, fmt.Sprintf(`{"step":10,"loss":-5,"recon/mse":0.01}
{"step":10,"valid":{"mse_db2":99,"perplexity":3}}
{"step":20,"loss":-6,"recon/mse":0.005}
{"step":20,"valid":{"mse_db2":%g,"perplexity":40}}
`, mse))
	return dir
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, dirs ...string) (runs []*Run) {
	t.Helper()
	for _, dir := range dirs {
		r, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		runs = append(runs, r)
	}
	return runs
}

func TestSpeech(t *testing.T) {
	runs := open(t,
		speechRun(t, model.Gaussian4, 2, 27, nil), speechRun(t, model.VQEMA, 0, 30, nil), speechRun(t, model.Gaussian4, 0, 24, nil),
		speechRun(t, model.Gaussian4, 1, 24, nil), speechRun(t, model.VQEMA, 1, 32, nil), speechRun(t, model.VQEMA, 2, 31, nil))
	for _, r := range runs {
		if err := r.Unfinished(); err != nil {
			t.Error(err)
		}
	}
	table := Speech(runs)
	var b bytes.Buffer
	if err := table.WriteMarkdown(&b); err != nil {
		t.Fatal(err)
	}
	want := `| model | MSE (dB²) | perplexity | seeds | steps | batch | width | codebook | corpus | split hash | paper: VCTK | paper: ZeroSpeech 2019 |
|---|---|---|---|---|---|---|---|---|---|---|---|
| VQ-VAE with EMA | 31.00 ± 1.00 | 40.00 ± 0.00 | 0, 1, 2 | 20 | 52 | 768 | 512 × 64 | vctk | 00aa | 29.59 ± 0.25 | 34.33 ± 1.57 |
| Gaussian SQ-VAE (IV) | 25.00 ± 1.73 | 40.00 ± 0.00 | 0, 1, 2 | 20 | 52 | 768 | 512 × 64 | vctk | 00aa | 24.68 ± 0.21 | 32.32 ± 0.88 |
`
	if b.String() != want {
		t.Errorf("table\n%swant\n%s", b.String(), want)
	}
	if s := table.Rows[1].MSE; math.Abs(s.Std-math.Sqrt(3)) > 1e-12 {
		t.Errorf("deviation %g, want √3", s.Std)
	}
}

// Runs that are not alike are neither averaged nor passed over in silence.
func TestSpeechOfUnequalRuns(t *testing.T) {
	of := func(change func(*recipes.Recipe)) func(*train.RunConfig) {
		return func(c *train.RunConfig) { setRecipe(t, c, change) }
	}
	for name, c := range map[string]struct {
		change func(*train.RunConfig)
		note   string
	}{
		"steps":    {func(c *train.RunConfig) { c.Train.MaxSteps = 10 }, "the number of steps is 10 and 20"},
		"width":    {func(c *train.RunConfig) { c.Model.Net.Channels = 256 }, "the width is 768 and 256"},
		"batch":    {func(c *train.RunConfig) { c.Train.BatchSize = 4 }, "the batch size is 52 and 4"},
		"codes":    {func(c *train.RunConfig) { c.Model.Quantizer.CodebookSize = 64 }, "the codebook is 512 × 64 and 64 × 64"},
		"split":    {func(c *train.RunConfig) { delete(c.Metadata, recipes.SplitHashKey) }, "the split hash is not recorded and 00aa"},
		"data":     {func(c *train.RunConfig) { c.Metadata[recipes.CorpusKey] = "libri" }, "the corpus is libri and vctk"},
		"front":    {func(c *train.RunConfig) { c.Model.Features.FrontEnd = features.Stream }, "features.front_end is reference and stream"},
		"gru":      {func(c *train.RunConfig) { c.Model.Net.DecoderHidden = 64 }, "model.decoder_hidden is 128 and 64"},
		"recon":    {func(c *train.RunConfig) { c.Train.Recon = "mse" }, "train.recon is arelbo and mse"},
		"rate":     {func(c *train.RunConfig) { c.Train.LearningRate = 1e-5 }, "train.learning_rate is 0.0004 and 1e-05"},
		"schedule": {func(c *train.RunConfig) { c.Train.Milestones = []int{5} }, "train.milestones is [300000 400000] and [5]"},
		"crop":     {func(c *train.RunConfig) { c.Train.CropFrames = 66 }, "train.crop_frames is 34 and 66"},
		"jitter":   {func(c *train.RunConfig) { c.Train.Jitter = 0 }, "train.jitter is 0.5 and 0"},
		"gain":     {func(c *train.RunConfig) { c.Train.RandomGainDB = 6 }, "train.random_gain_db is 0 and 6"},
		"tau":      {func(c *train.RunConfig) { c.Model.Quantizer.TemperatureDecay = 0.01 }, "quantizer.temperature_decay is 1e-05 and 0.01"},
		"held out": {func(c *train.RunConfig) { c.Holdout = 9 }, "holdout_utterances is 0 and 9"},
		"speakers": {func(c *train.RunConfig) { c.Model.Speakers = []string{"p226"} }, "speakers is 1 (hash 10748715) and 1 (hash e727fce2)"},
		"valid":    {of(func(r *recipes.Recipe) { r.Data.Valid = []string{"test"} }), "data.valid is [valid] and [test]"},
		"holdout":  {of(func(r *recipes.Recipe) { r.Data.Holdout = 0.1 }), "data.holdout is 0 and 0.1"},
	} {
		first := speechRun(t, model.Gaussian1, 0, 20, of(func(*recipes.Recipe) {}))
		table := Speech(open(t, first, speechRun(t, model.Gaussian1, 1, 30, func(rc *train.RunConfig) {
			of(func(*recipes.Recipe) {})(rc)
			c.change(rc)
		})))
		if len(table.Rows) != 2 || !math.IsNaN(table.Rows[0].MSE.Std) {
			t.Errorf("%s: %d rows, want 2", name, len(table.Rows))
		}
		if want := []string{"rows cannot be compared: " + c.note}; !slices.Equal(table.Notes, want) {
			t.Errorf("%s: notes %q, want %q", name, table.Notes, want)
		}
	}
	table := Speech(open(t, speechRun(t, model.VQ, 7, 20, nil), speechRun(t, model.VQ, 7, 30, nil), speechRun(t, model.VQEMA, 1, 30, nil)))
	if len(table.Notes) != 2 || !strings.HasPrefix(table.Notes[0], "rows cannot be compared: the number of seeds is 1 and 2") ||
		!strings.HasPrefix(table.Notes[1], "VQ-VAE: seed 7 counts twice: ") {
		t.Errorf("notes %q", table.Notes)
	}
	unknown := func(c *train.RunConfig) { delete(c.Metadata, recipes.SplitHashKey) }
	table = Speech(open(t, speechRun(t, model.VQ, 0, 20, unknown), speechRun(t, model.VQ, 1, 30, unknown)))
	if len(table.Rows) != 2 || !slices.Equal(table.Notes, []string{"rows cannot be compared: the split hash is not recorded"}) {
		t.Errorf("of unknown splits: %d rows, notes %q", len(table.Rows), table.Notes)
	}
}

// setRecipe records the recipe of c.
func setRecipe(t *testing.T, c *train.RunConfig, change func(*recipes.Recipe)) {
	t.Helper()
	r := recipes.Default()
	change(&r)
	text, err := r.YAML()
	if err != nil {
		t.Fatal(err)
	}
	c.Metadata[recipes.RecipeKey] = string(text)
}

// Seeds are averaged whatever does not decide their result, also if an earlier
// program has trained one of them, which wrote fewer keys.
func TestSpeechOfEqualRuns(t *testing.T) {
	first := speechRun(t, model.VQEMA, 0, 20, func(c *train.RunConfig) {
		setRecipe(t, c, func(*recipes.Recipe) {})
		c.Train.Recon = "mse"
	})
	other := speechRun(t, model.VQEMA, 1, 30, func(c *train.RunConfig) {
		setRecipe(t, c, func(r *recipes.Recipe) { r.Data.TargetSpeakersFrom, r.Train.Seed = []string{"valid"}, 1 })
		c.Train.Recon, c.Train.LogEvery, c.Train.EvalEvery, c.Train.CheckpointEvery = "mse", 1, 2, 3
		c.Metadata["note"] = "harmless"
		for _, key := range []string{"    target_speakers_from:\n        - valid\n", "    holdout: 0\n", "    dead_code_fraction: 0\n"} {
			short := strings.Replace(c.Metadata[recipes.RecipeKey], key, "", 1)
			if short == c.Metadata[recipes.RecipeKey] {
				t.Errorf("the recipe has no %q", key)
			}
			c.Metadata[recipes.RecipeKey] = short
		}
	})
	config, err := os.ReadFile(filepath.Join(other, train.ConfigFile))
	if err != nil {
		t.Fatal(err)
	}
	const key = `"dead_code_fraction":0,`
	if !bytes.Contains(config, []byte(key)) {
		t.Errorf("%s has no %s", config, key)
	}
	write(t, other, train.ConfigFile, strings.Replace(string(config), key, "", 1))
	// The loss belongs to the model, so that of another is no difference to be told.
	gaussian := speechRun(t, model.Gaussian1, 0, 20, func(c *train.RunConfig) { setRecipe(t, c, func(*recipes.Recipe) {}) })
	table := Speech(open(t, first, other, gaussian, gaussian))
	if len(table.Rows) != 2 || len(table.Rows[0].Runs) != 2 || len(table.Notes) != 1 || !strings.Contains(table.Notes[0], "counts twice") {
		t.Errorf("%d rows, notes %q", len(table.Rows), table.Notes)
	}
}

func TestUnfinished(t *testing.T) {
	for want, change := range map[string]func(t *testing.T, dir string){
		": unfinished: step 10 of 20": func(t *testing.T, dir string) {
			write(t, dir, training.MetricsFile, `{"step":10,"valid":{"mse_db2":9}}`+"\n")
		},
		": unfinished: it has no model.safetensors": func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, train.ModelFile)) },
		": unfinished: its model.safetensors is that of a run of 10 steps, want 20": func(t *testing.T, dir string) {
			if err := safetensors.Save(filepath.Join(dir, train.ModelFile), map[string]string{checkpoint.RunStepsKey: "10"}, nil); err != nil {
				t.Fatal(err)
			}
		},
		": no evaluation of a valid set after the last step": func(t *testing.T, dir string) {
			write(t, dir, training.MetricsFile, `{"step":10,"valid":{"mse_db2":9}}`+"\n"+`{"step":20,"loss":1}`+"\n")
		},
		"config.json: not the configuration of a speech model's run": func(t *testing.T, dir string) { write(t, dir, train.ConfigFile, "{}") },
		"config.json: unexpected end of JSON input":                  func(t *testing.T, dir string) { write(t, dir, train.ConfigFile, "{") },
	} {
		dir := speechRun(t, model.Gaussian3, 0, 20, nil)
		change(t, dir)
		err := open(t, dir)[0].Unfinished()
		if err == nil || !strings.HasPrefix(err.Error(), dir) || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	dir := t.TempDir()
	write(t, dir, training.MetricsFile, "")
	if _, err := Open(dir); err == nil || !strings.HasSuffix(err.Error(), "metrics.jsonl: nothing is recorded yet") {
		t.Errorf("an empty log: error %v", err)
	}
}

func TestWriteCurves(t *testing.T) {
	other := filepath.Join(t.TempDir(), "image")
	if err := os.Mkdir(other, 0o777); err != nil {
		t.Fatal(err)
	}
	write(t, other, training.MetricsFile, `{"step":5,"loss":3,"recon/mse":0.1,"pixels":{"error":4},"holdout":{"miou":0.5}}`+"\n")
	squared := speechRun(t, model.VQEMA, 0, 30, func(c *train.RunConfig) { c.Train.Recon = "mse" })
	var b bytes.Buffer
	keys, err := WriteCurves(&b, open(t, speechRun(t, model.Gaussian4, 0, 20, nil), squared, other))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"loss", "loss (mse)", "mse_db2", "recon/mse", "miou", "perplexity", "pixels/error"}
	if !slices.Equal(keys, want) {
		t.Errorf("measures %q, want %q", keys, want)
	}
	if _, err := png.Decode(&b); err != nil {
		t.Error(err)
	}
}

func TestKeyOf(t *testing.T) {
	speech := open(t, speechRun(t, model.Gaussian4, 0, 20, nil))[0]
	for name, want := range map[string]string{
		"loss": "loss 0 1", "recon/mse": "mse_db2 0 6400", "valid/mse_db2": "mse_db2 1 1", "holdout/perplexity": "perplexity 2 1",
		"codebook/batch_perplexity": "batch_perplexity 0 1", "sq/kl_discrete": "posterior_entropy 0 -0.0625",
	} {
		key, set, scale := speech.keyOf(name)
		if got := fmt.Sprint(key, " ", set, " ", scale); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestThin(t *testing.T) {
	x := make([]float64, 2*maxPoints+1)
	var sum float64
	for i := range x {
		x[i] = float64(i)
	}
	out := thin(x)
	for _, v := range out {
		sum += v
	}
	if len(out) != maxPoints || out[0] != 0.5 || math.Abs(sum/maxPoints-float64(maxPoints)) > 1 {
		t.Errorf("%d points from %g, mean %g", len(out), out[0], sum/maxPoints)
	}
	if got := thin([]float64{3, 4}); !slices.Equal(got, []float64{3, 4}) {
		t.Errorf("few points become %v", got)
	}
}

// TestSettledRange leaves out the first steps where they would flatten the rest.
func TestSettledRange(t *testing.T) {
	for first, want := range map[float64][2]float64{1000: {0.75, 12}, 15: {0.65, 16.4}, 5: {0.75, 12}} {
		lo, hi := settledRange([]chart.Curve{{X: []float64{1, 50, 100}, Y: []float64{first, 11, 1}}})
		if math.Abs(lo-want[0]) > 1e-9 || math.Abs(hi-want[1]) > 1e-9 {
			t.Errorf("from %g: %g to %g, want %v", first, lo, hi, want)
		}
	}
}

func TestNames(t *testing.T) {
	got := names([]*Run{{Dir: "a/x"}, {Dir: "b/x/"}, {Dir: "c/y"}})
	if !slices.Equal(got, []string{"a/x", "b/x", "y"}) {
		t.Errorf("names %q", got)
	}
}
