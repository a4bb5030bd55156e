package metric

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"vqspeech/audio"
	"vqspeech/audio/resample"
	"vqspeech/features"
	"vqspeech/internal/simd"
)

// SpeakerConvention names how a [SpeakerClassifier] judges. Figures of another
// classifier, or of one that learned from other recordings, do not compare.
//
// Every speaker is a mixture of 32 Gaussians with diagonal covariances over
// the frames (10 ms) of his recordings that are loud enough: 19 cepstral
// coefficients, without c_0, of the mel bands below 5.5 kHz, and log2 F0, which
// unvoiced frames have not. A recording is taken for the speaker that makes its
// frames most likely.
const SpeakerConvention = "gmm32-mfcc19-f0"

// What makes a Voice. In a corpus where each speaker has a microphone and a room
// of his own, a classifier could learn those. So only loud frames count, what a
// frame has far below its own strongest band does not, and neither does the
// range of breath and hiss. Chosen on every fifth training utterance of
// LibriSpeech: they were the best of those tried for recordings with noise at
// 20 dB, through a filter, after Griffin-Lim and from units.
const (
	voiceOrder   = 19
	voiceBands   = 70 // of 80, up to 5.5 kHz
	voiceRangeDB = 30 // of a frame that counts
	voiceGateDB  = 18 // under the loud frames; frames below do not count
	voiceLoud    = 0.95
	voiceDim     = voiceOrder + 1 // the last is log2 F0

	// minVoiceFrames is how much of a recording must be left.
	minVoiceFrames = 10
)

// A Voice is what speakers are told apart by.
type Voice struct {
	frames []voiceFrame
}

// A voiceFrame is c_1..c_19 (dB) and log2 F0 (Hz), NaN where unvoiced.
type voiceFrame [voiceDim]float64

func (f *voiceFrame) voiced() bool { return !math.IsNaN(f[voiceOrder]) }

// NewVoice returns what a recording, samples [S], tells about its speaker. It
// fails if the recording is empty, silent, holds a sample that is not finite or
// has less than 0.1 s of speech.
func NewVoice(samples []float32, rate int) (Voice, error) {
	f0, err := TrackF0(samples, rate, DefaultF0())
	if err != nil {
		return Voice{}, err
	}
	if silent(samples) {
		return Voice{}, errors.New("metric: recording is digital silence")
	}
	cfg := features.Default(features.Stream) // of which LogMelDB takes no level
	if rate != cfg.SampleRate {
		if samples, err = resample.Resample(samples, rate, cfg.SampleRate); err != nil {
			return Voice{}, err
		}
	}
	db, err := features.LogMelDB(&audio.Clip{Samples: samples, SampleRate: cfg.SampleRate}, cfg)
	if err != nil {
		return Voice{}, err
	}
	frames := voiceFrames(db, cfg.NMels, f0)
	if len(frames) < minVoiceFrames {
		return Voice{}, fmt.Errorf("metric: %d frames of speech, want at least %d to know a speaker by", len(frames), minVoiceFrames)
	}
	return Voice{frames}, nil
}

// voiceFrames returns the frames that count of log-mel levels db [T, M] (dB) and
// pitches f0 [T] (Hz, 0 where unvoiced).
func voiceFrames(db []float32, bands int, f0 []float32) []voiceFrame {
	loudness := make([]float32, len(db)/bands) // of the strongest band of a frame
	for t := range loudness {
		loudness[t] = slices.Max(db[t*bands:][:voiceBands])
	}
	sorted := slices.Sorted(slices.Values(loudness))
	// Not the loudest frame, lest a click silence all others.
	gate := sorted[int(voiceLoud*float64(len(sorted)-1))] - voiceGateDB

	basis := cosineBasis(voiceBands, voiceOrder)
	var frames []voiceFrame
	for t, top := range loudness {
		if top < gate {
			continue
		}
		f := voiceFrame{voiceOrder: math.NaN()}
		for n, v := range db[t*bands:][:voiceBands] {
			l := float64(max(v, top-voiceRangeDB))
			for m, w := range basis[n*voiceOrder:][:voiceOrder] {
				f[m] += float64(w * l)
			}
		}
		if f0[t] > 0 {
			f[voiceOrder] = math.Log2(float64(f0[t]))
		}
		frames = append(frames, f)
	}
	return frames
}

