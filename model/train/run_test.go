package train

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"vqspeech/features"
	"vqspeech/internal/safetensors"
	"vqspeech/internal/training"
	"vqspeech/model"
	"vqspeech/model/checkpoint"
	"vqspeech/model/modeltest"
)

// options describe a run of a tiny model on a few seconds of speech, of which
// two speakers are made.
func options(t testing.TB, kind model.QuantizerKind) Options {
	t.Helper()
	cfg := modeltest.Config(kind, features.Reference)
	cfg.Speakers = nil
	cfg.Quantizer.DeadCodeThreshold, cfg.Quantizer.DeadCodeInterval = 1, 4
	tc := DefaultConfig()
	tc.MaxSteps, tc.BatchSize, tc.CropFrames, tc.Seed = 8, 4, 10, 42
	tc.LearningRate, tc.Milestones = 1e-3, []int{5}
	tc.LogEvery, tc.EvalEvery, tc.CheckpointEvery = 1, 3, 2
	db, err := features.LogMelDB(loadSpeech(t), cfg.Features)
	if err != nil {
		t.Fatal(err)
	}
	var parts []Utterance
	const frames = 40
	size := frames * cfg.Features.NMels
	for i := 0; (i+1)*size <= len(db); i++ {
		parts = append(parts, Utterance{
			ID: strconv.Itoa(i), Speaker: []string{"ann", "ben"}[i%2], DB: db[i*size : (i+1)*size], Peak: 0.5,
		})
	}
	return Options{
		Model: cfg, Train: tc, Training: parts[:4], Holdout: parts[4:6], Valid: parts[6:8],
		Keep: []string{"ben"}, Dir: filepath.Join(t.TempDir(), "run"), Metadata: map[string]string{"note": "test"},
	}
}

// outputs are the files of a run folder that must not depend on how the run
// went.
var outputs = []string{ConfigFile, training.MetricsFile, LatestFile, BestFile, ModelFile}

type digest map[string][sha256.Size]byte

func digests(t testing.TB, dir string) digest {
	t.Helper()
	d := digest{}
	for _, name := range outputs {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		d[name] = sha256.Sum256(b)
	}
	return d
}

func (d digest) compare(t *testing.T, what string, want digest) {
	t.Helper()
	for _, name := range outputs {
		if d[name] != want[name] {
			t.Errorf("%s: %s has SHA-256 %x, want %x", what, name, d[name], want[name])
		}
	}
}

func mustRun(t testing.TB, o Options) *Evaluation {
	t.Helper()
	e, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func forEachKind(t *testing.T, f func(t *testing.T, kind model.QuantizerKind)) {
	for _, kind := range model.QuantizerKinds {
		t.Run(string(kind), func(t *testing.T) { f(t, kind) })
	}
}

func TestSameSeedSameBytes(t *testing.T) {
	forEachKind(t, func(t *testing.T, kind model.QuantizerKind) {
		var want digest
		for _, threads := range []int{1, 2, 1} {
			o := options(t, kind)
			before := runtime.GOMAXPROCS(threads)
			mustRun(t, o)
			runtime.GOMAXPROCS(before)
			got := digests(t, o.Dir)
			if want == nil {
				want = got
			}
			got.compare(t, strconv.Itoa(threads)+" threads", want)
		}
		o := options(t, kind)
		o.Train.Seed++
		mustRun(t, o)
		if digests(t, o.Dir)[LatestFile] == want[LatestFile] {
			t.Error("another seed gives the same checkpoint")
		}
	})
}

// TestWideModelThreads trains a model that is wide enough for every kernel to
// use several threads.
func TestWideModelThreads(t *testing.T) {
	var want digest
	for _, threads := range []int{1, 2, 3} {
		o := options(t, model.Gaussian4)
		o.Model.Net.Channels, o.Model.Quantizer.CodebookSize = 128, 128
		o.Train.BatchSize, o.Train.CropFrames, o.Train.MaxSteps = 24, 34, 3
		before := runtime.GOMAXPROCS(threads)
		mustRun(t, o)
		runtime.GOMAXPROCS(before)
		got := digests(t, o.Dir)
		if want == nil {
			want = got
		}
		got.compare(t, strconv.Itoa(threads)+" threads", want)
	}
}

// TestStopAndResume stops a run after every number of steps.
func TestStopAndResume(t *testing.T) {
	forEachKind(t, func(t *testing.T, kind model.QuantizerKind) {
		whole := options(t, kind)
		mustRun(t, whole)
		want := digests(t, whole.Dir)
		for _, stops := range [][]int{{1}, {3, 4}, {7}, {2, 5, 6}} {
			o := options(t, kind)
			for _, at := range stops {
				ctx, cancel := context.WithCancel(context.Background())
				o.Progress = func(p Progress) {
					if p.Step == at {
						cancel()
					}
				}
				if _, err := Run(ctx, o); !errors.Is(err, context.Canceled) {
					t.Fatalf("stopped at %d: error %v", at, err)
				}
				if _, err := os.Stat(filepath.Join(o.Dir, ModelFile)); err == nil {
					t.Error("a stopped run left a finished model")
				}
				o.Resume, o.Progress = true, nil
			}
			mustRun(t, o)
			digests(t, o.Dir).compare(t, "stopped", want)
			checkSteps(t, o)
		}
		whole.Resume = true
		mustRun(t, whole)
		digests(t, whole.Dir).compare(t, "finished and resumed", want)
	})
}

// TestResumeLonger goes on with a finished run for more steps.
func TestResumeLonger(t *testing.T) {
	long := options(t, model.VQEMA)
	long.Train.MaxSteps, long.Train.EvalEvery = 12, 4
	mustRun(t, long)
	o := options(t, model.VQEMA)
	o.Train.EvalEvery = 4
	mustRun(t, o)
	o.Train.MaxSteps, o.Resume = 12, true
	mustRun(t, o)
	digests(t, o.Dir).compare(t, "8 steps, then 4", digests(t, long.Dir))
}

// record is a line of metrics.jsonl.
type record struct {
	Step    int         `json:"step"`
	Loss    *float64    `json:"loss"`
	Holdout *Evaluation `json:"holdout"`
	Valid   *Evaluation `json:"valid"`
}

func readMetrics(t testing.TB, dir string) []record {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, training.MetricsFile))
	if err != nil {
		t.Fatal(err)
	}
	var records []record
	for line := range bytes.Lines(b) {
		var r record
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		records = append(records, r)
	}
	return records
}

