package model

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"vqspeech/internal/safetensors"
	"vqspeech/internal/simd"
	"vqspeech/internal/strict"
	"vqspeech/model/nn"
	"vqspeech/quant"
)

// Weights are tensors by name, in memory layout (see Param).
type Weights map[string][]float32

// Model is a speech model ready to encode, decode and convert. It is safe for
// concurrent use; every sequence has its own Encoder or Decoder.
type Model struct {
	Config   Config
	Codebook quant.Codebook

	fingerprint [8]byte
	encoder     nn.Encoder
	decoder     nn.Decoder
	logVar      float32 // shared log variance s, gaussian kinds
}

// BatchNormEps is the epsilon of every batch normalisation (PyTorch's default).
const BatchNormEps = 1e-5

// New builds a model on weights, of which it copies those of the encoder, in the
// layout of the instruction set in use, and keeps the others. w holds the
// tensors of cfg.Params() and cfg.Buffers(); one that is missing or has another
// size is an error.
func New(cfg Config, w Weights) (*Model, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := CheckSpeakers(cfg.Speakers); err != nil {
		return nil, err
	}
	if err := CheckWeights(w, append(cfg.Params(), cfg.Buffers()...)); err != nil {
		return nil, err
	}
	for _, p := range cfg.Buffers() {
		if v := w[p.Name]; strings.HasSuffix(p.Name, ".running_var") && slices.Min(v) < 0 {
			return nil, fmt.Errorf("model: tensor %s holds the variance %g, want at least 0", p.Name, slices.Min(v))
		}
	}
	m := &Model{Config: cfg, Codebook: quant.Codebook{
		Size: cfg.Quantizer.CodebookSize, Dim: cfg.Quantizer.CodebookDim, Vectors: w["quantizer.codebook"],
	}}
	if s, ok := w["quantizer.log_var_scalar"]; ok && cfg.Quantizer.Kind.Gaussian() {
		m.logVar = s[0]
	}
	m.encoder.Layers = encoderLayers(cfg, w)
	m.decoder = nn.Decoder{
		Dim: m.Codebook.Dim, Hidden: cfg.Net.DecoderHidden, Mels: cfg.Features.NMels,
		Speakers: w["decoder.speaker.weight"], SpeakerDim: cfg.Net.SpeakerDim,
		Weight: w["decoder.fc.weight"], Bias: w["decoder.fc.bias"],
	}
	for layer := range 2 {
		m.decoder.Forward[layer] = gruWeights(w, layer, "")
		m.decoder.Backward[layer] = gruWeights(w, layer, "_reverse")
	}
	return m, nil
}

// CheckSpeakers reports the first id of a table of speakers that is empty, is there
// twice, or cannot go to a terminal as it is.
func CheckSpeakers(ids []string) error {
	if len(ids) == 0 {
		return errors.New("model: no speakers")
	}
	seen := map[string]bool{}
	for _, id := range ids {
		if id == "" || seen[id] {
			return fmt.Errorf("model: speaker id %q is empty or occurs twice", id)
		}
		if !strict.Printable(id) {
			return fmt.Errorf("model: speaker id %.40q is not printable text", id)
		}
		seen[id] = true
	}
	return nil
}

func encoderLayers(cfg Config, w Weights) []*nn.Conv {
	var layers []*nn.Conv
	for i, g := range cfg.EncoderConvs() {
		name := fmt.Sprintf("encoder.bn%d.", i+1)
		scale, shift := make([]float32, g.Out), make([]float32, g.Out)
		simd.BatchNormEval(scale, shift, w[name+"weight"], w[name+"bias"], w[name+"running_mean"], w[name+"running_var"], BatchNormEps)
		layers = append(layers, &nn.Conv{
			Geometry: g, Weight: packed(g, w[fmt.Sprintf("encoder.conv%d.weight", i+1)]),
			Scale: scale, Shift: shift, ReLU: true,
		})
	}
	g := simd.Conv1D{In: cfg.Net.Channels, Out: cfg.LatentChannels(), Kernel: 1, Stride: 1, Dilation: 1}
	return append(layers, &nn.Conv{Geometry: g, Weight: packed(g, w["encoder.out.weight"]), Bias: w["encoder.out.bias"]})
}

func packed(g simd.Conv1D, weight []float32) *simd.Packed {
	return simd.PackB(false, g.Kernel*g.In, g.Out, weight, g.Out)
}

func gruWeights(w Weights, layer int, suffix string) simd.GRUWeights {
	name := fmt.Sprintf("_l%d%s", layer, suffix)
	return simd.GRUWeights{
		WIH: w["decoder.rnn.weight_ih"+name], WHH: w["decoder.rnn.weight_hh"+name],
		BIH: w["decoder.rnn.bias_ih"+name], BHH: w["decoder.rnn.bias_hh"+name],
	}
}

// Load reads a model file (safetensors; a training checkpoint will do).
func Load(path string) (*Model, error) {
	m, err := safetensors.Load(path, read)
	return m, importable(err)
}

// ConfigKey is the metadata key under which a model file keeps its Config as
// JSON.
const ConfigKey = "vqspeech.model"

