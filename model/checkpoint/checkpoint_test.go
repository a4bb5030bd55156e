package checkpoint_test

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"vqspeech/features"
	"vqspeech/internal/safetensors"
	"vqspeech/model"
	"vqspeech/model/checkpoint"
	"vqspeech/model/modeltest"
)

// state returns a state in which no two tensors are alike.
func state(cfg model.Config) *checkpoint.State {
	rng := rand.New(rand.NewPCG(9, 9))
	fill := func(params []model.Param) model.Weights {
		w := model.Weights{}
		for _, p := range params {
			w[p.Name] = make([]float32, p.Size())
			for i := range w[p.Name] {
				w[p.Name][i] = rng.Float32()
			}
		}
		return w
	}
	return &checkpoint.State{
		Model: cfg, Train: json.RawMessage(`{"seed":7}`), Step: 1234, Best: 56.78125,
		Weights: fill(append(cfg.Params(), cfg.Buffers()...)), M: fill(cfg.Params()), V: fill(cfg.Params()),
		Extra: map[string][]float32{"ema_count": {1, 2, 3}, "code_uses": {0, math.MaxFloat32}},
	}
}

// smallest is a valid configuration with as few weights as there can be.
func smallest(kind model.QuantizerKind) model.Config {
	cfg := modeltest.Config(kind, features.Reference)
	cfg.Features.NMels = 1
	cfg.Net = model.NetConfig{Channels: 1, SpeakerDim: 1, DecoderHidden: 1}
	cfg.Quantizer.CodebookSize, cfg.Quantizer.CodebookDim = 2, 1
	return cfg
}

func TestSaveLoad(t *testing.T) {
	for _, kind := range model.QuantizerKinds {
		want := state(modeltest.Config(kind, features.Reference))
		if kind == model.VQ {
			want.Best, want.Step = math.Inf(1), 0
		}
		path := filepath.Join(t.TempDir(), "state.safetensors")
		if err := checkpoint.Save(path, want); err != nil {
			t.Fatal(err)
		}
		got, err := checkpoint.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: another state than was saved", kind)
		}
		first, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := checkpoint.Save(path, got); err != nil {
			t.Fatal(err)
		}
		if second, err := os.ReadFile(path); err != nil || !bytes.Equal(first, second) {
			t.Errorf("%s: saved again, other bytes (%v)", kind, err)
		}
		if m, err := model.Load(path); err != nil || !reflect.DeepEqual(m.Config, want.Model) {
			t.Errorf("%s: a checkpoint is no model: %v", kind, err)
		}
	}
}

func TestSaveExact(t *testing.T) {
	cfg := modeltest.Config(model.Gaussian4, features.Reference)
	w := modeltest.Weights(cfg)
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := checkpoint.SaveExact(path, cfg, w, map[string]string{"note": "x"}); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := safetensors.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	got, err := model.ReadWeights(f, append(cfg.Params(), cfg.Buffers()...))
	if err != nil || !reflect.DeepEqual(got, w) {
		t.Errorf("other weights than were saved (%v)", err)
	}
	read, err := model.ReadConfig[model.Config](f)
	if err != nil || !reflect.DeepEqual(read, cfg) || f.Metadata["note"] != "x" {
		t.Errorf("config %v, metadata %v, %v", read, f.Metadata, err)
	}
}

