package cli

import (
	"context"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"vqspeech/internal/npy"
	"vqspeech/model"
	"vqspeech/quant/units"
)

// isMel reports whether an output of decode is a spectrogram.
func isMel(out string) bool { return strings.EqualFold(filepath.Ext(out), ".npy") }

// decodeMel writes the spectrogram of the rest of a .vqs file in the voice of
// a speaker and returns how many units it had.
func (a *app) decodeMel(ctx context.Context, cmd *cobra.Command, m *model.Model, r *units.Reader, speaker, path string) (n int64, err error) {
	row, err := m.SpeakerIndex(speaker)
	if err != nil {
		return 0, err
	}
	out, err := a.create(cmd, path)
	if err != nil {
		return 0, err
	}
	defer out.Abort()
	decoder := m.NewDecoder(row)
	var mel []float32 // [T, M]
	codes := make([]uint16, 1024)
	for err != io.EOF {
		var k int
		k, err = r.Read(codes)
		n += int64(k)
		mel = append(mel, decoder.Push(codes[:k])...)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil && err != io.EOF {
			return n, err
		}
	}
	if err := checkCount(m.Config, n, r.Samples()); err != nil {
		return n, err
	}
	mel = append(mel, decoder.Flush(r.Samples())...)
	bands := m.Config.Features.NMels
	frames := len(mel) / bands
	if err := npy.Write(out, []int{bands, frames}, transpose(mel, frames, bands)); err != nil {
		return n, err
	}
	return n, out.Commit()
}
