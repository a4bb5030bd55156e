package cli

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"vqspeech/internal/simd"
	"vqspeech/model"
)

const (
	benchRepetitions = 5
	benchRepetition  = 40 * time.Millisecond // least; a fast stage runs several times in one
	benchMaxSeconds  = 600                   // of audio, held in memory at two rates, with its features
)

// benchReport is the JSON object of bench.
type benchReport struct {
	ISA         string        `json:"isa"`
	Cores       int           `json:"cores"`
	Go          string        `json:"go"`
	Platform    string        `json:"platform"`
	Model       string        `json:"model"`
	Fingerprint string        `json:"fingerprint"`
	Parameters  int           `json:"parameters"`
	Seconds     int           `json:"seconds"`
	Repetitions int           `json:"repetitions"`
	Stages      []stageReport `json:"stages"`
}

type stageReport struct {
	Name          string  `json:"name"`
	XRealtimeOne  float64 `json:"x_realtime_1core"`
	XRealtime     float64 `json:"x_realtime"`
	GFLOPSOneCore float64 `json:"gflops_1core,omitempty"`
	GFLOPS        float64 `json:"gflops,omitempty"`
}

func (a *app) benchCmd() *cobra.Command {
	var seconds int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure the speed of every stage on this machine",
		Long: `Bench measures how many times faster than real time this machine is, for every
stage on the way from audio to units and back and for the whole of encode and
decode, first on one core, then on all (GOMAXPROCS limits them). The audio is a
synthetic voice that the program makes. A figure is the median of 5 repetitions.
Encode and decode have tables to make for every file: longer audio (--seconds)
goes faster.

Stages:
  wav        a 16-bit WAV file in memory to samples
  flac       a FLAC file in memory (fixed prediction) to samples
  resample   samples at three times the model's rate to that rate
  features   samples to log-mel features
  encoder    features to latents
  quantizer  latents to codes
  decoder    codes to features
  vocoder    features to samples, as decode makes them
  encode     WAV to .vqs, as the verb
  decode     .vqs to WAV, as the verb

GFLOP/s counts two operations for each multiply-add in a matrix product of the
model and nothing else.

With --json it is one object:
  {"isa" (instruction set: avx512, avx2 or generic), "cores", "go", "platform",
   "model" (file, or embedded), "fingerprint", "parameters", "seconds" (of audio),
   "repetitions", "stages": [{"name", "x_realtime_1core", "x_realtime" (all cores),
   "gflops_1core", "gflops" (encoder, quantizer, decoder only)}, ...]}
with the names above.`,
		Example: `  vqspeech bench
  VQSPEECH_ISA=avx2 vqspeech bench --model runs/default/model.safetensors --json`,
		Args: cobra.NoArgs,
		RunE: a.verb(func(cmd *cobra.Command, _ []string) error { return a.bench(cmd, seconds, asJSON) }),
	}
	f := cmd.Flags()
	f.IntVar(&seconds, "seconds", 5, fmt.Sprintf("length of the audio (s), 1 to %d", benchMaxSeconds))
	f.BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func (a *app) bench(cmd *cobra.Command, seconds int, asJSON bool) error {
	if seconds < 1 || seconds > benchMaxSeconds {
		return usagef("--seconds must be between 1 and %d (got %d)", benchMaxSeconds, seconds)
	}
	m, err := a.model()
	if err != nil {
		return err
	}
	r := a.benchHeader(m, seconds)
	stages, err := benchStages(m, seconds)
	if err != nil {
		return err
	}
	if r.Stages, err = a.measure(cmd.Context(), stages, seconds, r.Cores); err != nil {
		return err
	}
	if asJSON {
		return writeJSON(cmd.OutOrStdout(), r)
	}
	return r.print(cmd.OutOrStdout())
}

