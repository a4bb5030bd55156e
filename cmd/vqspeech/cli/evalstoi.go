package cli

import (
	"github.com/spf13/cobra"

	"vqspeech/features/metric"
)

func (a *app) evalSTOICmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "stoi REF OUT",
		Short: "Short-time objective intelligibility of recordings",
		Long: `Stoi prints the short-time objective intelligibility (Taal et al. 2011) of
recordings against their references, from 0 to 1, as the mean over pairs. A
recording with less than 0.4 s of sound has none.` + pairsHelp + lengthHelp + pairsJSONHelp + ` "stoi".`,
		Example: `  vqspeech eval stoi refs/ decoded/`,
		Args:    cobra.ExactArgs(2),
		RunE: a.verb(func(cmd *cobra.Command, args []string) error {
			return evalPairs(a, cmd, pairMeasure[float64]{
				metric: "stoi", convention: "taal-2011", measure: metric.STOI, pool: poolEqually,
				figures: []pairFigure{{key: "stoi", label: "stoi", format: "%.4f"}},
			}, args[0], args[1], asJSON)
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}
