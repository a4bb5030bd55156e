package chart

import (
	"fmt"
	"image/color"
	"io"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// WriteUsage writes how often the codes of a codebook are used: their shares
// (%), in falling order, beside the share that all would have alike.
func WriteUsage(w io.Writer, title string, shares []float64) error {
	k := len(shares)
	if k == 0 {
		return fmt.Errorf("chart: no codes")
	}
	steps := make(plotter.XYs, k+1)
	for i, s := range shares {
		steps[i] = plotter.XY{X: float64(i), Y: s}
	}
	steps[k] = plotter.XY{X: float64(k)}
	area, err := plotter.NewLine(steps)
	if err != nil {
		return err
	}
	area.StepStyle = plotter.PostStep
	area.LineStyle.Color, area.LineStyle.Width = colours[0], vg.Points(1)
	area.FillColor = color.NRGBA{0x00, 0x72, 0xb2, 0x60}
	level, err := plotter.NewLine(plotter.XYs{{X: 0, Y: 100 / float64(k)}, {X: float64(k), Y: 100 / float64(k)}})
	if err != nil {
		return err
	}
	level.LineStyle = stroke(colours[1], 1).LineStyle

	p := newPlot(title, "codes, the most frequent first", "share of the units (%)")
	p.Add(area, level)
	p.X.Min, p.X.Max, p.Y.Min, p.X.Padding, p.Y.Padding = 0, float64(k), 0, 0, 0
	p.Legend = newLegend()
	p.Legend.Left, p.Legend.XOffs, p.Legend.YOffs = false, -vg.Points(6), -vg.Points(4)
	p.Legend.Add("units", area)
	p.Legend.Add("all codes alike", level)
	return write(w, 6.5*vg.Inch, 3.5*vg.Inch, func(c draw.Canvas) { p.Draw(c) })
}
