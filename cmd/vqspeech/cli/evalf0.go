package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"vqspeech/features/metric"
)

func (a *app) evalF0Cmd() *cobra.Command {
	cfg := metric.DefaultF0()
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "f0 REF OUT",
		Short: "Pitch and voicing errors of recordings",
		Long: `F0 tracks the pitch of recordings and their references every 10 ms and prints how
they differ, pooled over frames: the root mean squared error and the correlation
of frames that are voiced in both; the gross pitch error (of those, the share that
is off by more than 20 %); the voicing decision error (of all frames, the share
that is voiced in one of the two only); the F0 frame error (of all frames, the
share with either).` + pairsHelp + lengthHelp + pairsJSONHelp + `
"rmse_hz", "rmse_cents", "rmse_log", "corr_hz", "corr_log", "gpe", "vde" and "ffe".`,
		Example: `  vqspeech eval f0 talk.wav copy.wav
  vqspeech eval f0 refs/ decoded/ --fmin 100 --fmax 600`,
		Args: cobra.ExactArgs(2),
		RunE: a.verb(func(cmd *cobra.Command, args []string) error {
			if err := cfg.Validate(); err != nil {
				return usagef("--fmin, --fmax: %v", err)
			}
			return evalPairs(a, cmd, pairMeasure[metric.F0Error]{
				metric: "f0", convention: fmt.Sprintf("nccf, %v to %v Hz", cfg.FMin, cfg.FMax),
				measure: func(r, e []float32, rate int) (metric.F0Error, error) { return metric.F0Errors(r, e, rate, cfg) },
				pool: func(pairs []metric.F0Error) []float64 {
					var f metric.F0Error
					for _, p := range pairs {
						f.Merge(p)
					}
					return []float64{
						f.RMSEHz(), f.RMSECents(), f.RMSELog(), f.CorrelationHz(), f.CorrelationLog(), f.GPE(), f.VDE(), f.FFE(),
					}
				},
				figures: []pairFigure{
					{key: "rmse_hz", label: "rmse", format: "%.2f", unit: "Hz"},
					{key: "rmse_cents", label: "rmse", format: "%.1f", unit: "cents"},
					{key: "rmse_log", label: "rmse of ln", format: "%.4f"},
					{key: "corr_hz", label: "correlation", format: "%.4f"},
					{key: "corr_log", label: "correlation of ln", format: "%.4f"},
					{key: "gpe", label: "gross pitch error", format: "%.2f", unit: "%", scale: 100},
					{key: "vde", label: "voicing decision error", format: "%.2f", unit: "%", scale: 100},
					{key: "ffe", label: "f0 frame error", format: "%.2f", unit: "%", scale: 100},
				},
			}, args[0], args[1], asJSON)
		}),
	}
	f := cmd.Flags()
	f.Float64Var(&cfg.FMin, "fmin", cfg.FMin, "lowest pitch (Hz)")
	f.Float64Var(&cfg.FMax, "fmax", cfg.FMax, "highest pitch (Hz)")
	f.BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}
