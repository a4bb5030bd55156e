package cli

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"vqspeech/internal/npy"
	"vqspeech/model/image"
)

// isPicture reports whether an output for images is one picture of them, not an
// array.
func isPicture(out string) bool { return strings.EqualFold(filepath.Ext(out), ".png") }

// checkImageOutput refuses an output that is neither, or is mixed with a report.
func checkImageOutput(out string, asJSON bool) error {
	switch {
	case out != "-" && !isPicture(out) && !strings.EqualFold(filepath.Ext(out), ".npy"):
		return usagef("output %q must end in .npy or .png", out)
	case out == "-" && asJSON:
		return usagef("--json and the images cannot both go to standard output")
	case out != "-" && !isFolder(filepath.Dir(out)):
		return outputNamed(out, fmt.Errorf("folder %s does not exist", filepath.Dir(out)))
	}
	return nil
}

// writeImages writes the array of a set [N, H, W, C], or a picture of rows.
func (a *app) writeImages(cmd *cobra.Command, path string, cfg image.Config, set image.Set, rows ...image.Set) error {
	out, err := a.create(cmd, path)
	if err != nil {
		return err
	}
	defer out.Abort()
	if isPicture(path) {
		err = image.WriteGrid(out, cfg, rows...)
	} else {
		err = npy.Write(out, []int{set.N, set.Height, set.Width, set.Channels}, set.Images)
	}
	if err == nil {
		err = out.Commit()
	}
	return outputNamed(path, err)
}
