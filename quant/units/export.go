package units

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"vqspeech/internal/npy"
)

// A Sink takes the codes of one file in order, each below the codebook size,
// and then, once, the number of samples that they stand for. Close does not
// close the underlying writer.
type Sink interface {
	Write(codes []uint16) error
	Close(samples int64) error
}

// Formats lists the names that NewSink knows.
var Formats = []string{"vqs", "txt", "json", "npy"}

// NewSink returns a Sink for one file in one of the Formats:
//
//   - vqs: see Writer.
//   - txt: the units in decimal, separated by single spaces; one line.
//   - json: one object; one line. Keys, in this order: file (the argument),
//     model (fingerprint, 16 hexadecimal digits), sample_rate (Hz), code_rate_hz,
//     codebook_size, speaker ("" if not known), units (array), samples.
//   - npy: uint16 ('<u2') [L]. Its header needs L, so this one holds all units
//     (2 bytes each) until Close; the others write as units come.
func NewSink(w io.Writer, format string, h Header, file string) (Sink, error) {
	if format == "vqs" {
		return NewWriter(w, h)
	}
	if err := h.Validate(); err != nil {
		return nil, err
	}
	switch format {
	case "txt":
		return &listSink{w: bufio.NewWriter(w), separator: " ", end: func(int64) string { return "\n" }}, nil
	case "json":
		return newJSONSink(w, h, file), nil
	case "npy":
		return &npySink{w: w}, nil
	}
	return nil, fmt.Errorf("units: unknown format %q, want one of %s", format, strings.Join(Formats, ", "))
}

// Copy moves everything that is left in src to dst and closes dst.
func Copy(dst Sink, src *Reader) error {
	buf := make([]uint16, BlockUnits)
	for {
		n, err := src.Read(buf)
		if err == io.EOF {
			return dst.Close(src.Samples())
		}
		if err != nil {
			return err
		}
		if err := dst.Write(buf[:n]); err != nil {
			return err
		}
	}
}

// listSink writes decimal numbers between two texts.
type listSink struct {
	w         *bufio.Writer // keeps its first error, and Close reports it
	separator string
	end       func(samples int64) string
	started   bool
}

func (s *listSink) Write(codes []uint16) error {
	for _, c := range codes {
		b := s.w.AvailableBuffer()
		if s.started {
			b = append(b, s.separator...)
		}
		s.started = true
		if _, err := s.w.Write(strconv.AppendUint(b, uint64(c), 10)); err != nil {
			return fmt.Errorf("units: %w", err)
		}
	}
	return nil
}

func (s *listSink) Close(samples int64) error {
	s.w.WriteString(s.end(samples))
	if err := s.w.Flush(); err != nil {
		return fmt.Errorf("units: %w", err)
	}
	return nil
}

// newJSONSink writes the object up to its units. samples comes last because a
// stream does not know it before.
func newJSONSink(w io.Writer, h Header, file string) Sink {
	head, _ := json.Marshal(struct { // strings and finite numbers cannot fail
		File         string  `json:"file"`
		Model        string  `json:"model"`
		SampleRate   int     `json:"sample_rate"`
		CodeRateHz   float64 `json:"code_rate_hz"`
		CodebookSize int     `json:"codebook_size"`
		Speaker      string  `json:"speaker"`
	}{file, hex.EncodeToString(h.Fingerprint[:]), h.SampleRate, h.CodeRate(), h.CodebookSize, h.Speaker})
	s := &listSink{w: bufio.NewWriter(w), separator: ","}
	s.w.Write(head[:len(head)-1]) // without the closing brace
	s.w.WriteString(`,"units":[`)
	s.end = func(samples int64) string { return fmt.Sprintf("],\"samples\":%d}\n", samples) }
	return s
}

// npySink holds all codes: the header in front of them has their number.
type npySink struct {
	w     io.Writer
	codes []uint16
}

func (s *npySink) Write(codes []uint16) error {
	s.codes = append(s.codes, codes...)
	return nil
}

func (s *npySink) Close(int64) error {
	if err := npy.Write(s.w, []int{len(s.codes)}, s.codes); err != nil {
		return fmt.Errorf("units: %w", err)
	}
	return nil
}
