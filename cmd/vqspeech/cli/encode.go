package cli

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"vqspeech/model"
	"vqspeech/quant/units"
)

type encodeOptions struct {
	out, format, speaker string
	json                 bool
}

// encodeReport is the JSON object of encode.
type encodeReport struct {
	File           string  `json:"file"`
	Output         string  `json:"output"`
	Format         string  `json:"format"`
	Samples        int64   `json:"samples"`
	SampleRate     int     `json:"sample_rate"`
	Seconds        float64 `json:"seconds"`
	Units          int64   `json:"units"`
	CodeRate       float64 `json:"code_rate_hz"`
	NominalBitrate float64 `json:"nominal_bitrate_bps"`
	Bytes          int64   `json:"bytes"`
	Bitrate        float64 `json:"bitrate_bps"`
	XRealtime      float64 `json:"x_realtime"`
}

// failReport is the JSON object of an input that failed, for every verb.
type failReport struct {
	File  string `json:"file"`
	Error string `json:"error"`
}

func (a *app) encodeCmd() *cobra.Command {
	var o encodeOptions
	cmd := &cobra.Command{
		Use:   "encode IN... [-o OUT]",
		Short: "Turn audio into discrete units",
		Long: `Encode turns audio files (WAV or FLAC) into discrete units.

OUT is by default IN with the suffix of the format. With several IN it is a
folder, or one file for the formats txt and json (one line a file, in order).

Formats:
  vqs   the compact container: bit-packed, checked, seekable; what decode reads
  txt   the units of a file separated by single spaces, one file a line
  json  one object a line: units and what they mean
  npy   NumPy array [L] uint16

A line on standard error reports, for each file, the duration, the number of
units, the nominal bit rate (units/s x log2 codebook size) and that of what was
written, and the speed. With --json it is an object a line on standard output instead:
  {"file", "output", "format", "samples", "sample_rate" (Hz), "seconds", "units",
   "code_rate_hz", "nominal_bitrate_bps", "bytes", "bitrate_bps", "x_realtime"}
or {"file", "error"}. A file that fails does not keep the others from being done.`,
		Example: `  vqspeech encode talk.flac                     # talk.vqs
  vqspeech encode *.wav -o units/ --format npy
  vqspeech encode talk.wav --format txt -o -`,
		Args: cobra.MinimumNArgs(1),
		RunE: a.verb(func(cmd *cobra.Command, args []string) error { return a.encode(cmd, args, o) }),
	}
	f := cmd.Flags()
	f.StringVarP(&o.out, "output", "o", "", "output file, or folder (made if it ends in a slash); - is standard output")
	f.StringVar(&o.format, "format", "", "vqs, txt, json or npy (default: by the suffix of OUT, else vqs)")
	f.StringVar(&o.speaker, "speaker", "", "speaker id to record in the units (default: none)")
	f.BoolVar(&o.json, "json", false, "report as JSON on standard output")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(units.Formats, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (a *app) encode(cmd *cobra.Command, args []string, o encodeOptions) error {
	if o.format == "" {
		o.format = "vqs"
		if ext := strings.TrimPrefix(filepath.Ext(o.out), "."); slices.Contains(units.Formats, ext) {
			o.format = ext
		}
	}
	if !slices.Contains(units.Formats, o.format) {
		return usagef("unknown format %q, want %s", o.format, strings.Join(units.Formats, ", "))
	}
	jobs, err := plan(args, o.out, "."+o.format, o.format == "txt" || o.format == "json")
	if err != nil {
		return err
	}
	if o.json && slices.ContainsFunc(jobs, job.toStdout) {
		return usagef("--json and the units cannot both go to standard output")
	}
	m, err := a.model()
	if err != nil {
		return err
	}
	e := &encoding{app: a, cmd: cmd, model: m, opt: o, failed: failures{w: a.stderr}}
	if len(jobs) > 1 && jobs[0].out == jobs[1].out {
		err = e.together(cmd.Context(), jobs)
	} else {
		err = e.apart(cmd.Context(), jobs)
	}
	if err != nil {
		return err
	}
	return e.failed.result(len(jobs))
}

// encoding is one run of the verb.
type encoding struct {
	app    *app
	cmd    *cobra.Command
	model  *model.Model
	opt    encodeOptions
	failed failures
}

// apart encodes each input into an output of its own.
func (e *encoding) apart(ctx context.Context, jobs []job) error {
	for _, j := range jobs {
		if err := e.report(j, func() (encodeReport, error) {
			out, err := e.app.create(e.cmd, j.out)
			if err != nil {
				return encodeReport{}, err
			}
			defer out.Abort()
			r, err := e.one(ctx, j.in, out)
			if err == nil {
				err = out.Commit()
			}
			return r, err
		}); err != nil {
			return err
		}
	}
	return nil
}

// together encodes all inputs into one text output, which has the lines of
// those that did not fail: a line is written when it is complete.
func (e *encoding) together(ctx context.Context, jobs []job) error {
	out, err := e.app.create(e.cmd, jobs[0].out)
	if err != nil {
		return err
	}
	defer out.Abort()
	for _, j := range jobs {
		var line bytes.Buffer
		if err := e.report(j, func() (encodeReport, error) {
			return e.one(ctx, j.in, &output{stdout: &line, forget: func() {}})
		}); err != nil {
			return err
		}
		if _, err := out.Write(line.Bytes()); err != nil {
			return err
		}
	}
	if e.failed.count == len(jobs) {
		return nil // and the output stays as it was
	}
	return out.Commit()
}

// one encodes a file to out.
func (e *encoding) one(ctx context.Context, in string, out *output) (encodeReport, error) {
	begun, before := time.Now(), out.bytes
	cfg := e.model.Config
	h := unitsHeader(e.model)
	h.Speaker = e.opt.speaker
	w, err := units.NewSink(out, e.opt.format, h, in)
	if err != nil {
		return encodeReport{}, err
	}
	var count int64
	samples, err := e.model.EncodeFile(in, func(codes []uint16) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		count += int64(len(codes))
		return w.Write(codes)
	})
	if err == nil {
		err = w.Close(samples)
	}
	if err != nil {
		return encodeReport{}, err
	}
	seconds := float64(samples) / float64(cfg.Features.SampleRate)
	r := encodeReport{
		Format: e.opt.format, Samples: samples, SampleRate: cfg.Features.SampleRate, Seconds: seconds, Units: count,
		CodeRate: cfg.CodeRate(), NominalBitrate: h.Bitrate(),
		Bytes:     out.bytes - before,
		XRealtime: seconds / time.Since(begun).Seconds(),
	}
	r.Bitrate = 8 * float64(r.Bytes) / seconds
	return r, nil
}

// report runs one job and prints what came of it. It returns only what ends
// the whole run: an interrupt, or an output shared by all that broke.
func (e *encoding) report(j job, run func() (encodeReport, error)) error {
	r, err := run()
	if err != nil {
		return e.app.failed(e.cmd, &e.failed, j.in, err, e.opt.json)
	}
	r.File, r.Output = j.in, j.out
	if e.opt.json {
		return writeJSON(e.cmd.OutOrStdout(), r)
	}
	fmt.Fprintf(e.app.stderr, "%s: %.2f s, %d units, %.1f bit/s nominal, %.1f bit/s measured, %.0f x real time\n",
		display(j.in), r.Seconds, r.Units, r.NominalBitrate, r.Bitrate, r.XRealtime)
	return nil
}

// failed reports an input that failed and lets the others go on; an interrupt
// it returns.
func (a *app) failed(cmd *cobra.Command, f *failures, in string, err error, asJSON bool) error {
	if ctxErr := cmd.Context().Err(); ctxErr != nil {
		return ctxErr
	}
	err = named(in, err)
	f.add(err)
	if asJSON {
		return writeJSON(cmd.OutOrStdout(), failReport{File: in, Error: err.Error()})
	}
	return nil
}