func TestSaveModel(t *testing.T) {
	cfg := modeltest.Config(model.VQEMA, features.Stream)
	w := modeltest.Weights(cfg)
	w["quantizer.codebook"][5] = 1e5 // too large for float16
	w["encoder.bn1.bias"][0] = 1.0 / 3
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := checkpoint.SaveModel(path, cfg, w, []string{"carol", "alice"}, map[string]string{"note": "x"}); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := safetensors.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, info := range f.Tensors {
		want := safetensors.F16
		if info.Name == "quantizer.codebook" {
			want = safetensors.F32
		}
		if info.DType != want {
			t.Errorf("%s is %s, want %s", info.Name, info.DType, want)
		}
	}
	if f.Metadata["note"] != "x" {
		t.Errorf("metadata %v", f.Metadata)
	}
	m, err := model.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(m.Config.Speakers, []string{"carol", "alice"}) {
		t.Errorf("speakers %v", m.Config.Speakers)
	}
	if !slices.Equal(m.Codebook.Vectors, w["quantizer.codebook"]) {
		t.Error("another codebook")
	}
	rows, _, err := f.F32("decoder.speaker.weight")
	if err != nil {
		t.Fatal(err)
	}
	s := cfg.Net.SpeakerDim
	want := slices.Concat(w["decoder.speaker.weight"][2*s:3*s], w["decoder.speaker.weight"][:s])
	for i, v := range rows {
		if d := math.Abs(float64(v - want[i])); d > 1e-3*math.Abs(float64(want[i])) {
			t.Errorf("speaker table element %d is %g, want %g", i, v, want[i])
		}
	}

	for name, keep := range map[string][]string{`speaker "dora" is not in the model`: {"alice", "dora"}, "no speakers to keep": nil} {
		absent := filepath.Join(t.TempDir(), "absent")
		err := checkpoint.SaveModel(absent, cfg, w, keep, nil)
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("keep %v: error %v, want %s", keep, err, name)
		}
		if _, err := os.Stat(absent); err == nil {
			t.Errorf("keep %v: a file was left", keep)
		}
	}
}

func TestLoadBroken(t *testing.T) {
	dir := t.TempDir()
	cfg := smallest(model.Gaussian4)
	w := modeltest.Weights(modeltest.Config(model.VQ, features.Stream))
	plain := filepath.Join(dir, "plain")
	if err := checkpoint.SaveModel(plain, modeltest.Config(model.VQ, features.Stream), w, modeltest.Speakers, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "text"), []byte("a text, no checkpoint"), 0o666); err != nil {
		t.Fatal(err)
	}
	save := func(name string, change func(*checkpoint.State)) {
		s := state(cfg)
		change(s)
		if err := checkpoint.Save(filepath.Join(dir, name), s); err != nil {
			t.Fatal(err)
		}
	}
	save("step", func(s *checkpoint.State) { s.Step = -1 })
	save("best", func(s *checkpoint.State) { s.Best = math.NaN() })
	save("moment", func(s *checkpoint.State) { s.V["encoder.bn2.bias"][0] = float32(math.Inf(1)) })
	for name, want := range map[string]string{
		"absent": "no such file",
		"text":   "safetensors: invalid format: ",
		"plain":  "checkpoint: a model without training state",
		"step":   `metadata "vqspeech.step" is "-1", want a number of steps`,
		"best":   `metadata "vqspeech.best" is "NaN", want a score`,
		"moment": "tensor adam.v.encoder.bn2.bias: element 0 is +Inf",
	} {
		path := filepath.Join(dir, name)
		_, err := checkpoint.Load(path)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Count(err.Error(), path) != 1 {
			t.Errorf("%s: error %v, want the file's name once and %s", name, err, want)
		}
	}
}

// FuzzRead reads damaged checkpoints; one that is accepted can be saved.
func FuzzRead(f *testing.F) {
	for _, kind := range model.QuantizerKinds {
		path := filepath.Join(f.TempDir(), "seed")
		if err := checkpoint.Save(path, state(smallest(kind))); err != nil {
			f.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var s *checkpoint.State
		file, err := safetensors.Parse(b)
		if err == nil {
			s, err = checkpoint.Read[model.Config](file)
		}
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error of several lines: %v", err)
			}
			return
		}
		path := filepath.Join(t.TempDir(), "again")
		if err := checkpoint.Save(path, s); err != nil {
			t.Fatal(err)
		}
		if again, err := checkpoint.Load(path); err != nil || !reflect.DeepEqual(again, s) {
			t.Fatalf("another state after saving: %v", err)
		}
	})
}

func TestAgree(t *testing.T) {
	type config struct {
		Size  int `json:"size"`
		Extra int `json:"extra,omitempty"`
		Steps int `json:"steps"`
	}
	trained := []byte(`{"size": 2, "extra": 3, "steps": 4}`)
	free := []string{"steps"}
	if err := checkpoint.Agree(config{Size: 1}, config{Size: 1}, trained, config{Size: 2, Extra: 3, Steps: 5}, free); err != nil {
		t.Error(err)
	}
	err := checkpoint.Agree(config{Size: 1}, config{Size: 1, Extra: 7}, trained, config{Size: 9, Steps: 4}, free)
	want := "cannot resume with another configuration: extra was not set, is 7; train.extra was 3, is not set; train.size was 2, is 9"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