const (
	mixtureSize   = 32
	mixtureRounds = 12
	// mixtureFloor is the least variance of a Gaussian, relative to that of all
	// frames of the speaker: a Gaussian must not shrink to a few frames.
	mixtureFloor = 0.05
	// minMixtureFrames is how many frames a Gaussian needs to move.
	minMixtureFrames = 5
	// minTrainingFrames is how much a classifier needs of a speaker, 3 s; the
	// voiced of them are at least a tenth.
	minTrainingFrames = 300
)

// A SpeakerClassifier knows some speakers by their voices ([SpeakerConvention]).
// Its methods may be called from several goroutines.
type SpeakerClassifier struct {
	speakers []string
	mixtures []*mixture
}

// TrainSpeakers learns speakers from their recordings. The same voices in the
// same order make the same classifier. It fails if there are fewer than two
// speakers, or if one of them has less than 3 s of speech or hardly any that is
// voiced.
func TrainSpeakers(voices map[string][]Voice) (*SpeakerClassifier, error) {
	c := &SpeakerClassifier{}
	for id := range voices {
		c.speakers = append(c.speakers, id)
	}
	slices.Sort(c.speakers)
	if len(c.speakers) < 2 {
		return nil, fmt.Errorf("metric: %d speakers, want at least 2 to tell apart", len(c.speakers))
	}
	frames := make([][]voiceFrame, len(c.speakers))
	var few []string
	for i, id := range c.speakers {
		withPitch := 0
		for _, v := range voices[id] {
			frames[i] = append(frames[i], v.frames...)
		}
		for t := range frames[i] {
			if frames[i][t].voiced() {
				withPitch++
			}
		}
		if n := len(frames[i]); n < minTrainingFrames || withPitch < minTrainingFrames/10 {
			few = append(few, fmt.Sprintf("speaker %s: %d frames of speech, %d voiced, want at least %d and %d",
				id, n, withPitch, minTrainingFrames, minTrainingFrames/10))
		}
	}
	if few != nil {
		return nil, errors.New("metric: " + strings.Join(few, "; "))
	}
	c.mixtures = make([]*mixture, len(c.speakers))
	simd.Parallel(len(c.speakers), 1, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			c.mixtures[i] = newMixture(frames[i], rand.New(rand.NewPCG(1, uint64(i))))
		}
	})
	return c, nil
}

// Speakers returns the ids [P] of the speakers, sorted.
func (c *SpeakerClassifier) Speakers() []string { return slices.Clone(c.speakers) }

// LogLikelihoods returns the log-likelihood of a voice under every speaker [P],
// as a mean over frames (nats), so that the length of a recording does not
// matter.
func (c *SpeakerClassifier) LogLikelihoods(v Voice) []float64 {
	l := make([]float64, len(c.mixtures))
	var posterior [mixtureSize]float64
	for i, m := range c.mixtures {
		for t := range v.frames {
			l[i] += m.posterior(&posterior, &v.frames[t])
		}
		l[i] /= float64(len(v.frames))
	}
	return l
}

// Similarities returns the score of every trial "is it speaker p?" [P] (nats a
// frame) of the log-likelihoods of a voice: that of p less that of the other
// speakers, each as likely as the next.
func Similarities(logLikelihoods []float64) []float64 {
	s := make([]float64, len(logLikelihoods))
	for p, l := range logLikelihoods {
		var others []float64
		for q, o := range logLikelihoods {
			if q != p {
				others = append(others, o)
			}
		}
		s[p] = l - (logSum(others) - math.Log(float64(len(others))))
	}
	return s
}

// EqualErrorRate returns the share, in [0, 1], of trials in error at the
// threshold where as large a share of the targets is refused as of the others
// is accepted, linear between the two thresholds next to it. It is NaN if there
// are no targets or no others, or a score is NaN.
func EqualErrorRate(targets, others []float64) float64 {
	if len(targets) == 0 || len(others) == 0 || slices.ContainsFunc(targets, math.IsNaN) || slices.ContainsFunc(others, math.IsNaN) {
		return math.NaN()
	}
	t, o := slices.Sorted(slices.Values(targets)), slices.Sorted(slices.Values(others))
	var refused, accepted float64 = 0, 1 // below every score
	for i, j := 0, 0; ; {
		// The threshold moves past the lowest scores left, all that are equal.
		at := math.Inf(1)
		if i < len(t) {
			at = t[i]
		}
		if j < len(o) {
			at = min(at, o[j])
		}
		for i < len(t) && t[i] <= at {
			i++
		}
		for j < len(o) && o[j] <= at {
			j++
		}
		r, a := float64(i)/float64(len(t)), 1-float64(j)/float64(len(o))
		if r >= a {
			// Where the line from (refused, accepted) to (r, a) has equal shares.
			k := (accepted - refused) / (accepted - refused + r - a)
			return refused + k*(r-refused)
		}
		refused, accepted = r, a
	}
}

