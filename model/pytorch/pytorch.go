// Package pytorch reads speech models from the checkpoints of the published
// PyTorch code: SQ-VAE I, III and IV of sony/sqvae (speech), and the same
// encoder and mel decoder with the codebook of bshall/ZeroSpeech (VQ-VAE EMA).
//
// A checkpoint, model.ckpt-N.pt, is a dictionary with the state_dict of
// "encoder" and of "decoder" and the "step"; what else it has (optimiser, loss
// scale, schedule) is not read. Nothing in the file is executed (see
// internal/torchfile).
//
// # Names
//
// The layers of the encoder have their place in an nn.Sequential for a name:
//
//	encoder.0, 3, 6, 9, 12     convolutions without bias
//	encoder.1, 4, 7, 10, 13    batch normalisations
//	encoder.15                 the last convolution
//	log_var_q_scalar           SQ-VAE: the shared log variance
//	codebook.embedding         [K, D]
//	codebook.ema_count         VQ-VAE EMA: how often codes were used, not read
//
// and the decoder has speaker_embedding, rnn and fc. Sizes and the quantiser
// follow from the shapes. The constants of the features are not in the file:
// they are taken to be the published ones.
package pytorch

import (
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"

	"vqspeech/features"
	"vqspeech/internal/strict"
	"vqspeech/internal/torchfile"
	"vqspeech/model"
)

// Checkpoint is a model as a checkpoint has it.
type Checkpoint struct {
	Config  model.Config // speakers "0", "1", ... by row, for want of their ids
	Weights model.Weights
	Step    int // optimiser steps done
}

