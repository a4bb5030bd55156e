package train

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"

	"vqspeech/internal/safetensors"
	"vqspeech/model"
	"vqspeech/vocoder/wavenet"
)

// state is everything that a run needs to go on as if it had not stopped. Its
// file is also a vocoder file, of the averaged weights so far.
type state struct {
	voice   wavenet.Voice
	train   json.RawMessage
	step    int
	weights model.Weights
	m, v    model.Weights // Adam's moments
	average Average
}

// Keys of a checkpoint's metadata.
const (
	trainKey = "vqspeech.train"
	stepKey  = "vqspeech.step"
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
	add("", s.average.Weights, s.voice.Network.Params())
	add("trained.", s.weights, s.voice.Network.Params())
	add("adam.m.", s.m, s.voice.Network.Trained())
	add("adam.v.", s.v, s.voice.Network.Trained())
	voice, err := json.Marshal(s.voice)
	if err != nil {
		return err
	}
	return safetensors.Save(path, map[string]string{
		wavenet.VoiceKey: string(voice), trainKey: string(s.train), stepKey: strconv.Itoa(s.step),
	}, tensors)
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
	s := new(state)
	if s.voice, err = wavenet.ReadVoice(f); err != nil {
		return nil, err
	}
	train, ok := f.Metadata[trainKey]
	if !ok {
		return nil, fmt.Errorf("wavenet: a vocoder without training state: metadata has no %q", trainKey)
	}
	s.train = json.RawMessage(train)
	if s.step, err = strconv.Atoi(f.Metadata[stepKey]); err != nil || s.step < 0 {
		return nil, fmt.Errorf("wavenet: metadata %q is %q, want a number of steps", stepKey, f.Metadata[stepKey])
	}
	s.average.Updates = s.step
	for _, part := range []struct {
		w      *model.Weights
		prefix string
		params []model.Param
	}{
		{&s.average.Weights, "", s.voice.Network.Params()}, {&s.weights, "trained.", s.voice.Network.Params()},
		{&s.m, "adam.m.", s.voice.Network.Trained()}, {&s.v, "adam.v.", s.voice.Network.Trained()},
	} {
		if *part.w, err = model.ReadPrefixed(f, part.prefix, part.params); err != nil {
			return nil, err
		}
	}
	return s, nil
}
