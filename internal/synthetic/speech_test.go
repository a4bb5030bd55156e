package synthetic

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestSpeech checks what utterances say of themselves.
func TestSpeech(t *testing.T) {
	set := Speech(8, 40, 1)
	if !reflect.DeepEqual(set, Speech(8, 40, 1)) || reflect.DeepEqual(set, Speech(8, 40, 2)) {
		t.Error("utterances do not follow the seed")
	}
	counts := map[string]int{}
	for i, u := range set {
		if u.Name != fmt.Sprintf("u%03d", i) || u.Speaker != SpeechSpeakers[i%4] || len(u.Segments) != 40 {
			t.Errorf("utterance %d: %s by %s, %d segments", i, u.Name, u.Speaker, len(u.Segments))
		}
		at, last := 0, ""
		for _, s := range u.Segments {
			if n := s.To - s.From; s.From != at || n < ShortestSegment || n > LongestSegment || s.Phone == last {
				t.Errorf("%s: segment %+v after %d, %s", u.Name, s, at, last)
			}
			at, last = s.To, s.Phone
			counts[s.Phone]++
			power := 0.0
			for _, x := range u.Samples[s.From:s.To] {
				power += float64(x * x)
			}
			if rms := math.Sqrt(power / float64(s.To-s.From)); rms < 0.03 || rms > 0.1 {
				t.Errorf("%s: segment %+v has the level %v", u.Name, s, rms)
			}
		}
		if at != len(u.Samples) || slices.Min(u.Samples) <= -1 || slices.Max(u.Samples) >= 1 {
			t.Errorf("%s: %d samples of %d, from %v to %v", u.Name, at, len(u.Samples), slices.Min(u.Samples), slices.Max(u.Samples))
		}
	}
	for _, p := range SpeechPhones {
		if counts[p] < 20 || counts[p] > 60 { // of 320
			t.Errorf("%d times %s", counts[p], p)
		}
	}
}

// TestPhonesDiffer has formants where they belong: the strongest of the vowels is
// below the noise of the fricatives, each in its order, and higher in higher voices.
func TestPhonesDiffer(t *testing.T) {
	crossings := map[[2]string]float64{} // of zero, a second
	seconds := map[[2]string]float64{}
	for _, u := range Speech(16, 60, 3) {
		for _, s := range u.Segments {
			key := [2]string{s.Phone, u.Speaker}
			for i := s.From + 1; i < s.To; i++ {
				if u.Samples[i] > 0 != (u.Samples[i-1] > 0) {
					crossings[key]++
				}
			}
			seconds[key] += float64(s.To-s.From) / SpeechRate
		}
	}
	rate := func(phone, speaker string) float64 {
		key := [2]string{phone, speaker}
		return crossings[key] / 2 / seconds[key]
	}
	for _, speaker := range SpeechSpeakers {
		var rates []float64
		for _, phone := range []string{"u", "a", "sh", "s"} {
			rates = append(rates, rate(phone, speaker))
		}
		if !slices.IsSorted(rates) {
			t.Errorf("%s: u, a, sh, s cross zero %.0f times a second", speaker, rates)
		}
	}
	for _, phone := range []string{"a", "sh", "s"} {
		if low, high := rate(phone, "bass"), rate(phone, "soprano"); high < 1.2*low {
			t.Errorf("%s of the bass at %.0f Hz, of the soprano at %.0f Hz", phone, low, high)
		}
	}
}

func TestSpeechItems(t *testing.T) {
	set := []Spoken{{Name: "u000", Speaker: "alto", Segments: []Segment{{"a", 0, 1600}, {"s", 1600, 2401}}}}
	want := "#file onset offset #phone prev-phone next-phone speaker\nu000 0.00000 0.10000 a SIL s alto\nu000 0.10000 0.15006 s a SIL alto\n"
	if got := SpeechItems(set); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if n := strings.Count(SpeechItems(Speech(3, 7, 1)), "\n"); n != 1+3*7 {
		t.Errorf("%d lines", n)
	}
}
