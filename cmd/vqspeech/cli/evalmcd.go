package cli

import (
	"github.com/spf13/cobra"

	"vqspeech/features/metric"
)

func (a *app) evalMCDCmd() *cobra.Command {
	var dtw, asJSON bool
	cmd := &cobra.Command{
		Use:   "mcd REF OUT",
		Short: "Mel-cepstral distortion of recordings (dB)",
		Long: `Mcd prints the mel-cepstral distortion of recordings against their references in
dB, pooled over frames, under the convention ` + metric.MCDConvention + `: 13 coefficients, without
c0, of the cosine transform of ln mel amplitude (80 bands, 16 kHz, 10 ms), all
frames. With --dtw it is pooled over the steps of the cheapest alignment, and
lengths may differ; time grows with the square of the length.` + pairsHelp + lengthHelp + pairsJSONHelp + ` "mcd_db".`,
		Example: `  vqspeech eval mcd talk.wav copy.wav
  vqspeech eval mcd refs/ decoded/ --dtw --json`,
		Args: cobra.ExactArgs(2),
		RunE: a.verb(func(cmd *cobra.Command, args []string) error {
			m := pairMeasure[metric.Mean]{
				metric: "mcd", convention: metric.MCDConvention, measure: metric.MCD, pool: poolMeans,
				figures: []pairFigure{{key: "mcd_db", label: "mcd", format: "%.3f", unit: "dB"}},
			}
			if dtw {
				m.convention, m.measure, m.anyLength = metric.MCDConvention+"-dtw", metric.AlignedMCD, true
				m.figures[0].label = "mcd, aligned"
			}
			return evalPairs(a, cmd, m, args[0], args[1], asJSON)
		}),
	}
	cmd.Flags().BoolVar(&dtw, "dtw", false, "align the frames first (dynamic time warping)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}
