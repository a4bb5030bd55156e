package chart

import (
	"fmt"
	"image"
	"io"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Spectrogram is a picture over time and frequency.
type Spectrogram struct {
	Title   string
	Image   image.Image
	Seconds float64
}

const (
	spectrogramWidth  = 7.5 * vg.Inch
	spectrogramHeight = 1.9 * vg.Inch
	scaleWidth        = 0.85 * vg.Inch
	maxSpectrograms   = 32
)

// WriteSpectrograms writes spectrograms below each other on one scale of time,
// so that what is at the same time stands at the same place.
//
//	centres   of the bands of all pictures (Hz), lowest first
//	scale     the colours from lo at the bottom up to hi (dB)
func WriteSpectrograms(w io.Writer, ss []Spectrogram, centres []float64, scale image.Image, lo, hi float64) error {
	if len(ss) == 0 || len(ss) > maxSpectrograms {
		return fmt.Errorf("chart: %d spectrograms, want 1 to %d", len(ss), maxSpectrograms)
	}
	var longest float64
	for _, s := range ss {
		longest = max(longest, s.Seconds)
	}
	plots := make([][]*plot.Plot, len(ss))
	for i, s := range ss {
		p := newPlot(s.Title, "", "frequency (Hz)")
		p.Add(plotter.NewImage(s.Image, 0, 0, s.Seconds, 1))
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, longest, 0, 1
		p.X.Padding, p.Y.Padding, p.Y.Tick.Marker = 0, 0, plot.ConstantTicks(frequencyTicks(centres))
		if i == len(ss)-1 {
			p.X.Label.Text = "time (s)"
		}
		plots[i] = []*plot.Plot{p}
	}
	bar := newPlot("", "", "level (dB)")
	bar.Add(plotter.NewImage(scale, 0, lo, 1, hi))
	bar.HideX()
	bar.Y.Padding = 0

	height := vg.Length(len(ss))*spectrogramHeight + 2*margin
	return write(w, spectrogramWidth+scaleWidth+2*margin, height, func(c draw.Canvas) {
		tiles := draw.Tiles{Rows: len(ss), Cols: 1, PadY: 0.12 * vg.Inch}
		for i, row := range plot.Align(plots, tiles, draw.Crop(c, 0, -scaleWidth, 0, 0)) {
			plots[i][0].Draw(row[0])
		}
		bar.Draw(draw.Crop(c, spectrogramWidth+0.1*vg.Inch, 0, height-spectrogramHeight-margin, -vg.Points(16)))
	})
}

// frequencyTicks places round frequencies among the centres of bands, which
// share the axis from 0 to 1.
func frequencyTicks(centres []float64) []plot.Tick {
	var ts []plot.Tick
	for _, hz := range []float64{250, 500, 1000, 2000, 4000, 8000} {
		for i := 1; i < len(centres); i++ {
			if lo, hi := centres[i-1], centres[i]; lo <= hz && hz < hi {
				band := float64(i) - 0.5 + (hz-lo)/(hi-lo)
				ts = append(ts, plot.Tick{Value: band / float64(len(centres)), Label: fmt.Sprint(hz)})
			}
		}
	}
	return ts
}
