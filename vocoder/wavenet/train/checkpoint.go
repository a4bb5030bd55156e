package train

import (
	"encoding/json"

	"vqspeech/internal/safetensors"
	"vqspeech/model"
	"vqspeech/model/checkpoint"
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

const trainedPrefix = "trained." // of the names of the weights that are not averaged

// save writes s atomically.
func (s *state) save(path string) error {
	network := s.voice.Network
	averaged := s.average.Weights
	if averaged == nil { // before the first step
		averaged = s.weights
	}
	tensors := model.FileTensors(averaged, network.Params(), safetensors.F32)
	tensors = append(tensors, model.PrefixedTensors(trainedPrefix, s.weights, network.Params())...)
	tensors = append(tensors, checkpoint.Moments(s.m, s.v, network.Trained())...)
	voice, err := json.Marshal(s.voice)
	if err != nil {
		return err
	}
	meta := checkpoint.Metadata(s.step, map[string]string{wavenet.VoiceKey: string(voice), checkpoint.TrainKey: string(s.train)})
	return safetensors.Save(path, meta, tensors)
}

// readState reads what save wrote.
func readState(f *safetensors.File) (s *state, err error) {
	s = new(state)
	if s.voice, err = wavenet.ReadVoice(f); err != nil {
		return nil, err
	}
	if s.train, s.step, err = checkpoint.ReadProgress(f); err != nil {
		return nil, err
	}
	s.average.Updates = s.step
	network := s.voice.Network
	if s.average.Weights, err = model.ReadWeights(f, network.Params()); err != nil {
		return nil, err
	}
	if s.weights, err = model.ReadPrefixed(f, trainedPrefix, network.Params()); err != nil {
		return nil, err
	}
	s.m, s.v, err = checkpoint.ReadMoments(f, network.Trained())
	return s, err
}
