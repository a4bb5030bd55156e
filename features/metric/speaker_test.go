package metric

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// A synthetic speaker has a pitch (Hz) and a vocal tract: formants so many times
// as high as those of voice.
type synthetic struct{ pitch, scale float64 }

// Two of them share a pitch, two a vocal tract.
var synthetics = map[string]synthetic{"low": {110, 1}, "high": {190, 1}, "short": {110, 1.12}}

// say returns a recording; no two takes have the same melody.
func (s synthetic) say(seconds float64, rate int, take float64) []float32 {
	return noise(voiceOf(s.scale, int(seconds*float64(rate)), rate, func(t float64) float64 {
		if math.Mod(t+take/3, 0.8) > 0.6 {
			return 0
		}
		return s.pitch * (1 + 0.15*math.Sin((2+take/5)*t+take))
	}), 50, uint64(take))
}

func mustVoice(t testing.TB, samples []float32, rate int) Voice {
	t.Helper()
	v, err := NewVoice(samples, rate)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func learn(t testing.TB) *SpeakerClassifier {
	t.Helper()
	voices := map[string][]Voice{}
	for id, s := range synthetics {
		for take := range 3 {
			voices[id] = append(voices[id], mustVoice(t, s.say(3, 16000, float64(take)), 16000))
		}
	}
	c, err := TrainSpeakers(voices)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func recognise(c *SpeakerClassifier, v Voice) string {
	l := c.LogLikelihoods(v)
	return c.Speakers()[slices.Index(l, slices.Max(l))]
}

// A speaker is known by pitch or by formants, whatever the level, the sample
// rate and a little noise.
func TestSpeakersAreTold(t *testing.T) {
	c := learn(t)
	if got := c.Speakers(); !slices.Equal(got, []string{"high", "low", "short"}) {
		t.Fatalf("speakers %v", got)
	}
	for id, s := range synthetics {
		for take := 5.0; take < 8; take++ {
			x := s.say(2, 16000, take)
			quiet := make([]float32, len(x))
			for i, v := range x {
				quiet[i] = v / 50
			}
			click := slices.Clone(x)
			click[9000] = 1
			for name, v := range map[string]Voice{
				"as it is": mustVoice(t, x, 16000), "quiet": mustVoice(t, quiet, 16000), "with a click": mustVoice(t, click, 16000),
				"with noise": mustVoice(t, noise(x, 30, 9), 16000), "at 44.1 kHz": mustVoice(t, s.say(2, 44100, take), 44100),
			} {
				if got := recognise(c, v); got != id {
					t.Errorf("%s, take %v, %s: recognised as %s", id, take, name, got)
				}
			}
		}
	}
}

// Neither threads nor what was trained before matter.
func TestSpeakersAreDeterministic(t *testing.T) {
	v := mustVoice(t, synthetics["low"].say(2, 16000, 5), 16000)
	want := learn(t).LogLikelihoods(v)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if got := learn(t).LogLikelihoods(v); !slices.Equal(got, want) {
		t.Errorf("on one thread %v, want %v", got, want)
	}
}

// Frames without pitch are judged by the rest, as if there were no such element.
func TestUnvoicedFrames(t *testing.T) {
	c := learn(t)
	v := mustVoice(t, synthetics["short"].say(2, 16000, 5), 16000)
	for i := range v.frames {
		v.frames[i][voiceOrder] = math.NaN()
	}
	l := c.LogLikelihoods(v)
	for _, x := range l {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			t.Fatalf("log-likelihoods %v", l)
		}
	}
	if got := recognise(c, v); got != "short" {
		t.Errorf("recognised as %s", got)
	}
}

// A mixture finds the density that frames are drawn from: its mean
// log-likelihood is less the entropy of them.
func TestMixtureDensity(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	draw := func(n int) []voiceFrame {
		frames := make([]voiceFrame, n)
		for i := range frames {
			for d := range voiceDim {
				frames[i][d] = 3 + 2*rng.NormFloat64()
			}
		}
		return frames
	}
	m := newMixture(draw(20000), rand.New(rand.NewPCG(1, 0)))
	var posterior [mixtureSize]float64
	var sum, unvoiced float64
	test := draw(5000)
	for i := range test {
		sum += m.posterior(&posterior, &test[i])
		var total float64
		for _, p := range posterior {
			total += p
		}
		if math.Abs(total-1) > 1e-9 {
			t.Fatalf("posteriors add up to %v", total)
		}
		test[i][voiceOrder] = math.NaN()
		unvoiced += m.posterior(&posterior, &test[i])
	}
	entropy := math.Log(2*math.Pi*math.E*4) / 2 // of an element
	got, without := -sum/float64(len(test)), -unvoiced/float64(len(test))
	if want := entropy * voiceDim; got < want-0.2 || got > want+0.6 {
		t.Errorf("cross entropy %v, entropy %v", got, want)
	}
	if math.Abs(got-without-entropy) > 0.1 {
		t.Errorf("the last element makes %v, want %v", got-without, entropy)
	}
}

func TestSimilarities(t *testing.T) {
	got := Similarities([]float64{-1, -3, -3})
	for p, want := range []float64{2, -3 - math.Log((math.Exp(-1)+math.Exp(-3))/2), -3 - math.Log((math.Exp(-1)+math.Exp(-3))/2)} {
		if math.Abs(got[p]-want) > 1e-12 {
			t.Errorf("speaker %d: %v, want %v", p, got[p], want)
		}
	}
}

func TestEqualErrorRate(t *testing.T) {
	for _, c := range []struct {
		targets, others []float64
		want            float64
	}{
		{[]float64{2, 3}, []float64{0, 1, -5}, 0},
		{[]float64{0, 1}, []float64{2, 3}, 1},
		{[]float64{1}, []float64{1}, 0.5},
		{[]float64{0, 2, 3, 4}, []float64{-1, -2, -3, 1}, 0.25},
		{[]float64{0, 2, 3}, []float64{-1, -2, -3, 1}, 0.25},
		{nil, []float64{1}, math.NaN()},
		{[]float64{1}, nil, math.NaN()},
		{[]float64{1, math.NaN()}, []float64{0}, math.NaN()},
		{[]float64{1}, []float64{math.NaN(), 0}, math.NaN()},
	} {
		got := EqualErrorRate(c.targets, c.others)
		if math.Abs(got-c.want) > 1e-12 || math.IsNaN(got) != math.IsNaN(c.want) {
			t.Errorf("%v and %v: %v, want %v", c.targets, c.others, got, c.want)
		}
	}
}

func TestSpeakerRefusals(t *testing.T) {
	x := synthetics["low"].say(1, 16000, 1)
	bad := slices.Clone(x)
	bad[700] = float32(math.Inf(1))
	for _, c := range []struct {
		name    string
		samples []float32
		rate    int
		want    string
	}{
		{"empty", nil, 16000, "recording has no samples"},
		{"infinite", bad, 16000, "sample 700 is +Inf, want a finite number"},
		{"silent", make([]float32, 16000), 16000, "recording is digital silence"},
		{"short", x[:1000], 16000, "6 frames of speech, want at least 10"},
	} {
		if _, err := NewVoice(c.samples, c.rate); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := NewVoice(x, 0); err == nil {
		t.Error("no error for a rate of 0")
	}

	v := mustVoice(t, x, 16000)
	if _, err := TrainSpeakers(map[string][]Voice{"a": {v, v, v, v, v}}); err == nil || !strings.Contains(err.Error(), "1 speakers, want at least 2") {
		t.Errorf("one speaker: %v", err)
	}
	hiss := mustVoice(t, noise(tone(5*16000, 16000, 3000), 0, 1), 16000)
	_, err := TrainSpeakers(map[string][]Voice{"a": {v}, "b": {hiss}, "c": nil})
	if err == nil || strings.Count(err.Error(), "; speaker ") != 2 || !strings.Contains(err.Error(), "speaker c: 0 frames of speech, 0 voiced, want at least 300 and 30") {
		t.Errorf("too little of three speakers: %v", err)
	}
}

func BenchmarkNewVoice(b *testing.B) {
	const seconds, rate = 10, 16000
	x := spoken(seconds*rate, rate)
	for b.Loop() {
		if _, err := NewVoice(x, rate); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(seconds*float64(b.N)/b.Elapsed().Seconds(), "x_realtime")
}