// checkSteps holds that metrics.jsonl has every step once and in order, and
// every evaluation once.
func checkSteps(t *testing.T, o Options) {
	t.Helper()
	var losses, evaluations, wantEvaluations []int
	for _, r := range readMetrics(t, o.Dir) {
		if r.Loss != nil {
			losses = append(losses, r.Step)
		}
		if r.Holdout != nil && r.Valid != nil {
			evaluations = append(evaluations, r.Step)
		}
	}
	for step := 1; step <= o.Train.MaxSteps; step++ {
		if step%o.Train.EvalEvery == 0 || step == o.Train.MaxSteps {
			wantEvaluations = append(wantEvaluations, step)
		}
		if step > len(losses) || losses[step-1] != step {
			t.Errorf("losses of the steps %v, want 1 to %d", losses, o.Train.MaxSteps)
			break
		}
	}
	if len(losses) > o.Train.MaxSteps || !slices.Equal(evaluations, wantEvaluations) {
		t.Errorf("losses of steps %v, evaluations at %v, want %v", losses, evaluations, wantEvaluations)
	}
}

func TestBestIsLowestOnHoldout(t *testing.T) {
	o := options(t, model.Gaussian4)
	o.Train.EvalEvery, o.Train.MaxSteps, o.Train.LearningRate = 1, 12, 0.05
	valid := mustRun(t, o)
	best := record{Holdout: &Evaluation{MSE: math.Inf(1)}}
	records := readMetrics(t, o.Dir)
	for _, r := range records {
		if r.Holdout != nil && r.Holdout.MSE < best.Holdout.MSE {
			best = r
		}
	}
	if last := records[len(records)-1]; !reflect.DeepEqual(last.Valid, valid) {
		t.Errorf("Run returns %v, metrics.jsonl ends with %v", valid, last.Valid)
	}
	s, err := checkpoint.Load(filepath.Join(o.Dir, BestFile))
	if err != nil {
		t.Fatal(err)
	}
	if s.Step != best.Step || s.Best != best.Holdout.MSE {
		t.Errorf("best checkpoint: step %d, score %g, want step %d, %g", s.Step, s.Best, best.Step, best.Holdout.MSE)
	}
	if h := best.Holdout.Entropy; best.Holdout.Variance <= 0 || h == nil || *h <= 0 || *h > math.Log(float64(o.Model.Quantizer.CodebookSize)) {
		t.Errorf("a posterior of variance %g and entropy %v nats", best.Holdout.Variance, h)
	}
	t.Logf("best step %d of %d", best.Step, o.Train.MaxSteps)
	m, err := model.New(s.Model, s.Weights)
	if err != nil {
		t.Fatal(err)
	}
	if e, _, err := Evaluate(m, o.Holdout); err != nil || !reflect.DeepEqual(e, *best.Holdout) {
		t.Errorf("the best checkpoint gives %v (%v), want %v", e, err, *best.Holdout)
	}
	if got := modelStep(t, o.Dir); got != best.Step {
		t.Errorf("the finished model is of step %d, want %d", got, best.Step)
	}

	without := options(t, model.Gaussian4)
	without.Holdout = nil
	mustRun(t, without)
	if got := modelStep(t, without.Dir); got != without.Train.MaxSteps {
		t.Errorf("nothing held out: the finished model is of step %d, want the last", got)
	}
}

