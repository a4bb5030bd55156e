package cli

import (
	"github.com/spf13/cobra"

	"vqspeech/features/metric"
)

func (a *app) evalSISDRCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "sisdr REF OUT",
		Short: "Scale-invariant signal-to-distortion ratio of recordings (dB)",
		Long: `Sisdr prints the scale-invariant signal-to-distortion ratio (Le Roux et al. 2019)
of recordings against their references in dB, as the mean over pairs. It compares
samples, so that a vocoder with phases of its own scores low however it sounds. An
OUT that is REF times a constant has no finite ratio.` + pairsHelp + lengthHelp + pairsJSONHelp + ` "si_sdr_db".`,
		Example: `  vqspeech eval sisdr talk.wav copy.wav`,
		Args:    cobra.ExactArgs(2),
		RunE: a.verb(func(cmd *cobra.Command, args []string) error {
			return evalPairs(a, cmd, pairMeasure[float64]{
				metric: "sisdr", convention: "zero-mean", measure: metric.SISDR, pool: poolEqually,
				figures: []pairFigure{{key: "si_sdr_db", label: "si-sdr", format: "%.2f", unit: "dB"}},
			}, args[0], args[1], asJSON)
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}
