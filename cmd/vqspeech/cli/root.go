package cli

import (
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

func (a *app) rootCmd() *cobra.Command {
	root := &cobra.Command{
		Use:   "vqspeech",
		Short: "Speech to discrete units and back, in any known voice",
		Long: `vqspeech turns speech into discrete units, units into speech, and one voice into
another, with vector-quantised autoencoders (VQ-VAE and SQ-VAE), and trains and
judges such models.

Audio files are WAV or FLAC, told apart by their content, at any sample rate.
The file name - stands for standard input or output. Results go to standard
output, everything else to standard error. The exit status is 0 (done),
1 (failed) or 2 (used wrongly). GOMAXPROCS limits the number of threads.`,
		Example: `  vqspeech encode talk.wav                    # talk.vqs
  vqspeech decode talk.vqs -o copy.wav
  vqspeech convert talk.wav --to 1088         # talk-to-1088.wav
  sox in.mp3 -t wav - | vqspeech encode - --format txt -o -`,
		Version:            version(),
		SilenceErrors:      true,
		SilenceUsage:       true,
		DisableSuggestions: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			return usagef("no command given")
		},
	}
	root.Args = func(cmd *cobra.Command, args []string) error { return unknownCommand(cmd, args) }
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.PersistentFlags().StringVar(&a.modelPath, "model", "", "model file (default: the embedded model)")
	_ = root.MarkPersistentFlagFilename("model", "safetensors") // fails only for unknown flags

	root.AddGroup(
		&cobra.Group{ID: "use", Title: "Speech and units:"},
		&cobra.Group{ID: "train", Title: "Training and judging:"},
	)
	add := func(group string, cmds ...*cobra.Command) {
		for _, c := range cmds {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add("use", a.encodeCmd(), a.decodeCmd(), a.convertCmd(), a.featuresCmd(), a.vocodeCmd(), a.speakersCmd(), a.inspectCmd(), a.benchCmd())
	add("train", a.prepareCmd(), a.trainCmd(), a.reconstructCmd(), a.sampleCmd(), a.evalCmd(), a.plotCmd(), a.tableCmd(), a.figureCmd(), a.importCmd(), a.exportCmd())
	return root
}

// unknownCommand is the Args of commands that only have subcommands.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := usageError{err: fmt.Errorf("unknown command %q for %q", args[0], cmd.CommandPath())}
	cmd.SuggestionsMinimumDistance = 2
	if s := cmd.SuggestionsFor(args[0]); len(s) > 0 {
		err.hint = fmt.Sprintf("did you mean %s?", strings.Join(s, " or "))
	}
	return err
}

// version is the module version and the commit that go build recorded.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown)"
	}
	v := info.Main.Version
	if v == "" {
		v = "(devel)"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && !strings.Contains(v, s.Value[:min(12, len(s.Value))]) {
			v += " " + s.Value[:min(12, len(s.Value))]
		}
	}
	return v + " " + info.GoVersion
}
