package model_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"vqspeech/features"
	"vqspeech/internal/safetensors"
	"vqspeech/model"
	"vqspeech/model/modeltest"
)

// modelFile is a model file taken apart, to be broken.
type modelFile struct {
	meta    map[string]string
	tensors []safetensors.Tensor
}

func takeApart(t testing.TB, b []byte) *modelFile {
	t.Helper()
	f, err := safetensors.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	m := &modelFile{meta: f.Metadata}
	for _, info := range f.Tensors {
		data, shape, err := f.F32(info.Name)
		if err != nil {
			t.Fatal(err)
		}
		m.tensors = append(m.tensors, safetensors.Tensor{Name: info.Name, Shape: shape, DType: safetensors.F32, Data: data})
	}
	return m
}

func (m *modelFile) tensor(name string) *safetensors.Tensor {
	i := slices.IndexFunc(m.tensors, func(t safetensors.Tensor) bool { return t.Name == name })
	return &m.tensors[i]
}

// config changes one number, text or list of the configuration.
func (m *modelFile) config(t testing.TB, section, key string, value any) {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal([]byte(m.meta[model.ConfigKey]), &all); err != nil {
		t.Fatal(err)
	}
	if section == "" {
		all[key] = value
	} else {
		all[section].(map[string]any)[key] = value
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	m.meta[model.ConfigKey] = string(text)
}

func (m *modelFile) bytes(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := safetensors.Write(&b, m.meta, m.tensors); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func tinyBytes(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile(modeltest.Write(t, model.Gaussian4, features.Stream))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var brokenModels = map[string]struct {
	breakIt func(t testing.TB, f *modelFile)
	want    string
}{
	"no config": {
		func(_ testing.TB, f *modelFile) { delete(f.meta, model.ConfigKey) },
		`model: tensors of another program, want a model of speech`,
	},
	"config is no JSON": {
		func(_ testing.TB, f *modelFile) { f.meta[model.ConfigKey] = "{" },
		`model: metadata "vqspeech.model": invalid JSON: unexpected EOF`,
	},
	"config with an unknown key": {
		func(t testing.TB, f *modelFile) { f.config(t, "model", "layers", 3) },
		`unknown field "layers"`,
	},
	"two configs": {
		func(_ testing.TB, f *modelFile) { f.meta[model.ConfigKey] += "{}" },
		"invalid JSON: more than one value",
	},
	"empty config": {
		func(_ testing.TB, f *modelFile) { f.meta[model.ConfigKey] = "{}" },
		"model.channels: must be between 1 and 4096 (got 0); ",
	},
	"sizes of another model": {
		func(t testing.TB, f *modelFile) { f.config(t, "model", "channels", 4096) },
		"model: tensor encoder.conv1.weight has shape [24 20 3], want [4096 20 3]",
	},
	"sizes out of range": {
		func(t testing.TB, f *modelFile) { f.config(t, "quantizer", "codebook_size", 1<<40) },
		"quantizer.codebook_size: must be between 2 and 65536 (got 1099511627776)",
	},
	"another kind": {
		func(t testing.TB, f *modelFile) { f.config(t, "quantizer", "kind", "gaussian-3") },
		"model: tensor encoder.out.weight has shape [16 24 1], want [9 24 1]",
	},
	"no speakers": {
		func(t testing.TB, f *modelFile) {
			f.config(t, "", "speakers", []string{})
			f.tensor("decoder.speaker.weight").Shape, f.tensor("decoder.speaker.weight").Data = []int{1, 4}, make([]float32, 4)
		},
		"model: no speakers",
	},
	"a speaker twice": {
		func(t testing.TB, f *modelFile) { f.config(t, "", "speakers", []string{"a", "b", "a"}) },
		`model: speaker id "a" is empty or occurs twice`,
	},
	"a speaker of two lines": {
		func(t testing.TB, f *modelFile) { f.config(t, "", "speakers", []string{"a", "b\nc", "d"}) },
		`model: speaker id "b\nc" is not printable text`,
	},
	"more speakers than rows": {
		func(t testing.TB, f *modelFile) { f.config(t, "", "speakers", []string{"a", "b", "c", "d"}) },
		"model: tensor decoder.speaker.weight has shape [3 4], want [4 4]",
	},
	"tensor missing": {
		func(_ testing.TB, f *modelFile) { f.tensor("encoder.bn3.running_var").Name = "other" },
		"model: tensor encoder.bn3.running_var is missing",
	},
	"axes exchanged": {
		func(_ testing.TB, f *modelFile) {
			slices.Reverse(f.tensor("quantizer.codebook").Shape)
		},
		"model: tensor quantizer.codebook has shape [8 16], want [16 8]",
	},
	"integers": {
		func(_ testing.TB, f *modelFile) {
			*f.tensor("decoder.fc.bias") = safetensors.Tensor{Name: "decoder.fc.bias", Shape: []int{20}, DType: safetensors.I32, Data: make([]int32, 20)}
		},
		`safetensors: tensor "decoder.fc.bias" has dtype I32, want F32`,
	},
	"NaN": {
		func(_ testing.TB, f *modelFile) {
			f.tensor("decoder.rnn.weight_hh_l1").Data.([]float32)[7] = float32(math.NaN())
		},
		"model: tensor decoder.rnn.weight_hh_l1: element 7 is NaN, want a finite number",
	},
	"infinite": {
		func(_ testing.TB, f *modelFile) {
			f.tensor("quantizer.log_var_scalar").Data.([]float32)[0] = float32(math.Inf(-1))
		},
		"model: tensor quantizer.log_var_scalar: element 0 is -Inf, want a finite number",
	},
	"negative variance": {
		func(_ testing.TB, f *modelFile) { f.tensor("encoder.bn2.running_var").Data.([]float32)[3] = -0.5 },
		"model: tensor encoder.bn2.running_var holds the variance -0.5, want at least 0",
	},
}

func TestReadBrokenModels(t *testing.T) {
	good := tinyBytes(t)
	for name, c := range brokenModels {
		f := takeApart(t, good)
		c.breakIt(t, f)
		b := f.bytes(t)
		var err error
		if got := allocated(func() { _, err = model.Read(b) }); got > 4<<20 {
			t.Errorf("%s: a file of %d bytes allocates %d", name, len(b), got)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want one line with %s", name, err, c.want)
		}
	}
	for name, b := range map[string][]byte{
		"empty": nil, "text": []byte("RIFF a sound, no model, but long enough"), "cut header": good[:1000], "cut data": good[:len(good)-1],
	} {
		if _, err := model.Read(b); err == nil || !strings.HasPrefix(err.Error(), "safetensors: invalid format: ") {
			t.Errorf("%s: error %v, want that of the format", name, err)
		}
	}
}

// TestReadHugeConfig reads small files whose configuration promises much.
func TestReadHugeConfig(t *testing.T) {
	cfg := model.DefaultConfig()
	cfg.Features.NMels, cfg.Features.NFFT = 512, 1<<15
	cfg.Net = model.NetConfig{Channels: 4096, SpeakerDim: 1024, DecoderHidden: 2048}
	cfg.Quantizer.CodebookSize, cfg.Quantizer.CodebookDim = 65536, 1024
	cfg.Speakers = []string{"a"}
	text, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	f := &modelFile{meta: map[string]string{model.ConfigKey: string(text)}}
	b := f.bytes(t)
	if len(b) > 2048 {
		t.Fatalf("the file is %d bytes", len(b))
	}
	var readErr error
	if got := allocated(func() { _, readErr = model.Read(b) }); got > 1<<20 {
		t.Errorf("a file of %d bytes allocates %d", len(b), got)
	}
	if want := "model: tensor encoder.conv1.weight is missing"; readErr == nil || readErr.Error() != want {
		t.Errorf("error %v, want %s", readErr, want)
	}
}

func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestLoadNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "absent.safetensors")
	if _, err := model.Load(path); err == nil || strings.Count(err.Error(), path) != 1 {
		t.Errorf("error %v, want one that names the file once", err)
	}
	if err := os.WriteFile(path, []byte("no model"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := model.Load(path); err == nil || strings.Count(err.Error(), path) != 1 {
		t.Errorf("error %v, want one that names the file once", err)
	}
}

func TestSpeakerIndex(t *testing.T) {
	m := modeltest.New(t, model.VQ, features.Stream)
	for i, id := range modeltest.Speakers {
		if got, err := m.SpeakerIndex(id); got != i || err != nil {
			t.Errorf("%s: row %d, %v, want %d", id, got, err, i)
		}
	}
	if _, err := m.SpeakerIndex("dora"); err == nil || err.Error() != `unknown speaker "dora": the model knows alice, bob, carol` {
		t.Errorf("error %v", err)
	}
	if m.DefaultSpeaker() != "alice" {
		t.Errorf("default speaker %s", m.DefaultSpeaker())
	}
}

// FuzzRead reads damaged models; one that is accepted must encode and decode.
func FuzzRead(f *testing.F) {
	cfg := model.DefaultConfig()
	cfg.Features = features.Default(features.Stream)
	cfg.Features.NFFT, cfg.Features.NMels = 512, 1
	cfg.Net = model.NetConfig{Channels: 1, SpeakerDim: 1, DecoderHidden: 1}
	cfg.Quantizer.CodebookSize, cfg.Quantizer.CodebookDim = 2, 1
	cfg.Speakers = []string{"a"}
	for _, kind := range model.QuantizerKinds {
		cfg.Quantizer.Kind = kind
		text, err := json.Marshal(cfg)
		if err != nil {
			f.Fatal(err)
		}
		w := model.Weights{}
		for _, p := range append(cfg.Params(), cfg.Buffers()...) {
			w[p.Name] = make([]float32, p.Size())
		}
		file := &modelFile{
			meta:    map[string]string{model.ConfigKey: string(text)},
			tensors: model.FileTensors(w, append(cfg.Params(), cfg.Buffers()...), safetensors.F16),
		}
		f.Add(file.bytes(f))
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := model.Read(b)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error of several lines: %v", err)
			}
			return
		}
		e, err := m.NewEncoder(m.Config.Features.StreamLevel())
		if err != nil {
			t.Fatal(err)
		}
		codes, err := e.Push(make([]float32, 5*m.Config.Features.HopLength))
		if err != nil {
			t.Fatal(err)
		}
		rest, err := e.Flush()
		if err != nil {
			t.Fatal(err)
		}
		if codes = append(codes, rest...); len(codes) != 2 {
			t.Fatalf("%d units, want 2", len(codes))
		}
		d := m.NewDecoder(0)
		if got := len(d.Push(codes)) + len(d.Flush(-1)); got != 6*m.Config.Features.NMels {
			t.Fatalf("%d features, want %d", got, 6*m.Config.Features.NMels)
		}
	})
}
