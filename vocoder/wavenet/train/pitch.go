package train

import (
	"context"
	"fmt"

	G "gorgonia.org/gorgonia"

	"vqspeech/internal/graph"
	"vqspeech/internal/training"
	"vqspeech/model"
	"vqspeech/model/train"
	"vqspeech/vocoder/wavenet"
)

// The pitch of features is learned before the network, in seconds.
const (
	pitchBatch = 16
	pitchCrop  = 96 // frames
)

// trainPitch learns, from the latents of a set, the pitch that follows the
// features of a frame, by the mean square error of wavenet.Pitch. It writes the
// tensors of PitchParams in w.
func trainPitch(ctx context.Context, cfg wavenet.Config, w model.Weights, set []Utterance, steps int, seed uint64) error {
	m := cfg.Features.NMels
	var us []Utterance
	for _, u := range set {
		if u.frames(cfg) >= pitchCrop {
			us = append(us, u)
		}
	}
	if len(us) == 0 {
		return fmt.Errorf("wavenet: none of %d training utterances has %d frames", len(set), pitchCrop)
	}
	g := G.NewGraph()
	mel, target := make([]float32, pitchBatch*pitchCrop*m), make([]float32, pitchBatch*pitchCrop*wavenet.PitchDims)
	speaker := make([]int32, pitchBatch)
	param := map[string]*G.Node{}
	var params G.Nodes
	for _, p := range cfg.PitchParams() {
		param[p.Name] = graph.Input(g, p.Name, w[p.Name], p.MemoryShape()...)
		params = append(params, param[p.Name])
	}
	convs := wavenet.PitchConvs(m)
	x := graph.Input(g, "features", mel, pitchBatch, pitchCrop, m)
	x = graph.ReLU(graph.Conv1D(x, param["pitch.conv1.weight"], param["pitch.conv1.bias"], convs[0]))
	x = graph.Concat(x, graph.Embedding(param["pitch.speaker.weight"], graph.Input(g, "speaker", speaker, pitchBatch)))
	x = graph.ReLU(graph.Conv1D(x, param["pitch.conv2.weight"], param["pitch.conv2.bias"], convs[1]))
	x = graph.Linear(x, param["pitch.out.weight"], param["pitch.out.bias"])
	loss := graph.MSE(x, graph.Input(g, "pitch", target, pitchBatch, pitchCrop, wavenet.PitchDims))
	machine, _, err := graph.Compile(loss, params)
	if err != nil {
		return err
	}
	defer machine.Close()
	adam := &train.Adam{LearningRate: 2e-3, ClipNorm: 1, Gamma: 0.3, Milestones: []int{steps / 2, steps * 3 / 4}}
	for step := range steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		rng := training.Random(seed, streamPitch, step)
		for i := range pitchBatch {
			u := us[rng.IntN(len(us))]
			first := rng.IntN(u.frames(cfg) - pitchCrop + 1)
			speaker[i] = int32(u.Speaker)
			for t := range pitchCrop {
				row, at := u.Latents[(first+t)*cfg.Dim:(first+t+1)*cfg.Dim], i*pitchCrop+t
				copy(mel[at*m:(at+1)*m], row)
				copy(target[at*wavenet.PitchDims:(at+1)*wavenet.PitchDims], row[m:])
			}
		}
		if err := machine.Step(adam); err != nil {
			return fmt.Errorf("wavenet: pitch: step %d: %w", step, err)
		}
	}
	return nil
}
