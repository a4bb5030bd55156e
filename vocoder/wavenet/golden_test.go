package wavenet_test

import (
	"testing"

	"vqspeech/internal/golden"
	"vqspeech/vocoder/wavenet"
	"vqspeech/vocoder/wavenet/wavenettest"
)

func TestGoldenGeneration(t *testing.T) {
	for _, file := range golden.Glob(t, wavenettest.Files) {
		t.Run(file, func(t *testing.T) {
			f := golden.Open(t, file)
			g := generator(t, f)
			latents, speaker := f.F32("gen.in.q"), int(f.I32("gen.in.speaker")[0])
			checkGeneration(f, g, latents, speaker)
			var codes []uint8
			for _, c := range f.I32("gen.forced.in.codes") {
				codes = append(codes, uint8(c))
			}
			var logits []float32
			if err := g.Force(latents, speaker, codes, func(_ int, row []float32) { logits = append(logits, row...) }); err != nil {
				t.Fatal(err)
			}
			f.Check("gen.forced.out.logits", logits, len(codes), wavenet.Levels)
			f.RequireAllUsed("out.*", "loss.*", "grad.*", "gen.greedy.out.margin") // see package train
		})
	}
}

func TestGoldenGRUGeneration(t *testing.T) {
	f := golden.Open(t, wavenettest.GRUFile)
	g, err := wavenet.New(wavenettest.GoldenGRU(f))
	if err != nil {
		t.Fatal(err)
	}
	latents := wavenettest.GRUConditioning(f, f.F32("gen.in.q"), int(f.I32("gen.in.speaker")[0]))
	checkGeneration(f, g, latents, 0)
	f.RequireAllUsed("out.*", "loss.*", "grad.*", "gen.greedy.out.margin") // see package train
}

// checkGeneration draws the fixture's utterance in each of its ways.
func checkGeneration(f *golden.File, g *wavenet.Generator, latents []float32, speaker int) {
	for name, o := range map[string]wavenet.Options{
		"sampled":         {Temperature: 1, TopP: 1},
		"sampled_temp0.7": {Temperature: 0.7, TopP: 1},
		"greedy":          {TopP: 1},
	} {
		o.Speaker = speaker
		var u []float32
		if name != "greedy" {
			u = f.F32("gen." + name + ".noise.u")
		}
		codes, logits := g.Generate(o, latents, u)
		f.CheckInts("gen."+name+".out.codes", codes, len(codes))
		f.Check("gen."+name+".out.logits", logits, len(codes), wavenet.Levels)
	}
}

func generator(t *testing.T, f *golden.File) *wavenet.Generator {
	cfg, w := wavenettest.Golden(f)
	g, err := wavenet.New(cfg, w)
	if err != nil {
		t.Fatal(err)
	}
	return g
}
