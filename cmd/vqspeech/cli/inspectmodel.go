package cli

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"vqspeech/internal/safetensors"
	"vqspeech/model"
	"vqspeech/model/checkpoint"
	"vqspeech/model/image"
	"vqspeech/model/image/prior"
	"vqspeech/model/unitprior"
	"vqspeech/vocoder/wavenet"
)

// modelReport is the JSON object of inspect for a file of tensors.
type modelReport struct {
	File        string   `json:"file"`
	Kind        string   `json:"kind"`
	Fingerprint string   `json:"fingerprint"`
	Config      any      `json:"config"`
	CodeRate    float64  `json:"code_rate_hz,omitempty"`
	Bitrate     float64  `json:"nominal_bitrate_bps,omitempty"`
	ImageBits   float64  `json:"image_bits,omitempty"`
	Tensors     int      `json:"tensors"`
	Parameters  int      `json:"parameters"`
	Bytes       int64    `json:"bytes"`
	Step        *int     `json:"step,omitempty"`
	Best        *float64 `json:"best,omitempty"`

	rows []string // what only this kind has, for people: pairs of a name and a value
}

// inspectModel goes by the metadata, in which every kind has a key of its own.
func inspectModel(w io.Writer, file string, in io.ReaderAt, size int64, asJSON bool) error {
	f, err := safetensors.Read(in, size)
	if err != nil {
		return err
	}
	r := &modelReport{File: file, Tensors: len(f.Tensors), Bytes: size}
	has := func(key string) bool { _, ok := f.Metadata[key]; return ok }
	switch {
	case has(model.ConfigKey):
		err = r.speechModel(f)
	case has(image.ConfigKey):
		err = r.imageModel(f)
	case has(prior.ConfigKey):
		err = r.prior(f)
	case has(unitprior.ConfigKey):
		err = r.unitPrior(f)
	case has(wavenet.VoiceKey):
		err = r.vocoder(f)
	default:
		err = errors.New("tensors of another program, want a model, a vocoder or a prior of vqspeech")
	}
	if err != nil {
		return err
	}
	sum, err := f.SHA256()
	if err != nil {
		return err
	}
	r.Fingerprint = fmt.Sprintf("%x", sum[:8])
	if asJSON {
		return writeJSON(w, r)
	}
	rows := append([]string{"kind", r.Kind, "fingerprint", r.Fingerprint}, r.rows...)
	rows = append(rows, "size", fmt.Sprintf("%d parameters, %d tensors, %d bytes", r.Parameters, r.Tensors, r.Bytes))
	if r.Step != nil {
		rows = append(rows, "step", fmt.Sprint(*r.Step))
	}
	if r.Best != nil {
		rows = append(rows, "best", fmt.Sprintf("%g", *r.Best))
	}
	return table(w, rows...)
}

// is sets the kind and what follows from the trained tensors.
func (r *modelReport) is(kind string, params []model.Param) {
	r.Kind = kind
	for _, p := range params {
		r.Parameters += p.Size()
	}
}

// progress makes a checkpoint of the kind: one of a model is just that.
func (r *modelReport) progress(step int, best float64) {
	of := strings.TrimSpace(strings.TrimSuffix(r.Kind, "model"))
	r.Kind, r.Step = strings.TrimSpace(of+" checkpoint"), &step
	if !math.IsInf(best, 0) {
		r.Best = &best
	}
}

// readTensors reads the configuration and the tensors of a file, which may be a
// checkpoint.
func readTensors[C checkpoint.Config](r *modelReport, kind string, f *safetensors.File) (cfg C, w model.Weights, err error) {
	if cfg, err = model.ReadConfig[C](f); err != nil {
		return cfg, nil, err
	}
	r.Config = cfg
	r.is(kind, cfg.Params())
	if _, ok := f.Metadata[checkpoint.TrainKey]; !ok {
		w, err = model.ReadWeights(f, append(cfg.Params(), cfg.Buffers()...))
		return cfg, w, err
	}
	s, err := checkpoint.Read[C](f)
	if err != nil {
		return cfg, nil, err
	}
	r.progress(s.Step, s.Best)
	return cfg, s.Weights, nil
}