// A mixture is a sum of Gaussians with diagonal covariances.
type mixture [mixtureSize]gaussian

type gaussian struct {
	mean, precision voiceFrame
	cepstrum        float64 // ln of weight and of what normalises the cepstrum
	pitch           float64 // ln of what normalises the pitch
}

// newMixture learns a mixture by expectation-maximisation, begun at frames that
// rng draws. The missing pitches of unvoiced frames are left out of the sums,
// which is exact since covariances are diagonal.
func newMixture(frames []voiceFrame, rng *rand.Rand) *mixture {
	var all moment
	for t := range frames {
		all.add(1, &frames[t])
	}
	var centre, variance voiceFrame
	for d := range centre {
		centre[d], variance[d] = all.statistics(d)
		variance[d] = max(variance[d], 1e-6) // of a constant
	}
	m := &mixture{}
	for k := range m {
		g := &m[k]
		g.mean = frames[rng.IntN(len(frames))]
		if !g.mean.voiced() {
			g.mean[voiceOrder] = centre[voiceOrder]
		}
		for d, v := range variance {
			g.precision[d] = 1 / v
		}
		g.normalise(1.0 / mixtureSize)
	}
	for range mixtureRounds {
		var sums [mixtureSize]moment
		var posterior [mixtureSize]float64
		for t := range frames {
			m.posterior(&posterior, &frames[t])
			for k, p := range posterior {
				if p > 1e-6 { // the others change nothing that counts
					sums[k].add(p, &frames[t])
				}
			}
		}
		for k := range m {
			g, s := &m[k], &sums[k]
			for d := range g.mean {
				if s.count(d) >= minMixtureFrames {
					var v float64
					g.mean[d], v = s.statistics(d)
					g.precision[d] = 1 / max(v, mixtureFloor*variance[d])
				}
			}
			g.normalise((s.frames + 1) / float64(len(frames)+mixtureSize))
		}
	}
	return m
}

// normalise follows a change of weight or precision.
func (g *gaussian) normalise(weight float64) {
	ln := func(precision float64) float64 { return math.Log(precision/(2*math.Pi)) / 2 }
	g.cepstrum = math.Log(weight)
	for _, p := range g.precision[:voiceOrder] {
		g.cepstrum += ln(p)
	}
	g.pitch = ln(g.precision[voiceOrder])
}

// posterior computes how likely each Gaussian is to have made a frame, and
// returns the log-likelihood of the frame.
func (m *mixture) posterior(posterior *[mixtureSize]float64, f *voiceFrame) float64 {
	voiced := f.voiced()
	for k := range m {
		g := &m[k]
		l := g.cepstrum
		for d, v := range f[:voiceOrder] {
			v -= g.mean[d]
			l -= float64(v*v*g.precision[d]) / 2
		}
		if voiced {
			v := f[voiceOrder] - g.mean[voiceOrder]
			l += g.pitch - float64(v*v*g.precision[voiceOrder])/2
		}
		posterior[k] = l
	}
	total := logSum(posterior[:])
	for k, l := range posterior {
		posterior[k] = math.Exp(l - total)
	}
	return total
}

// logSum returns ln Σ exp x.
func logSum(x []float64) float64 {
	top := slices.Max(x)
	var sum float64
	for _, v := range x {
		sum += math.Exp(v - top)
	}
	return top + math.Log(sum)
}

// moment is sums over weighted frames.
type moment struct {
	frames, pitches float64 // weights, of all and of voiced frames
	sum, square     voiceFrame
}

func (s *moment) add(weight float64, f *voiceFrame) {
	n := voiceOrder
	s.frames += weight
	if f.voiced() {
		s.pitches += weight
		n = voiceDim
	}
	for d, v := range f[:n] {
		v *= weight
		s.sum[d] += v
		s.square[d] += float64(v * f[d])
	}
}

func (s *moment) count(d int) float64 {
	if d == voiceOrder {
		return s.pitches
	}
	return s.frames
}

// statistics returns the mean and the variance of element d.
func (s *moment) statistics(d int) (mean, variance float64) {
	n := s.count(d)
	mean = s.sum[d] / n
	return mean, s.square[d]/n - mean*mean
}