// Load reads a checkpoint. Errors name the file.
func Load(path string) (*Checkpoint, error) {
	if _, err := strict.Stat(path); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	c, err := Read(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// Read reads a checkpoint of size bytes. Every tensor of the two networks must
// be known and have the shape that the others ask for; elements must be finite.
func Read(r io.ReaderAt, size int64) (*Checkpoint, error) {
	root, err := torchfile.Read(r, size)
	if err != nil {
		return nil, err
	}
	top, ok := root.(*torchfile.Dict)
	if !ok {
		return nil, errorf("the file holds no dictionary, want one with encoder and decoder")
	}
	encoder, err := stateOf(top, "encoder")
	if err != nil {
		return nil, err
	}
	decoder, err := stateOf(top, "decoder")
	if err != nil {
		return nil, err
	}
	step, _ := top.Get("step")
	c := &Checkpoint{Weights: model.Weights{}}
	if n, ok := step.(int64); ok && n >= 0 && n <= math.MaxInt32 {
		c.Step = int(n)
	} else {
		return nil, errorf("step is missing or no number of steps")
	}
	if c.Config, err = configOf(encoder, decoder); err != nil {
		return nil, err
	}
	for _, p := range append(c.Config.Params(), c.Config.Buffers()...) {
		x, err := read(p, encoder, decoder)
		if err != nil {
			return nil, err
		}
		c.Weights[p.Name] = p.FromFile(x)
	}
	if err := encoder.rest(); err != nil {
		return nil, err
	}
	if err := decoder.rest(); err != nil {
		return nil, err
	}
	_, err = model.New(c.Config, c.Weights)
	return c, err
}

func errorf(format string, args ...any) error { return fmt.Errorf("checkpoint: "+format, args...) }

// configOf infers the configuration from the shapes. Those of which it needs
// one axis are checked as a whole when they are read.
func configOf(encoder, decoder *state) (model.Config, error) {
	cfg := model.DefaultConfig()
	cfg.Features = features.Default(features.Reference)
	if decoder.has("rnn1.weight_ih_l0") {
		return cfg, errorf("decoder is the waveform network of bshall/ZeroSpeech (it has rnn1), want the mel decoder of sony/sqvae (rnn and fc)")
	}
	var conv, out, codebook, speakers, hidden []int
	for _, part := range []struct {
		shape *[]int
		from  *state
		key   string
		rank  int
	}{
		{&conv, encoder, "encoder.0.weight", 3},
		{&out, encoder, "encoder.15.weight", 3},
		{&codebook, encoder, "codebook.embedding", 2},
		{&speakers, decoder, "speaker_embedding.weight", 2},
		{&hidden, decoder, "rnn.weight_hh_l0", 2},
	} {
		t, err := part.from.tensor(part.key)
		if err != nil {
			return cfg, err
		}
		if len(t.Shape) != part.rank {
			return cfg, errorf("%s.%s has shape %v, want %d axes", part.from.name, part.key, t.Shape, part.rank)
		}
		*part.shape = t.Shape
	}
	cfg.Features.NMels = conv[1]
	cfg.Net = model.NetConfig{Channels: conv[0], SpeakerDim: speakers[1], DecoderHidden: hidden[1]}
	cfg.Quantizer.CodebookSize, cfg.Quantizer.CodebookDim = codebook[0], codebook[1]
	kind, err := kindOf(encoder, out[0], codebook[1])
	if err != nil {
		return cfg, err
	}
	cfg.Quantizer.Kind = kind
	if err := cfg.Validate(); err != nil {
		return cfg, errorf("%s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	const most = 1 << 16
	if speakers[0] < 1 || speakers[0] > most {
		return cfg, errorf("decoder.speaker_embedding.weight has %d rows, want 1 to %d", speakers[0], most)
	}
	for i := range speakers[0] {
		cfg.Speakers = append(cfg.Speakers, fmt.Sprint(i))
	}
	return cfg, nil
}

// kindOf tells the quantiser by its parameters and by the out channels of the
// encoder beside the dim of a code.
func kindOf(encoder *state, out, dim int) (model.QuantizerKind, error) {
	switch gaussian, ema := encoder.has("log_var_q_scalar"), encoder.has("codebook.ema_count"); {
	case gaussian && ema:
		return "", errorf("encoder has log_var_q_scalar (SQ-VAE) and codebook.ema_count (VQ-VAE EMA), want one of them")
	case !gaussian && !ema:
		return "", errorf("encoder has neither log_var_q_scalar (SQ-VAE) nor codebook.ema_count (VQ-VAE EMA)")
	case ema && out == dim:
		return model.VQEMA, nil
	case gaussian && out == dim:
		return model.Gaussian1, nil
	case gaussian && out == 2*dim: // with one dimension III and IV are the same
		return model.Gaussian4, nil
	case gaussian && out == dim+1:
		return model.Gaussian3, nil
	case ema:
		return "", errorf("encoder.encoder.15.weight has %d channels, want %d as codebook.embedding", out, dim)
	}
	return "", errorf("encoder.encoder.15.weight has %d channels, want %d (SQ-VAE I), %d (III) or %d (IV) for codes of %d dimensions",
		out, dim, dim+1, 2*dim, dim)
}

// read returns the tensor of the checkpoint for p, in file layout.
func read(p model.Param, encoder, decoder *state) ([]float32, error) {
	from, key := published(p.Name, encoder, decoder)
	t, err := from.tensor(key)
	if err != nil {
		return nil, err
	}
	what := from.name + "." + key
	if !slices.Equal(t.Shape, p.Shape) {
		return nil, errorf("%s has shape %v, want %v", what, t.Shape, p.Shape)
	}
	x, err := t.Float32s()
	if err != nil {
		return nil, errorf("%s: %w", what, err)
	}
	for i, v := range x {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, errorf("%s: element %d is %g, want a finite number", what, i, v)
		}
	}
	from.used[key] = true
	return x, nil
}

// published returns where the published code keeps a tensor of model.Param's
// name.
func published(name string, encoder, decoder *state) (from *state, key string) {
	switch part, rest, _ := strings.Cut(name, "."); part {
	case "quantizer":
		return encoder, map[string]string{"codebook": "codebook.embedding", "log_var_scalar": "log_var_q_scalar"}[rest]
	case "decoder":
		if weight, ok := strings.CutPrefix(rest, "speaker."); ok {
			return decoder, "speaker_embedding." + weight
		}
		return decoder, rest
	default: // encoder.conv1.weight, encoder.bn1.bias, encoder.out.weight
		layer, weight, _ := strings.Cut(rest, ".")
		var i int
		if _, err := fmt.Sscanf(layer, "conv%d", &i); err == nil {
			return encoder, fmt.Sprintf("encoder.%d.%s", 3*(i-1), weight)
		}
		if _, err := fmt.Sscanf(layer, "bn%d", &i); err == nil {
			return encoder, fmt.Sprintf("encoder.%d.%s", 3*(i-1)+1, weight)
		}
		return encoder, "encoder.15." + weight
	}
}
