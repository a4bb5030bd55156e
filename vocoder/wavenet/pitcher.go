package wavenet

import (
	"math"

	"vqspeech/internal/simd"
	"vqspeech/model"
)

// Sizes of the network that estimates the pitch of features: two convolutions
// over 9 frames in all, the speaker between them, and a linear map.
const (
	PitchChannels   = 64
	PitchSpeakerDim = 16
	pitchKernel     = 5
)

// PitchConvs returns its convolutions over frames of m features.
func PitchConvs(m int) [2]simd.Conv1D {
	c := simd.Conv1D{In: m, Out: PitchChannels, Kernel: pitchKernel, Stride: 1, Dilation: 1, PadLeft: pitchKernel / 2, PadRight: pitchKernel / 2}
	second := c
	second.In = PitchChannels + PitchSpeakerDim
	return [2]simd.Conv1D{c, second}
}

// PitchParams lists its tensors.
func (c Config) PitchParams() []model.Param {
	m, h := c.Features.NMels, PitchChannels
	return []model.Param{
		model.ConvParam("pitch.conv1.weight", h, m, pitchKernel), model.BiasParam("pitch.conv1.bias", h, m*pitchKernel),
		model.EmbeddingParam("pitch.speaker.weight", c.Speakers, PitchSpeakerDim),
		model.ConvParam("pitch.conv2.weight", h, h+PitchSpeakerDim, pitchKernel), model.BiasParam("pitch.conv2.bias", h, (h+PitchSpeakerDim)*pitchKernel),
		model.LinearParam("pitch.out.weight", PitchDims, h), model.BiasParam("pitch.out.bias", PitchDims, h),
	}
}

// pitcher estimates the pitch of one utterance's features as they come. Units
// and the features that a decoder makes of them tell the pitch only roughly, and
// a network that has to find the period sample by sample takes far longer to
// learn than one that is told.
type pitcher struct {
	mels    int
	first   stage
	second  stage
	out     []float32 // [H, 2]
	bias    []float32 // [2]
	speaker []float32 // [PitchSpeakerDim]

	mel    []float32 // frames whose pitch is not known yet
	hidden []float32
	joined []float32
	top    []float32
	result []float32
}

func newPitcher(cfg Config, w model.Weights, speaker int) *pitcher {
	convs := PitchConvs(cfg.Features.NMels)
	return &pitcher{
		mels:   cfg.Features.NMels,
		first:  stage{geometry: convs[0], weight: w["pitch.conv1.weight"], bias: w["pitch.conv1.bias"], relu: true},
		second: stage{geometry: convs[1], weight: w["pitch.conv2.weight"], bias: w["pitch.conv2.bias"], relu: true},
		out:    w["pitch.out.weight"], bias: w["pitch.out.bias"],
		speaker: w["pitch.speaker.weight"][speaker*PitchSpeakerDim : (speaker+1)*PitchSpeakerDim],
	}
}

// push takes features [n, M] and returns latents [k, M+2]: the features of the
// frames whose pitch is known by now, and that pitch; with end, of all that are
// left. The result is valid until the next call.
func (p *pitcher) push(mel []float32, end bool) []float32 {
	p.mel = append(p.mel, mel...)
	p.hidden = p.first.push(p.hidden[:0], mel, end)
	p.joined = p.joined[:0]
	for i := 0; i < len(p.hidden); i += PitchChannels {
		p.joined = append(append(p.joined, p.hidden[i:i+PitchChannels]...), p.speaker...)
	}
	p.top = p.second.push(p.top[:0], p.joined, end)
	n := len(p.top) / PitchChannels
	p.result = p.result[:0]
	for i := range n {
		y := [PitchDims]float64{float64(p.bias[0]), float64(p.bias[1])}
		for j, v := range p.top[i*PitchChannels : (i+1)*PitchChannels] {
			for k := range y {
				y[k] += float64(float64(v) * float64(p.out[j*PitchDims+k]))
			}
		}
		p.result = append(append(p.result, p.mel[i*p.mels:(i+1)*p.mels]...), pitchOf(y)...)
	}
	p.mel = p.mel[:copy(p.mel, p.mel[n*p.mels:])]
	return p.result
}

// pitchOf turns the network's output, the probability of voicing and the height
// times that, into a Pitch.
func pitchOf(y [PitchDims]float64) []float32 {
	if y[0] <= 0.5 {
		return []float32{0, 0}
	}
	return []float32{1, float32(math.Max(math.Min(y[1]/y[0], 2), -2))}
}
