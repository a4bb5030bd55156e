package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"vqspeech/audio"
	"vqspeech/features"
	"vqspeech/internal/safetensors"
	"vqspeech/internal/synthetic"
	"vqspeech/model"
	"vqspeech/model/checkpoint"
	"vqspeech/recipes/corpus/corpustest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"vqspeech":  main,
		"mkmodel":   tool(makeModel),
		"mkwav":     tool(makeWAV),
		"mkvoice":   tool(makeVoice),
		"mkspeech":  tool(makeSpeech),
		"mkcorpus":  tool(makeCorpus),
		"mknpy":     tool(makeNPY),
		"mkimages":  tool(makeImages),
		"mkforeign": tool(makeForeign),
	})
}

// TestScripts runs the scripts in testdata/script: command lines with what
// they must print and write.
func TestScripts(t *testing.T) {
	checkpoints, err := filepath.Abs("../../model/pytorch/testdata")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("CHECKPOINTS", checkpoints) // of PyTorch
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status":  status,
			"samewav": sameWAV,
			"cut":     cut,
			"refuse":  refuse,
			"await":   await,
			"speeds":  speeds,
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

// makeForeign FILE writes the tensors of another program.
func makeForeign(args []string) error {
	return safetensors.Save(args[0], nil, []safetensors.Tensor{{Name: "x", Shape: []int{1}, DType: safetensors.F32, Data: []float32{1}}})
}

// status N PROGRAM ARGS... runs a program and wants exit status N.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N program args...")
	}
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit status %d, want %s", got, args[0])
	}
}

// samewav A B [SAMPLES] wants two recordings of the same samples, and so many.
func sameWAV(ts *testscript.TestScript, neg bool, args []string) {
	var clips []*audio.Clip
	for _, name := range args[:2] {
		c, err := audio.Load(ts.MkAbs(name))
		ts.Check(err)
		clips = append(clips, c)
	}
	same := slices.Equal(clips[0].Samples, clips[1].Samples) && clips[0].SampleRate == clips[1].SampleRate
	if same == neg {
		ts.Fatalf("%s and %s: same samples is %v", args[0], args[1], same)
	}
	if len(args) > 2 && strconv.Itoa(len(clips[0].Samples)) != args[2] {
		ts.Fatalf("%s has %d samples, want %s", args[0], len(clips[0].Samples), args[2])
	}
}

// cut FILE N OUT copies the first N bytes of a file.
func cut(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(ts.ReadFile(args[0]))[:n], 0o666))
}

// refuse FILE... wants encode to fail on each with one line that names the file,
// and to leave nothing behind.
func refuse(ts *testscript.TestScript, _ bool, args []string) {
	for _, file := range args {
		status(ts, false, []string{"1", "vqspeech", "encode", file, "-o", "x.vqs", "--model", "m.safetensors"})
		text := ts.ReadFile("stderr")
		if !strings.HasPrefix(text, "vqspeech: error: "+file+": ") || strings.Count(text, "\n") != 1 {
			ts.Fatalf("%s: printed %q", file, text)
		}
		if _, err := os.Stat(ts.MkAbs("x.vqs")); err == nil {
			ts.Fatalf("%s: left an output", file)
		}
	}
}

// speeds FILE wants the report of bench --json with a speed for every stage, and
// GFLOP/s where they are known.
func speeds(ts *testscript.TestScript, _ bool, args []string) {
	var report struct {
		Cores  int
		Stages []map[string]any
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &report))
	var names []string
	for _, s := range report.Stages {
		name, _ := s["name"].(string)
		names = append(names, name)
		keys := []string{"x_realtime_1core", "x_realtime"}
		if name == "encoder" || name == "quantizer" || name == "decoder" {
			keys = append(keys, "gflops_1core", "gflops")
		}
		for _, k := range keys {
			if v, ok := s[k].(float64); !ok || v <= 0 {
				ts.Fatalf("stage %s: %s is %v", name, k, s[k])
			}
		}
		if len(s) != 1+len(keys) {
			ts.Fatalf("stage %s has keys besides %v: %v", name, keys, s)
		}
	}
	want := "wav flac resample features encoder quantizer decoder vocoder encode decode"
	if got := strings.Join(names, " "); got != want || report.Cores < 1 {
		ts.Fatalf("stages %s on %d cores, want %s", got, report.Cores, want)
	}
}

