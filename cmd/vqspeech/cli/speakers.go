package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

// speakersReport is the JSON object of speakers.
type speakersReport struct {
	Speakers []speakerReport `json:"speakers"`
}

type speakerReport struct {
	ID string `json:"id"`
}

func (a *app) speakersCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "speakers",
		Short: "List the voices of a model",
		Long: `Speakers lists the ids of the speakers that the model can speak as, one a line.
The first is the default voice of decode.

With --json it is {"speakers": [{"id"}, ...]}.`,
		Args: cobra.NoArgs,
		RunE: a.verb(func(cmd *cobra.Command, _ []string) error {
			m, err := a.model()
			if err != nil {
				return err
			}
			r := speakersReport{Speakers: []speakerReport{}}
			for _, id := range m.Config.Speakers {
				r.Speakers = append(r.Speakers, speakerReport{ID: id})
				if !asJSON {
					if _, err := fmt.Fprintln(cmd.OutOrStdout(), id); err != nil {
						return err
					}
				}
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), r)
			}
			return nil
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// completeSpeaker completes a flag with the ids of the model's speakers.
func (a *app) completeSpeaker(cmd *cobra.Command, flag string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		m, err := a.model()
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		return m.Config.Speakers, cobra.ShellCompDirectiveNoFileComp
	})
}
