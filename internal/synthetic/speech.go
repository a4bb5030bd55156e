package synthetic

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
)

// SpeechRate is the sample rate of Speech (Hz).
const SpeechRate = 16000

// Segments of Speech (samples): 60 to 120 ms.
const (
	ShortestSegment = SpeechRate * 60 / 1000
	LongestSegment  = SpeechRate * 120 / 1000
)

// SpeechPhones are the phones of Speech: five vowels, three fricatives.
var SpeechPhones = []string{"i", "e", "a", "u", "er", "s", "sh", "f"}

// vowels have the first three formants (Hz) of men (Peterson & Barney 1952, table
// II), fricatives the centre and width of their noise.
var (
	vowels     = map[string][3]float64{"i": {270, 2290, 3010}, "e": {530, 1840, 2480}, "a": {730, 1090, 2440}, "u": {300, 870, 2240}, "er": {490, 1350, 1690}}
	fricatives = map[string][2]float64{"s": {5500, 900}, "sh": {2800, 700}, "f": {4000, 4000}}
)

// SpeechSpeakers are the speakers of Speech.
var SpeechSpeakers = []string{"bass", "baritone", "alto", "soprano"}

// voices have the pitch (Hz) and the scale of the formants of the speakers.
var voices = map[string][2]float64{"bass": {90, 0.85}, "baritone": {125, 0.96}, "alto": {180, 1.08}, "soprano": {220, 1.2}}

// Spoken is an utterance of Speech.
type Spoken struct {
	Name, Speaker string
	Samples       []float32 // at SpeechRate, in (-1, 1)
	Segments      []Segment // from the first sample to the last, none of the phone before
}

// A Segment is the samples [From, To) of an utterance, in which a phone is said.
type Segment struct {
	Phone    string
	From, To int
}

// Speech returns utterances of random phones, the speakers in turn: pulses through
// formants for vowels and noise through a band for fricatives, each with a loudness
// of its own, faded for 5 ms at both ends.
func Speech(utterances, phones int, seed uint64) []Spoken {
	rng := random(seed, kindSpeech)
	set := make([]Spoken, utterances)
	for i := range set {
		u := Spoken{Name: fmt.Sprintf("u%03d", i), Speaker: SpeechSpeakers[i%len(SpeechSpeakers)]}
		v := voice{rng: rng, pitch: voices[u.Speaker][0], scale: voices[u.Speaker][1]}
		phone := -1
		for range phones {
			next := rng.IntN(len(SpeechPhones) - 1)
			if phone >= 0 && next >= phone {
				next++
			}
			phone = next
			s := Segment{Phone: SpeechPhones[phone], From: len(u.Samples)}
			u.Samples = append(u.Samples, v.say(s.Phone, ShortestSegment+rng.IntN(LongestSegment-ShortestSegment+1))...)
			s.To = len(u.Samples)
			u.Segments = append(u.Segments, s)
		}
		set[i] = u
	}
	return set
}

// SpeechItems returns the item file of utterances: what was said where, by whom.
func SpeechItems(set []Spoken) string {
	var b strings.Builder
	b.WriteString("#file onset offset #phone prev-phone next-phone speaker\n")
	for _, u := range set {
		phone := func(i int) string {
			if i < 0 || i >= len(u.Segments) {
				return "SIL"
			}
			return u.Segments[i].Phone
		}
		for i, s := range u.Segments {
			fmt.Fprintf(&b, "%s %.5f %.5f %s %s %s %s\n", u.Name, float64(s.From)/SpeechRate, float64(s.To)/SpeechRate, s.Phone, phone(i-1), phone(i+1), u.Speaker)
		}
	}
	return b.String()
}

// voice is a speaker.
type voice struct {
	rng          *rand.Rand
	pitch, scale float64
	phase        float64 // of the pulses, in periods
}

// say returns so many samples of a phone.
func (v *voice) say(phone string, n int) []float32 {
	x := make([]float64, n)
	if formants, ok := vowels[phone]; ok {
		pitch := v.pitch * (0.9 + 0.2*v.rng.Float64())
		for i := range x {
			if v.phase += pitch / SpeechRate; v.phase >= 1 {
				v.phase--
				x[i] = 1
			}
		}
		resonate(x, 0, 200) // the glottis
		for k, f := range formants {
			resonate(x, f*v.scale, 60+40*float64(k))
		}
	} else {
		for i := range x {
			x[i] = v.rng.NormFloat64()
		}
		band := fricatives[phone]
		resonate(x, band[0]*v.scale, band[1])
		resonate(x, band[0]*v.scale, band[1])
	}
	radiate(x)
	power := 1e-12
	for _, s := range x {
		power += s * s / float64(n)
	}
	gain := 0.06 * math.Pow(10, (v.rng.Float64()*6-3)/20) / math.Sqrt(power)
	const fade = SpeechRate * 5 / 1000
	out := make([]float32, n)
	for i, s := range x {
		edge := min(1, (float64(min(i, n-1-i))+0.5)/fade)
		out[i] = float32(math.Tanh(gain * s * edge))
	}
	return out
}

// resonate filters x through a resonator of unit gain at 0 Hz (Klatt 1980).
//
//	y_n = A x_n + B y_{n-1} + C y_{n-2}, C = -exp(-2π w/r), B = 2 exp(-π w/r) cos(2π f/r), A = 1 - B - C
func resonate(x []float64, frequency, width float64) {
	c := -math.Exp(-2 * math.Pi * width / SpeechRate)
	b := 2 * math.Exp(-math.Pi*width/SpeechRate) * math.Cos(2*math.Pi*frequency/SpeechRate)
	var y1, y2 float64
	for i := range x {
		x[i] = (1-b-c)*x[i] + b*y1 + c*y2
		y1, y2 = x[i], y1
	}
}

// radiate takes differences, as the lips do.
func radiate(x []float64) {
	last := 0.0
	for i, s := range x {
		x[i], last = s-last, s
	}
}