func parseModel(t testing.TB, dir string) *safetensors.File {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, ModelFile))
	if err != nil {
		t.Fatal(err)
	}
	f, err := safetensors.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func modelStep(t testing.TB, dir string) int {
	t.Helper()
	step, err := strconv.Atoi(parseModel(t, dir).Metadata["vqspeech.step"])
	if err != nil {
		t.Fatal(err)
	}
	return step
}

func TestFinishedModel(t *testing.T) {
	forEachKind(t, func(t *testing.T, kind model.QuantizerKind) {
		o := options(t, kind)
		mustRun(t, o)
		f := parseModel(t, o.Dir)
		for _, info := range f.Tensors {
			if info.DType != safetensors.F16 {
				t.Errorf("%s is %s, want F16", info.Name, info.DType)
			}
		}
		if f.Metadata["note"] != "test" {
			t.Errorf("metadata %v", f.Metadata)
		}
		m, err := model.Load(filepath.Join(o.Dir, ModelFile))
		if err != nil {
			t.Fatal(err)
		}
		want := o.Model
		want.Speakers = []string{"ben"}
		if !reflect.DeepEqual(m.Config, want) {
			t.Errorf("configuration %+v, want %+v", m.Config, want)
		}
		var units int
		if _, err := m.EncodeClip(loadSpeech(t), func(c []uint16) error { units += len(c); return nil }); err != nil || units != 160 {
			t.Errorf("%d units, %v, want 160", units, err)
		}
		best, err := checkpoint.Load(filepath.Join(o.Dir, BestFile))
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range m.Codebook.Vectors {
			w := best.Weights["quantizer.codebook"][i]
			if d := math.Abs(float64(v - w)); d > math.Abs(float64(w))/2048+3e-8 { // half a float16 step
				t.Fatalf("codebook element %d is %g, trained %g", i, v, w)
			}
		}
	})
}

// TestDeadCodes holds that a run with resets leaves no code behind.
func TestDeadCodes(t *testing.T) {
	for kind, dead := range map[model.QuantizerKind]func(before, after []float32) bool{
		// No gradient has reached it.
		model.VQ: slices.Equal[[]float32],
		// Its average count is next to nothing, so that it lies far out.
		model.VQEMA: func(_, after []float32) bool { return slices.Max(after) > 20 || slices.Min(after) < -20 },
	} {
		count := func(threshold int) (n int, end *checkpoint.State) {
			o := options(t, kind)
			o.Model.Quantizer.DeadCodeThreshold = threshold
			o.Model.Speakers = speakersOf(o.Training)
			start, err := open(o)
			if err != nil {
				t.Fatal(err)
			}
			mustRun(t, o)
			if end, err = checkpoint.Load(filepath.Join(o.Dir, LatestFile)); err != nil {
				t.Fatal(err)
			}
			a, b := start.Weights["quantizer.codebook"], end.Weights["quantizer.codebook"]
			d := o.Model.Quantizer.CodebookDim
			for i := 0; i < len(a); i += d {
				if dead(a[i:i+d], b[i:i+d]) {
					n++
				}
			}
			return n, end
		}
		without, _ := count(0)
		with, end := count(1)
		if without == 0 || with != 0 {
			t.Errorf("%s: %d dead codes with resets, %d without", kind, with, without)
		}
		if uses := end.Extra["code_uses"]; slices.Max(uses) != 0 {
			t.Errorf("%s: uses %v after a check, want none", kind, uses)
		}
	}
}