// await FILE waits until a program in the background has written something.
func await(ts *testscript.TestScript, _ bool, args []string) {
	for range 2000 {
		if info, err := os.Stat(ts.MkAbs(args[0])); err == nil && info.Size() > 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	ts.Fatalf("%s: nothing written within 20 s", args[0])
}

func tool(f func(args []string) error) func() {
	return func() {
		if err := f(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// makeModel FILE SEED FRONTEND writes a small model of random weights that
// knows the speakers anna, ben and 7.
func makeModel(args []string) error {
	seed, err := strconv.ParseUint(args[1], 10, 64)
	if err != nil {
		return err
	}
	cfg := model.DefaultConfig()
	cfg.Features = features.Default(features.FrontEnd(args[2]))
	cfg.Net = model.NetConfig{Channels: 16, SpeakerDim: 4, DecoderHidden: 8}
	cfg.Quantizer.CodebookSize, cfg.Quantizer.CodebookDim = 32, 8
	cfg.Speakers = []string{"anna", "ben", "7"}
	rng := rand.New(rand.NewPCG(seed, 0))
	w := model.Weights{}
	for _, p := range append(cfg.Params(), cfg.Buffers()...) {
		w[p.Name] = p.Init(rng)
	}
	for i := range w["encoder.out.weight"] {
		w["encoder.out.weight"][i] *= 10 // else the latents are so small that one code wins
	}
	return checkpoint.SaveModel(args[0], cfg, w, cfg.Speakers, nil)
}

// makeCorpus LAYOUT DIR makes one of the miniatures of package corpustest.
func makeCorpus(args []string) error {
	f, ok := corpustest.Makers[args[0]]
	if !ok {
		return fmt.Errorf("no miniature %s", args[0])
	}
	return f(args[1])
}

// makeWAV FILE SAMPLES RATE SEED writes a recording of gliding tones.
func makeWAV(args []string) error {
	var n [3]int
	for i := range n {
		var err error
		if n[i], err = strconv.Atoi(args[i+1]); err != nil {
			return err
		}
	}
	samples, rate, seed := n[0], n[1], float64(n[2])
	c := &audio.Clip{SampleRate: rate, Samples: make([]float32, samples)}
	for i := range c.Samples {
		x := float64(i) / float64(rate)
		c.Samples[i] = float32(0.4*math.Sin(2*math.Pi*(150+90*seed)*x*(1+2*x)) + 0.2*math.Sin(2*math.Pi*(1500-130*seed)*x*(1-x/9)) +
			0.1*math.Sin(2*math.Pi*7*x)*math.Sin(2*math.Pi*3100*x))
	}
	return audio.Save(args[0], c)
}

// makeNPY FILE TYPE SHAPE VALUES... writes a .npy file of float32, float64, uint8
// or int64 elements; the shape is as in 2x3. The values repeat; without any there
// is only the header.
func makeNPY(args []string) error {
	n := 1
	var shape []string
	for _, d := range strings.Split(args[2], "x") {
		size, err := strconv.Atoi(d)
		if err != nil {
			return err
		}
		n *= size
		shape = append(shape, d+",")
	}
	descr := map[string]string{"float32": "<f4", "float64": "<f8", "uint8": "|u1", "int64": "<i8"}[args[1]]
	dict := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s)}\n", descr, strings.Join(shape, ""))
	b := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(dict)))
	b = append(b, dict...)
	values := args[3:]
	if len(values) == 0 {
		n = 0
	}
	for i := range n {
		v, err := strconv.ParseFloat(values[i%len(values)], 64)
		if err != nil {
			return err
		}
		switch args[1] {
		case "float32":
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(v)))
		case "float64":
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		case "uint8":
			b = append(b, uint8(v))
		case "int64":
			b = binary.LittleEndian.AppendUint64(b, uint64(int64(v)))
		}
	}
	return os.WriteFile(args[0], b, 0o666)
}

// makeSpeech DIR UTTERANCES PHONES writes recordings of synthetic speech of so many
// phones each, and DIR.item, which says where they are.
func makeSpeech(args []string) error {
	var n [2]int
	for i := range n {
		var err error
		if n[i], err = strconv.Atoi(args[i+1]); err != nil {
			return err
		}
	}
	set := synthetic.Speech(n[0], n[1], 1)
	for _, u := range set {
		c := &audio.Clip{Samples: u.Samples, SampleRate: synthetic.SpeechRate}
		if err := audio.Save(filepath.Join(args[0], u.Name+".wav"), c); err != nil {
			return err
		}
	}
	return os.WriteFile(args[0]+".item", []byte(synthetic.SpeechItems(set)), 0o666)
}

// makeVoice FILE SAMPLES PITCH FORMANT writes a recording at 16 kHz of a voice
// with a pitch about so high (Hz) and two formants, the lower of them there (Hz).
func makeVoice(args []string) error {
	var v [3]float64
	for i := range v {
		var err error
		if v[i], err = strconv.ParseFloat(args[i+1], 64); err != nil {
			return err
		}
	}
	pitch, formant := v[1], v[2]
	c := &audio.Clip{SampleRate: 16000, Samples: make([]float32, int(v[0]))}
	phase := 0.0
	for i := range c.Samples {
		s := float64(i) / 16000
		phase += 2 * math.Pi * pitch * (1 + 0.1*math.Sin(4*s)) / 16000
		for h := 1.0; h*pitch < 4000; h++ {
			near := func(f float64) float64 { return math.Exp(-math.Pow((h*pitch-f)/(100+0.1*f), 2)) }
			c.Samples[i] += float32(0.1 * (0.01 + near(formant) + near(3*formant)/2) * math.Sin(h*phase))
		}
	}
	return audio.Save(args[0], c)
}
