package wavenet_test

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"vqspeech/vocoder"
	"vqspeech/vocoder/wavenet"
	"vqspeech/vocoder/wavenet/wavenettest"
)

// speak synthesises features [T, M] in pieces of so many frames.
func speak(t testing.TB, v vocoder.Vocoder, mel []float32, bands, frames int) []float32 {
	var out []float32
	for piece := range slices.Chunk(mel, frames*bands) {
		x, err := v.Push(vocoder.Conditioning{Mel: piece})
		if err != nil {
			t.Error(err)
		}
		out = append(out, x...)
	}
	x, err := v.Flush()
	if err != nil {
		t.Error(err)
	}
	return append(out, x...)
}

// What an utterance gives does not depend on the group that it is in: on how
// long the others are, on how they come, on whether they fail or leave.
func TestGroupIsAlone(t *testing.T) {
	voice, g, err := wavenet.Read(voiceFile(t))
	if err != nil {
		t.Fatal(err)
	}
	bands := g.Config().Features.NMels
	start := func(seed int, group *wavenet.Group) *wavenet.Vocoder {
		o, err := voice.Options("a", uint64(seed))
		if err != nil {
			t.Fatal(err)
		}
		o.Group = group
		v, err := voice.NewVocoder(g, o)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	utterance := func(seed int) []float32 {
		return wavenettest.Latents(g.Config(), 20, uint64(seed))[:(3+5*seed%17)*bands]
	}
	const n = 5
	got, want := make([][]float32, 3*n), make([][]float32, 3*n)
	for i := range want {
		want[i] = speak(t, start(i, nil), utterance(i), bands, 7)
	}
	group := g.NewGroup(n + 2)
	var wait sync.WaitGroup
	for k := range n {
		v := []*wavenet.Vocoder{start(k, group), start(k+n, group), start(k+2*n, group)}
		wait.Go(func() {
			defer group.Leave()
			for j, v := range v {
				i := k + j*n
				got[i] = speak(t, v, utterance(i), bands, 1+i)
			}
		})
	}
	wait.Go(group.Leave)
	broken := start(0, group)
	wait.Go(func() {
		defer group.Leave()
		if _, err := broken.Push(vocoder.Conditioning{Mel: utterance(9)}); err != nil {
			t.Error(err)
		}
		if _, err := broken.Push(vocoder.Conditioning{Mel: []float32{float32(math.NaN())}}); err == nil {
			t.Error("a broken frame is taken")
		}
	})
	wait.Wait()
	for i := range want {
		sameBits(t, fmt.Sprint("utterance ", i), got[i], want[i])
	}
}

// A member of a group that has samples to draw waits for the others.
func TestGroupWaits(t *testing.T) {
	voice, g, err := wavenet.Read(voiceFile(t))
	if err != nil {
		t.Fatal(err)
	}
	o, err := voice.Options("a", 0)
	if err != nil {
		t.Fatal(err)
	}
	alone, err := voice.NewVocoder(g, o)
	if err != nil {
		t.Fatal(err)
	}
	group := g.NewGroup(2)
	o.Group = group
	v, err := voice.NewVocoder(g, o)
	if err != nil {
		t.Fatal(err)
	}
	bands := g.Config().Features.NMels
	mel := wavenettest.Latents(g.Config(), 30, 1)[:30*bands]
	var left atomic.Bool
	var wait sync.WaitGroup
	begun := make(chan bool)
	wait.Go(func() {
		begun <- true
		speak(t, v, mel, bands, 30)
		if !left.Load() {
			t.Error("an utterance ended before the other goroutine pushed or left")
		}
	})
	<-begun
	for range 3 { // time enough to end, if it did not wait
		speak(t, alone, mel, bands, 30)
	}
	left.Store(true)
	group.Leave()
	wait.Wait()

	_, other, err := wavenet.Read(voiceFile(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := voice.NewVocoder(other, o); err == nil {
		t.Error("a group of another generator is taken")
	}
}