func TestRunErrors(t *testing.T) {
	for name, c := range map[string]struct {
		change func(o *Options)
		want   string
	}{
		"no training data": {func(o *Options) { o.Training = nil }, "train: no training utterances"},
		"crops too long": {
			func(o *Options) { o.Train.CropFrames = 40 },
			"train: none of 4 training utterances is longer than a crop of 40 frames",
		},
		"unknown speaker": {
			func(o *Options) { o.Valid[1].Speaker = "dora" },
			`train: utterance 7: speaker "dora" is not among the training speakers`,
		},
		"unknown speaker to keep": {func(o *Options) { o.Keep = []string{"ann", "dora"} }, `train: speaker "dora", to be kept`},
		"half a frame": {
			func(o *Options) { o.Training[2].DB = o.Training[2].DB[:799] },
			"train: utterance 2: 799 log-mel values are not a multiple of 20 bands",
		},
		"NaN": {
			func(o *Options) { o.Training[3].DB = withValue(o.Training[3].DB, 50, math.NaN()) },
			"train: utterance 3: log-mel value 50 is NaN, want a finite number",
		},
		"infinite": {
			func(o *Options) { o.Holdout[0].DB = withValue(o.Holdout[0].DB, 0, math.Inf(-1)) },
			"train: utterance 4: log-mel value 0 is -Inf, want a finite number",
		},
		"nothing to hold out": {
			func(o *Options) { o.Holdout = []Utterance{{ID: "x", Speaker: "ann", DB: make([]float32, 60)}} },
			"train: none of 1 utterances to evaluate is long enough for one unit",
		},
		"bad setting": {func(o *Options) { o.Train.BatchSize = 0 }, "train.batch_size: must be between 1 and 4096 (got 0)"},
		"diverges": {
			func(o *Options) {
				o.Train.Recon = "mse"
				o.Training = []Utterance{o.Training[0], o.Training[1]}
				o.Training[0].DB = withValue(o.Training[0].DB, 0, 3e38)
			},
			"train: step 0: the loss is ",
		},
	} {
		o := options(t, model.VQ)
		c.change(&o)
		_, err := Run(context.Background(), o)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want one line with %s", name, err, c.want)
		}
		if _, err := os.Stat(filepath.Join(o.Dir, ModelFile)); err == nil {
			t.Errorf("%s: a finished model was left", name)
		}
	}
}

func withValue(x []float32, i int, v float64) []float32 {
	x = slices.Clone(x)
	x[i] = float32(v)
	return x
}

func TestRunFolders(t *testing.T) {
	o := options(t, model.VQEMA)
	mustRun(t, o)
	want := digests(t, o.Dir)
	again := func(change func(o *Options)) error {
		o := o
		change(&o)
		_, err := Run(context.Background(), o)
		return err
	}
	for name, c := range map[string]struct {
		change func(o *Options)
		want   string
	}{
		"not resumed": {func(*Options) {}, "a run is there already: resume it or choose another folder"},
		"other model": {
			func(o *Options) { o.Resume, o.Model.Net.Channels = true, 32 },
			"model.channels was 24, is 32",
		},
		"other speakers": {
			func(o *Options) {
				o.Resume, o.Training, o.Holdout, o.Valid, o.Keep = true, slices.Clone(o.Training), nil, nil, nil
				o.Training[0].Speaker = "cid"
			},
			"speakers was [\"ann\",\"ben\"], is [\"ann\",\"ben\",\"cid\"]",
		},
		"other training": {
			func(o *Options) { o.Resume, o.Train.LearningRate = true, 0.5 },
			"learning_rate was 0.001, is 0.5",
		},
	} {
		err := again(c.change)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want one line with %s", name, err, c.want)
		}
		digests(t, o.Dir).compare(t, name, want)
	}

	latest := filepath.Join(o.Dir, LatestFile)
	s, err := checkpoint.Load(latest)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"code_uses", "ema_count", "ema_sum"} {
		damaged := *s
		damaged.Extra = map[string][]float32{}
		for k, v := range s.Extra {
			damaged.Extra[k] = v
		}
		damaged.Extra[key] = append(slices.Clone(s.Extra[key]), 1)
		if err := checkpoint.Save(latest, &damaged); err != nil {
			t.Fatal(err)
		}
		if err := again(func(o *Options) { o.Resume = true }); err == nil || !strings.Contains(err.Error(), "the checkpoint's "+key+" has ") {
			t.Errorf("%s of another size: error %v", key, err)
		}
	}
	if err := os.WriteFile(latest, []byte("cut"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := again(func(o *Options) { o.Resume = true }); err == nil || strings.Count(err.Error(), latest) != 1 {
		t.Errorf("a damaged checkpoint: error %v, want one that names it once", err)
	}
}