func (r *modelReport) speechModel(f *safetensors.File) error {
	c, w, err := readTensors[model.Config](r, "model", f)
	if err != nil {
		return err
	}
	r.CodeRate, r.Bitrate = c.CodeRate(), c.CodeRate()*math.Log2(float64(c.Quantizer.CodebookSize))
	r.rows = []string{
		"features", fmt.Sprintf("%s front end, %d bands, %d Hz, hop %d samples", c.Features.FrontEnd, c.Features.NMels, c.Features.SampleRate, c.Features.HopLength),
		"network", fmt.Sprintf("%d channels, decoder width %d", c.Net.Channels, c.Net.DecoderHidden),
		"quantizer", fmt.Sprintf("%s, %d codes of %d dimensions", c.Quantizer.Kind, c.Quantizer.CodebookSize, c.Quantizer.CodebookDim),
		"bit rate", fmt.Sprintf("%.1f bit/s nominal, %g units/s", r.Bitrate, r.CodeRate),
		"speakers", fmt.Sprintf("%d: %s", len(c.Speakers), strings.Join(c.Speakers, ", ")),
	}
	_, err = model.New(c, w)
	return err
}

func (r *modelReport) imageModel(f *safetensors.File) error {
	c, w, err := readTensors[image.Config](r, "image model", f)
	if err != nil {
		return err
	}
	r.ImageBits = c.CodeBits()
	what := "channels"
	if c.Labels() {
		what = "classes"
	}
	decoder := string(c.Decoder.Kind)
	if c.Decoder.OrderedClasses {
		decoder += ", classes in order"
	}
	quantizer := fmt.Sprintf("%s, latents of %d dimensions", c.Quantizer.Kind, c.Dim())
	if c.Codes() {
		quantizer = fmt.Sprintf("%s, %d codes of %d dimensions", c.Quantizer.Kind, c.Quantizer.CodebookSize, c.Dim())
	}
	r.rows = []string{
		"images", fmt.Sprintf("%d×%d, %d %s", c.Side(), c.Side(), c.Net.Channels, what),
		"network", fmt.Sprintf("kind %s, %d residual blocks", c.Net.Kind, c.Net.ResBlocks),
		"quantizer", quantizer,
		"latents", fmt.Sprintf("%d×%d", c.Grid(), c.Grid()),
		"decoder", decoder,
	}
	if c.Codes() {
		r.rows = append(r.rows, "bits", fmt.Sprintf("%g an image", r.ImageBits))
	}
	_, err = image.New(c, w)
	return err
}

func (r *modelReport) prior(f *safetensors.File) error {
	c, w, err := readTensors[prior.Config](r, "prior", f)
	if err != nil {
		return err
	}
	classes := "none"
	if c.Net.Classes > 0 {
		classes = fmt.Sprint(c.Net.Classes)
	}
	r.rows = []string{
		"network", fmt.Sprintf("PixelCNN, %d channels, %d layers, head of %d", c.Net.Channels, c.Net.Layers, c.Net.Head),
		"codes", fmt.Sprintf("%d×%d of %d", c.Height, c.Width, c.CodebookSize),
		"classes", classes,
		"model", c.ImageModel,
	}
	_, err = prior.New(c, w)
	return err
}

func (r *modelReport) unitPrior(f *safetensors.File) error {
	c, w, err := readTensors[unitprior.Config](r, "unit prior", f)
	if err != nil {
		return err
	}
	r.rows = []string{
		"network", fmt.Sprintf("recurrent, %d units, embeddings of %d", c.Net.Hidden, c.Net.Embedding),
		"codes", fmt.Sprint(c.CodebookSize),
		"model", c.Model,
	}
	_, err = unitprior.New(c, w)
	return err
}

func (r *modelReport) vocoder(f *safetensors.File) error {
	v, err := wavenet.ReadVoice(f)
	if err != nil {
		return err
	}
	n := v.Network
	r.Config = v
	r.is("vocoder", n.Params())
	if _, ok := f.Metadata[checkpoint.TrainKey]; ok {
		_, step, err := checkpoint.ReadProgress(f)
		if err != nil {
			return err
		}
		r.progress(step, math.Inf(1))
	}
	network := fmt.Sprintf("WaveNet, %d layers, %d channels, %d samples back", n.Layers(), n.Residual, n.ReceptiveField())
	if n.GRU > 0 {
		network = fmt.Sprintf("WaveRNN, %d units", n.GRU)
	}
	input := fmt.Sprintf("units, vectors of %d, %d samples each", n.Dim, n.Upsampling)
	if n.Prediction {
		input = fmt.Sprintf("features, %s front end, %d bands, hop %d samples", n.Features.FrontEnd, n.Features.NMels, n.Features.HopLength)
	}
	r.rows = []string{
		"network", network,
		"input", input,
		"model", v.Model,
		"speakers", fmt.Sprintf("%d: %s", len(v.Speakers), strings.Join(v.Speakers, ", ")),
		"temperature", fmt.Sprintf("%g, voiced %g", v.Temperature, v.Voiced),
	}
	w, err := model.ReadWeights(f, n.Params())
	if err != nil {
		return err
	}
	_, err = wavenet.New(n, w)
	return err
}