// Read parses a model file held in memory.
func Read(b []byte) (*Model, error) {
	f, err := safetensors.Parse(b)
	if err != nil {
		return nil, importable(err)
	}
	return read(f)
}

// importable says what to do with a file of PyTorch.
func importable(err error) error {
	if errors.Is(err, safetensors.ErrTorch) {
		return fmt.Errorf("%w, want a model: vqspeech import sqvae makes one of it", err)
	}
	return err
}

func read(f *safetensors.File) (*Model, error) {
	cfg, err := ReadConfig[Config](f)
	if err != nil {
		return nil, err
	}
	w, err := ReadWeights(f, append(cfg.Params(), cfg.Buffers()...))
	if err != nil {
		return nil, err
	}
	m, err := New(cfg, w)
	if err != nil {
		return nil, err
	}
	sum, err := f.SHA256()
	if err != nil {
		return nil, err
	}
	copy(m.fingerprint[:], sum[:])
	return m, nil
}

// MetadataKey is ConfigKey.
func (Config) MetadataKey() string { return ConfigKey }

// ReadConfig returns the configuration of a model file, in the metadata under
// its key.
func ReadConfig[C interface {
	MetadataKey() string
	Validate() error
}](f *safetensors.File) (cfg C, err error) {
	key := cfg.MetadataKey()
	text, ok := f.Metadata[key]
	if !ok {
		return cfg, fmt.Errorf("model: %w", WrongKind(f, key))
	}
	if err := strict.JSON([]byte(text), &cfg); err != nil {
		return cfg, fmt.Errorf("model: metadata %q: %w", key, err)
	}
	if err := cfg.Validate(); err != nil {
		return cfg, fmt.Errorf("model: metadata %q: %s", key, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return cfg, nil
}

// ReadWeights reads the tensors of params, whose shapes must agree and whose
// elements must be finite.
func ReadWeights(f *safetensors.File, params []Param) (Weights, error) {
	w := Weights{}
	for _, p := range params {
		info, ok := f.Info(p.Name)
		if !ok {
			return nil, fmt.Errorf("model: tensor %s is missing", p.Name)
		}
		if !slices.Equal(info.Shape, p.Shape) {
			return nil, fmt.Errorf("model: tensor %s has shape %v, want %v", p.Name, info.Shape, p.Shape)
		}
		x, _, err := f.F32(p.Name)
		if err != nil {
			return nil, err
		}
		for i, v := range x {
			if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
				return nil, fmt.Errorf("model: tensor %s: element %d is %g, want a finite number", p.Name, i, v)
			}
		}
		w[p.Name] = p.FromFile(x)
	}
	return w, nil
}

// ReadPrefixed is ReadWeights for tensors whose names in the file have a prefix.
func ReadPrefixed(f *safetensors.File, prefix string, params []Param) (Weights, error) {
	named := slices.Clone(params)
	for i := range named {
		named[i].Name = prefix + named[i].Name
	}
	read, err := ReadWeights(f, named)
	if err != nil {
		return nil, err
	}
	w := Weights{}
	for i, p := range params {
		w[p.Name] = read[named[i].Name]
	}
	return w, nil
}

// PrefixedTensors returns the tensors of params for a file, float32, with a prefix
// before their names.
func PrefixedTensors(prefix string, w Weights, params []Param) []safetensors.Tensor {
	ts := FileTensors(w, params, safetensors.F32)
	for i := range ts {
		ts[i].Name = prefix + ts[i].Name
	}
	return ts
}

// FileTensors returns the tensors of params for a file, in file layout.
func FileTensors(w Weights, params []Param, dtype safetensors.DType) []safetensors.Tensor {
	var ts []safetensors.Tensor
	for _, p := range params {
		ts = append(ts, safetensors.Tensor{Name: p.Name, Shape: p.Shape, DType: dtype, Data: p.ToFile(w[p.Name])})
	}
	return ts
}

// maxHalf is the largest float16.
const maxHalf = 65504

// HalfTensors returns the tensors of params for a file as float16, or float32 where
// an element does not fit.
func HalfTensors(w Weights, params []Param) []safetensors.Tensor {
	ts := FileTensors(w, params, safetensors.F16)
	for i, t := range ts {
		for _, v := range t.Data.([]float32) {
			if v > maxHalf || v < -maxHalf {
				ts[i].DType = safetensors.F32
			}
		}
	}
	return ts
}

// Fingerprint identifies the model file: the first bytes of its SHA-256. It is
// zero for a model that was not read from a file.
func (m *Model) Fingerprint() [8]byte { return m.fingerprint }

// DefaultSpeaker returns the id of the first speaker row.
func (m *Model) DefaultSpeaker() string { return m.Config.Speakers[0] }

// SpeakerIndex returns the decoder row of a speaker id. The error of an unknown
// id lists the known ones.
func (m *Model) SpeakerIndex(id string) (int, error) {
	for i, s := range m.Config.Speakers {
		if s == id {
			return i, nil
		}
	}
	return 0, fmt.Errorf("unknown speaker %q: the model knows %s", id, strings.Join(m.Config.Speakers, ", "))
}
