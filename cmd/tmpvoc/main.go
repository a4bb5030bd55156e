package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	"vqspeech/model/embedded"
	"vqspeech/recipes/corpus"
	"vqspeech/vocoder/wavenet"
	"vqspeech/vocoder/wavenet/train"
)

func main() {
	m, err := embedded.Default()
	if err != nil {
		log.Fatal(err)
	}
	c, err := corpus.Open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	load := func(split string) (out []train.Utterance) {
		idx, err := c.Select(split)
		if err != nil {
			log.Fatal(err)
		}
		for _, i := range idx {
			u := c.Utterances[i]
			db, err := c.Mel(i)
			if err != nil {
				log.Fatal(err)
			}
			x, err := c.Samples(i)
			if err != nil {
				log.Fatal(err)
			}
			mel := make([]float32, len(db))
			m.Config.Features.Apply(mel, db, u.Peak)
			row, err := m.SpeakerIndex(u.Speaker)
			if err != nil {
				log.Fatal(err)
			}
			d := m.NewDecoder(row)
			dec := append([]float32(nil), d.Push(m.EncodeMel(mel))...)
			dec = append(dec, d.Flush(int64(len(x)))...)
			out = append(out, train.Utterance{ID: u.ID, Latents: dec, Samples: x, Speaker: row})
		}
		return out
	}
	begun := time.Now()
	steps, _ := strconv.Atoi(os.Args[3])
	cfg := wavenet.Config{
		Dim: 80, Upsampling: 160, Speakers: len(m.Config.Speakers), CondChannels: 64, CondReLU: true, SpeakerDim: 32,
		Cycles: 1, CycleLayers: 10, Kernel: 2, Residual: 64, Gate: 64, Skip: 64, Post: 128, Prediction: true, Features: m.Config.Features,
	}
	tc := train.DefaultConfig()
	tc.MaxSteps = steps
	for _, a := range os.Args[4:] {
		var k string
		var v float64
		fmt.Sscanf(a, "%s %g", &k, &v)
		switch k {
		case "layers": cfg.CycleLayers = int(v)
		case "cycles": cfg.Cycles = int(v)
		case "width": cfg.Residual, cfg.Gate = int(v), int(v)
		case "crop": tc.CropFrames = int(v)
		case "batch": tc.BatchSize = int(v)
		case "lr": tc.LearningRate = v
		case "eval": tc.EvalEvery = int(v)
		default: log.Fatal(a)
		}
	}
	tr, va := load("train"), load("valid")
	fmt.Println("loaded in", time.Since(begun), cfg.Parameters(), cfg.Work().PerSample())
	last := time.Now()
	bits, n := 0.0, 0
	_, err = train.Run(context.Background(), train.Options{
		Network: cfg, Train: tc, Speakers: m.Config.Speakers, Training: tr, Valid: va, Dir: os.Args[2], Resume: true,
		Progress: func(p train.Progress) {
			bits += p.Bits
			n++
			if p.Step%20 == 0 || p.Valid != nil {
				fmt.Printf("%d %.4f %.3fs/step", p.Step, bits/float64(n), time.Since(last).Seconds()/float64(n))
				if p.Valid != nil {
					fmt.Printf(" valid %.4f", *p.Valid)
				}
				fmt.Println()
				last, bits, n = time.Now(), 0, 0
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
}
