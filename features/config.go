package features

import (
	"strconv"

	"vqspeech/internal/fields"
)

// FrontEnd names a level convention: how log-mel decibels become features.
type FrontEnd string

const (
	// Reference is the published front end (sony/sqvae, speech): the waveform
	// is scaled to a peak of 0.999 and the log-mel is floored TopDB under the
	// maximum of the whole utterance. It needs the whole utterance.
	Reference FrontEnd = "reference"

	// Stream has a fixed reference level (full scale) and a fixed floor
	// (FloorDB), so that features of a prefix are a prefix of the features.
	Stream FrontEnd = "stream"
)

// Config fixes the log-mel spectrogram. The zero value is not valid; start
// from Default.
type Config struct {
	FrontEnd    FrontEnd `yaml:"front_end" json:"front_end"`
	SampleRate  int      `yaml:"sample_rate" json:"sample_rate"` // Hz
	NFFT        int      `yaml:"n_fft" json:"n_fft"`             // samples, a power of two
	WinLength   int      `yaml:"win_length" json:"win_length"`   // samples
	HopLength   int      `yaml:"hop_length" json:"hop_length"`   // samples
	NMels       int      `yaml:"n_mels" json:"n_mels"`           // bands
	FMin        float64  `yaml:"f_min" json:"f_min"`             // Hz
	FMax        float64  `yaml:"f_max" json:"f_max"`             // Hz
	PreEmphasis float64  `yaml:"preemphasis" json:"preemphasis"` // y[n] = x[n] - a x[n-1]
	TopDB       float64  `yaml:"top_db" json:"top_db"`           // dB; one feature unit, and the range of Reference
	FloorDB     float64  `yaml:"floor_db" json:"floor_db"`       // dB re 1.0; lowest level of Stream
}

// Default returns the published constants (sony/sqvae and bshall/ZeroSpeech)
// with the given front end.
func Default(f FrontEnd) Config {
	return Config{
		FrontEnd: f, SampleRate: 16000, NFFT: 2048, WinLength: 400, HopLength: 160,
		NMels: 80, FMin: 50, FMax: 8000, PreEmphasis: 0.97, TopDB: 80, FloorDB: -80,
	}
}

// Validate reports every field that is out of range, one error each.
func (c Config) Validate() error {
	check := fields.Of("features")
	check.That(c.FrontEnd == Reference || c.FrontEnd == Stream, "front_end", `"reference" or "stream"`, strconv.Quote(string(c.FrontEnd)))
	check.That(c.SampleRate >= 4000 && c.SampleRate <= 192000, "sample_rate", "between 4000 and 192000 Hz", c.SampleRate)
	check.That(c.NFFT >= 64 && c.NFFT <= 1<<15 && c.NFFT&(c.NFFT-1) == 0, "n_fft", "a power of two between 64 and 32768", c.NFFT)
	check.That(c.WinLength >= 2 && c.WinLength <= c.NFFT && c.WinLength%2 == 0, "win_length", "even, between 2 and n_fft", c.WinLength)
	check.That(c.HopLength >= 1 && c.HopLength <= min(c.WinLength, 1<<15-1), "hop_length", "between 1 and win_length, below 32768", c.HopLength)
	check.Between("n_mels", c.NMels, 1, 512)
	check.That(c.FMin >= 0 && c.FMin < c.FMax, "f_min", "at least 0 and below f_max", c.FMin)
	check.That(c.FMax <= float64(c.SampleRate)/2, "f_max", "at most half the sample rate", c.FMax)
	check.That(c.PreEmphasis >= 0 && c.PreEmphasis < 1, "preemphasis", "in [0, 1)", c.PreEmphasis)
	check.That(c.TopDB >= 1 && c.TopDB <= 200, "top_db", "between 1 and 200 dB", c.TopDB)
	check.That(c.FloorDB >= ampFloorDB && c.FloorDB < 0, "floor_db", "in [-100, 0) dB", c.FloorDB)
	return check.Err()
}