// measure times all stages.
func (a *app) measure(ctx context.Context, stages []stage, seconds, cores int) ([]stageReport, error) {
	progress := newMeter(a.stderr, "bench", len(stages))
	defer progress.finish()
	var reports []stageReport
	for i, s := range stages {
		progress.set(i, len(stages))
		r, err := s.measure(ctx, seconds, cores)
		if err != nil {
			return nil, err
		}
		reports = append(reports, r)
	}
	return reports, nil
}

// benchHeader says what is measured and where.
func (a *app) benchHeader(m *model.Model, seconds int) benchReport {
	r := benchReport{
		ISA: simd.ISA(), Cores: runtime.GOMAXPROCS(0), Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Model: a.modelPath, Fingerprint: fmt.Sprintf("%x", m.Fingerprint()), Seconds: seconds, Repetitions: benchRepetitions,
	}
	if r.Model == "" {
		r.Model = "embedded"
	}
	for _, p := range m.Config.Params() {
		r.Parameters += p.Size()
	}
	return r
}

// print writes the report as a table.
func (r benchReport) print(w io.Writer) error {
	if err := table(w,
		"machine", fmt.Sprintf("%s, %s, %s", cores(r.Cores), r.ISA, r.Platform),
		"built by", r.Go,
		"model", fmt.Sprintf("%s, %s, %d parameters", r.Model, r.Fingerprint, r.Parameters),
		"audio", fmt.Sprintf("%d s of synthetic voice, median of %d repetitions", r.Seconds, r.Repetitions),
	); err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n%-10s  %18s  %18s\n%-10s", "", "x real time", "GFLOP/s", "stage")
	for range 2 {
		fmt.Fprintf(&b, "  %8s  %8s", cores(1), cores(r.Cores))
	}
	b.WriteByte('\n')
	for _, s := range r.Stages {
		fmt.Fprintf(&b, "%-10s  %8s  %8s", s.Name, figure(s.XRealtimeOne), figure(s.XRealtime))
		if s.GFLOPS > 0 {
			fmt.Fprintf(&b, "  %8s  %8s", figure(s.GFLOPSOneCore), figure(s.GFLOPS))
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func cores(n int) string {
	if n == 1 {
		return "1 core"
	}
	return fmt.Sprintf("%d cores", n)
}

// figure prints three digits, and those before the point.
func figure(x float64) string {
	switch {
	case x < 10:
		return fmt.Sprintf("%.2f", x)
	case x < 100:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.0f", x)
}

// stage is one step of the data path on inputs that are ready.
type stage struct {
	name         string
	multiplyAdds int64 // in the matrix products of a run; 0: not known
	run          func() error
}

// measure times the stage on one core and on all of them.
func (s stage) measure(ctx context.Context, seconds, cores int) (stageReport, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	one, err := s.duration(ctx)
	if err != nil {
		return stageReport{}, err
	}
	all := one
	if cores > 1 {
		runtime.GOMAXPROCS(cores)
		if all, err = s.duration(ctx); err != nil {
			return stageReport{}, err
		}
	}
	gflops := 2e-9 * float64(s.multiplyAdds)
	return stageReport{
		Name: s.name, XRealtimeOne: float64(seconds) / one, XRealtime: float64(seconds) / all,
		GFLOPSOneCore: gflops / one, GFLOPS: gflops / all,
	}, nil
}

// duration returns the median time (s) of a run.
func (s stage) duration(ctx context.Context) (float64, error) {
	runtime.GC() // a stage pays for its own garbage, not for that of the one before
	begun := time.Now()
	if err := s.run(); err != nil { // grows buffers and makes tables: not counted
		return 0, fmt.Errorf("stage %s: %w", s.name, err)
	}
	runs := 1 + int(benchRepetition/max(time.Since(begun), time.Microsecond))
	var times [benchRepetitions]float64
	for i := range times {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		begun := time.Now()
		for range runs {
			if err := s.run(); err != nil {
				return 0, fmt.Errorf("stage %s: %w", s.name, err)
			}
		}
		times[i] = time.Since(begun).Seconds() / float64(runs)
	}
	slices.Sort(times[:])
	return times[benchRepetitions/2], nil
}
