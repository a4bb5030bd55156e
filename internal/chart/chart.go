// Package chart draws figures as PNG: curves over steps, spectrograms, the use
// of a codebook. It decides how they look, not what they show.
package chart

import (
	"image/color"
	"io"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/palette"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

const (
	dotsPerInch = 144
	margin      = 0.12 * vg.Inch
	legendGap   = 0.2 * vg.Inch
)

// newPlot returns empty axes in the style of all figures.
func newPlot(title, x, y string) *plot.Plot {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, x, y
	setFont(&p.Title.TextStyle, 11)
	p.Title.Padding = vg.Points(5)
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		setFont(&axis.Label.TextStyle, 10)
		setFont(&axis.Tick.Label, 9)
		axis.Label.Padding = vg.Points(3)
		axis.Tick.Marker = ticks{}
	}
	return p
}

func setFont(s *text.Style, points float64) {
	s.Font.Typeface, s.Font.Variant, s.Font.Size = "Liberation", "Sans", vg.Points(points)
}

// newLegend returns an empty legend at the top left of its canvas.
func newLegend() plot.Legend {
	l := plot.NewLegend()
	setFont(&l.TextStyle, 10)
	l.Top, l.Left, l.Padding, l.ThumbnailWidth = true, true, vg.Points(4), vg.Points(22)
	l.YPosition = draw.PosCenter
	return l
}

// ticks are three to seven round numbers. Large ones are in thousands or millions.
type ticks struct{}

func (ticks) Ticks(lo, hi float64) []plot.Tick {
	step := math.Pow(10, math.Floor(math.Log10((hi-lo)/7)))
	for _, factor := range []float64{2, 2.5, 2} { // 1, 2, 5, 10
		if step*7 >= hi-lo {
			break
		}
		step *= factor
	}
	unit, suffix := 1.0, ""
	switch most := math.Max(math.Abs(lo), math.Abs(hi)); {
	case most >= 1e6:
		unit, suffix = 1e6, "M"
	case most >= 1e4:
		unit, suffix = 1e3, "k"
	}
	var ts []plot.Tick
	first := math.Ceil(lo / step)
	for i := range 8 { // one more than there can be, whatever the rounding of huge values
		if v := (first + float64(i)) * step; v <= hi {
			ts = append(ts, plot.Tick{Value: v, Label: label(v/unit, step/unit, suffix)})
		}
	}
	return ts
}

// logTicks are 1, 2 and 5 of each power of ten, the powers alone where they are
// many, and those of a linear axis where they are few.
type logTicks struct{}

func (logTicks) Ticks(lo, hi float64) []plot.Tick {
	if !(lo > 0 && hi < math.MaxFloat64) {
		return nil
	}
	if hi/lo < 8 {
		return ticks{}.Ticks(lo, hi)
	}
	factors := []float64{1, 2, 5}
	first, last := math.Floor(math.Log10(lo)), math.Ceil(math.Log10(hi))
	if last-first > 3 {
		factors = factors[:1]
	}
	by := math.Ceil((last - first) / 8)
	var ts []plot.Tick
	for power := first; power <= last; power += max(by, 1) {
		for _, f := range factors {
			if v := f * math.Pow(10, power); v >= lo && v <= hi {
				ts = append(ts, plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'g', 4, 64)})
			}
		}
	}
	return ts
}

// labelled are ticks at given values.
func labelled(values []float64) plot.ConstantTicks {
	var ts plot.ConstantTicks
	for _, v := range values {
		ts = append(ts, plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'g', 4, 64)})
	}
	return ts
}

// label writes v, in a unit, with the digits that tell it from its neighbours at
// a step.
func label(v, step float64, unit string) string {
	if v == 0 {
		return "0"
	}
	if math.Abs(step) < 1e-4 {
		digits := max(3, math.Ceil(math.Log10(math.Abs(v)/step)+1e-9)+1)
		return strconv.FormatFloat(v, 'g', int(digits), 64)
	}
	digits := max(0, -math.Floor(math.Log10(step)+1e-9))
	return strconv.FormatFloat(v, 'f', int(digits), 64) + unit
}

// colours are told apart by colour-blind readers too (Okabe and Ito 2008).
var colours = []color.Color{
	color.NRGBA{0x00, 0x72, 0xb2, 0xff}, color.NRGBA{0xd5, 0x5e, 0x00, 0xff}, color.NRGBA{0x00, 0x9e, 0x73, 0xff},
	color.NRGBA{0xcc, 0x79, 0xa7, 0xff}, color.NRGBA{0xe6, 0x9f, 0x00, 0xff}, color.NRGBA{0x56, 0xb4, 0xe9, 0xff}, color.Black,
}

// pick returns n colours, from a rainbow where there are too many to be told
// apart well.
func pick(n int) []color.Color {
	if n <= len(colours) {
		return colours[:n]
	}
	return palette.Rainbow(n, palette.Red, palette.Magenta, 0.9, 0.8, 1).Colors()
}

// write draws a figure of the given size on white and encodes it.
func write(w io.Writer, width, height vg.Length, figure func(draw.Canvas)) error {
	c := vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(dotsPerInch))
	figure(draw.Crop(draw.New(c), margin, -margin, margin, -margin))
	_, err := vgimg.PngCanvas{Canvas: c}.WriteTo(w)
	return err
}
