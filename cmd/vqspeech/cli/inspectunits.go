package cli

import (
	"fmt"
	"io"

	"vqspeech/quant/units"
)

// unitsReport is the JSON object of inspect for a .vqs file.
type unitsReport struct {
	File           string  `json:"file"`
	Kind           string  `json:"kind"`
	Fingerprint    string  `json:"fingerprint"`
	SampleRate     int     `json:"sample_rate"`
	Hop            int     `json:"hop"`
	CodeRate       float64 `json:"code_rate_hz"`
	CodebookSize   int     `json:"codebook_size"`
	Speaker        string  `json:"speaker"`
	Samples        int64   `json:"samples"`
	Seconds        float64 `json:"seconds"`
	Units          int64   `json:"units"`
	Distinct       int     `json:"distinct_units"`
	NominalBitrate float64 `json:"nominal_bitrate_bps"`
	Bytes          int64   `json:"bytes"`
	Bitrate        float64 `json:"bitrate_bps"`
}

func inspectUnits(w io.Writer, file string, in io.Reader, asJSON bool) error {
	size := &countingReader{r: in}
	u, err := units.NewReader(size)
	if err != nil {
		return err
	}
	h := u.Header()
	r := unitsReport{
		File: file, Kind: "units", Fingerprint: fmt.Sprintf("%x", h.Fingerprint), SampleRate: h.SampleRate, Hop: h.Hop,
		CodeRate: h.CodeRate(), CodebookSize: h.CodebookSize, Speaker: h.Speaker,
		NominalBitrate: h.Bitrate(),
	}
	seen := make([]bool, h.CodebookSize)
	codes := make([]uint16, units.BlockUnits)
	for {
		n, err := u.Read(codes)
		r.Units += int64(n)
		for _, c := range codes[:n] {
			if !seen[c] {
				seen[c] = true
				r.Distinct++
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	r.Samples, r.Bytes = u.Samples(), size.n
	r.Seconds = float64(r.Samples) / float64(h.SampleRate)
	if r.Seconds > 0 {
		r.Bitrate = 8 * float64(r.Bytes) / r.Seconds
	}
	if asJSON {
		return writeJSON(w, r)
	}
	speaker := r.Speaker
	if speaker == "" {
		speaker = "(not recorded)"
	}
	return table(w,
		"kind", "units",
		"model", r.Fingerprint,
		"speaker", speaker,
		"duration", fmt.Sprintf("%.2f s, %d samples at %d Hz", r.Seconds, r.Samples, r.SampleRate),
		"units", fmt.Sprintf("%d at %g Hz, %d of %d codes used", r.Units, r.CodeRate, r.Distinct, r.CodebookSize),
		"bit rate", fmt.Sprintf("%.1f bit/s nominal, %.1f bit/s measured", r.NominalBitrate, r.Bitrate),
		"size", fmt.Sprintf("%d bytes", r.Bytes),
	)
}

type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
