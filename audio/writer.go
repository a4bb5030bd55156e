package audio

import (
	"io"
	"os"

	"vqspeech/audio/wav"
	"vqspeech/internal/atomicfile"
	"vqspeech/internal/strict"
)

// A Writer writes a recording piece by piece as 16-bit mono WAV.
type Writer struct {
	wav  *wav.Writer
	file *atomicfile.File // nil: standard output
}

// Create starts a recording at path, at sampleRate (Hz). The file appears at
// path with Close, complete, or not at all. On standard output ("-") samples
// are written as they come, under a header with sizes of 0xFFFFFFFF, as ffmpeg
// does.
func Create(path string, sampleRate int) (*Writer, error) {
	if path == "-" {
		// An anonymous struct hides Seek, which would patch the wrong place of a
		// file that the shell appends to.
		w, err := wav.NewWriter(struct{ io.Writer }{os.Stdout}, sampleRate)
		if err != nil {
			return nil, strict.Cause(err)
		}
		return &Writer{wav: w}, nil
	}
	f, err := atomicfile.Create(path)
	if err != nil {
		return nil, err
	}
	w, err := wav.NewWriter(f, sampleRate)
	if err != nil {
		f.Abort()
		return nil, err
	}
	return &Writer{wav: w, file: f}, nil
}

// Write appends samples, rounded half to even and clipped to [-1, 1). A sample
// that is not finite is an error. After an error the recording cannot be
// completed: Abort it.
func (w *Writer) Write(samples []float32) error { return strict.Cause(w.wav.Write(samples)) }

// Close completes the recording. After an error nothing is left at path.
func (w *Writer) Close() error {
	if err := w.wav.Close(); err != nil {
		w.Abort()
		return strict.Cause(err)
	}
	if w.file == nil {
		return nil
	}
	return w.file.Commit()
}

// Abort gives the recording up and removes what was written, except from
// standard output. After Close it does nothing, so it can be deferred.
func (w *Writer) Abort() {
	if w.file != nil {
		w.file.Abort()
	}
}
