package train

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"vqspeech/internal/atomicfile"
	"vqspeech/internal/safetensors"
	"vqspeech/model"
	"vqspeech/vocoder/wavenet"
)

// state is everything that a run needs to go on as if it had not stopped.
type state struct {
	network wavenet.Config
	train   json.RawMessage
	step    int
	weights model.Weights
	m, v    model.Weights // Adam's moments
	average Average
}

// Keys of a checkpoint's metadata.
const (
	networkKey = "vqspeech.wavenet"
	trainKey   = "vqspeech.train"
	stepKey    = "vqspeech.step"
)

// save writes s atomically.
func (s *state) save(path string) error {
	var tensors []safetensors.Tensor
	add := func(prefix string, w model.Weights, params []model.Param) {
		for _, t := range model.FileTensors(w, params, safetensors.F32) {
			t.Name = prefix + t.Name
			tensors = append(tensors, t)
		}
	}
	add("", s.weights, s.network.Params())
	add("average.", s.average.Weights, s.network.Params())
	add("adam.m.", s.m, s.network.Trained())
	add("adam.v.", s.v, s.network.Trained())
	cfg, err := json.Marshal(s.network)
	if err != nil {
		return err
	}
	f, err := atomicfile.Create(path)
	if err != nil {
		return err
	}
	defer f.Abort()
	meta := map[string]string{networkKey: string(cfg), trainKey: string(s.train), stepKey: strconv.Itoa(s.step)}
	if err := safetensors.Write(f, meta, tensors); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return f.Commit()
}

// load reads what save wrote.
func load(path string) (*state, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	s, err := readState(file, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

func readState(r io.ReaderAt, size int64) (*state, error) {
	f, err := safetensors.Read(r, size)
	if err != nil {
		return nil, err
	}
	text, ok := f.Metadata[networkKey]
	if !ok {
		return nil, fmt.Errorf("wavenet: not a checkpoint of a vocoder: metadata has no %q", networkKey)
	}
	s := &state{train: json.RawMessage(f.Metadata[trainKey])}
	if err := json.Unmarshal([]byte(text), &s.network); err != nil {
		return nil, fmt.Errorf("wavenet: metadata %q: %w", networkKey, err)
	}
	if err := s.network.Validate(); err != nil {
		return nil, fmt.Errorf("wavenet: metadata %q: %s", networkKey, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	if s.step, err = strconv.Atoi(f.Metadata[stepKey]); err != nil || s.step < 0 {
		return nil, fmt.Errorf("wavenet: metadata %q is %q, want a number of steps", stepKey, f.Metadata[stepKey])
	}
	s.average.Updates = s.step
	for _, part := range []struct {
		w      *model.Weights
		prefix string
		params []model.Param
	}{
		{&s.weights, "", s.network.Params()}, {&s.average.Weights, "average.", s.network.Params()},
		{&s.m, "adam.m.", s.network.Trained()}, {&s.v, "adam.v.", s.network.Trained()},
	} {
		named := slices.Clone(part.params)
		for i := range named {
			named[i].Name = part.prefix + named[i].Name
		}
		w, err := model.ReadWeights(f, named)
		if err != nil {
			return nil, err
		}
		*part.w = model.Weights{}
		for i, p := range part.params {
			(*part.w)[p.Name] = w[named[i].Name]
		}
	}
	return s, nil
}
