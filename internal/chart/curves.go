package chart

import (
	"fmt"
	"image/color"
	"io"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Curve is a line of a Panel.
type Curve struct {
	Name  int       // index into the names of the figure, which decides its colour
	Style int       // index into the styles of the figure, which decides its dashes
	X, Y  []float64 // finite, of one length; a single point is drawn as a dot
}

// Panel is one pair of axes with its curves.
type Panel struct {
	Title, XLabel, YLabel string
	Curves                []Curve
	Lo, Hi                float64 // of the vertical axis; both 0: those of the curves
}

const (
	panelWidth  = 3.5 * vg.Inch
	panelHeight = 2.5 * vg.Inch
	maxPanels   = 48
)

// dashes are the styles of curves.
var dashes = [][]vg.Length{nil, {vg.Points(6), vg.Points(3)}, {vg.Points(1.5), vg.Points(2.5)}}

var faint = color.Gray{0xe0}

// WriteCurves writes panels in rows with one legend for all: names for the
// colours and, if there are several, styles (at most three) for the dashes.
func WriteCurves(w io.Writer, panels []Panel, names, styles []string) error {
	if len(panels) == 0 || len(panels) > maxPanels || len(styles) > len(dashes) {
		return fmt.Errorf("chart: %d panels in %d styles, want 1 to %d in at most %d", len(panels), len(styles), maxPanels, len(dashes))
	}
	colours := pick(len(names))
	columns := min(len(panels), 3)
	if len(panels) == 4 {
		columns = 2
	}
	rows := (len(panels) + columns - 1) / columns
	plots := make([][]*plot.Plot, rows)
	for i := range plots {
		plots[i] = make([]*plot.Plot, columns)
	}
	for i, panel := range panels {
		p := newPlot(panel.Title, panel.XLabel, panel.YLabel)
		grid := plotter.NewGrid()
		grid.Vertical.Color, grid.Horizontal.Color = faint, faint
		p.Add(grid)
		for _, c := range panel.Curves {
			if err := addCurve(p, c, colours[c.Name]); err != nil {
				return err
			}
		}
		if panel.Lo < panel.Hi {
			p.Y.Min, p.Y.Max = panel.Lo, panel.Hi
		}
		p.X.Min = min(p.X.Min, 0)
		widen(&p.X)
		widen(&p.Y)
		plots[i/columns][i%columns] = p
	}

	legend := newLegend()
	for i, name := range names {
		legend.Add(name, stroke(colours[i], 0))
	}
	if len(styles) > 1 {
		for i, style := range styles {
			legend.Add(style, stroke(color.Gray{0x60}, i))
		}
	}
	side := legend.Rectangle(draw.Canvas{}).Size().X + legendGap
	width := vg.Length(columns)*panelWidth + side + 2*margin
	height := vg.Length(rows)*panelHeight + 2*margin
	return write(w, width, height, func(c draw.Canvas) {
		legend.Draw(draw.Crop(c, vg.Length(columns)*panelWidth+legendGap, 0, 0, -vg.Points(18)))
		tiles := draw.Tiles{Rows: rows, Cols: columns, PadX: 0.15 * vg.Inch, PadY: 0.15 * vg.Inch}
		for i, row := range plot.Align(plots, tiles, draw.Crop(c, 0, -side, 0, 0)) {
			for j, tile := range row {
				if plots[i][j] != nil {
					plots[i][j].Draw(tile)
				}
			}
		}
	})
}

// widen gives an axis of a single value an extent.
func widen(a *plot.Axis) {
	if a.Min == a.Max {
		by := max(math.Abs(a.Min)/2, 1e-6)
		a.Min, a.Max = a.Min-by, a.Max+by
	}
}

func addCurve(p *plot.Plot, c Curve, colour color.Color) error {
	points := make(plotter.XYs, len(c.X))
	for i := range points {
		points[i] = plotter.XY{X: c.X[i], Y: c.Y[i]}
	}
	if len(points) == 1 {
		dot, err := plotter.NewScatter(points)
		if err != nil {
			return err
		}
		dot.Color, dot.Shape, dot.Radius = colour, draw.CircleGlyph{}, vg.Points(2.5)
		p.Add(dot)
		return nil
	}
	line, err := plotter.NewLine(points)
	if err != nil {
		return err
	}
	line.LineStyle = stroke(colour, c.Style).LineStyle
	p.Add(line)
	return nil
}

// stroke is a line without points, as legends show it.
func stroke(colour color.Color, style int) *plotter.Line {
	return &plotter.Line{LineStyle: draw.LineStyle{Color: colour, Width: vg.Points(1.3), Dashes: dashes[style]}}
}
