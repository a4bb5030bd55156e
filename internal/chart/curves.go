package chart

import (
	"fmt"
	"image/color"
	"io"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Mark says how the points of a curve are shown.
type Mark int

const (
	Line     Mark = iota // a line through them
	DotsLine             // a line with a dot at each
	Pluses               // a + at each, no line
)

// Curve is a line of a Panel.
type Curve struct {
	Name  int       // index into the names of the figure, which decides its colour
	Style int       // index into the styles of the figure, which decides its dashes
	X, Y  []float64 // finite, of one length; a single point is drawn as a dot
	Mark  Mark
}

// Panel is one pair of axes with its curves.
type Panel struct {
	Title, XLabel, YLabel string
	Curves                []Curve
	Lo, Hi                float64 // of the vertical axis; both 0: those of the curves

	LogX, LogY bool      // logarithmic axes, which leave out what is not positive
	XTicks     []float64 // where the horizontal axis has labels; nil: at round numbers
}

// Figure is panels in rows with one legend for all.
type Figure struct {
	Caption string // below the panels; may have several lines
	Panels  []Panel
	Names   []string // of the colours
	Styles  []string // of the dashes, at most three; no legend of a single one
}

const (
	panelWidth  = 3.5 * vg.Inch
	panelHeight = 2.5 * vg.Inch
	maxPanels   = 48
)

// dashes are the styles of curves.
var dashes = [][]vg.Length{nil, {vg.Points(6), vg.Points(3)}, {vg.Points(1.5), vg.Points(2.5)}}

var faint = color.Gray{0xe0}

// WriteCurves draws a figure.
func WriteCurves(w io.Writer, f Figure) error {
	panels, names, styles := f.Panels, f.Names, f.Styles
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
			if err := addCurve(p, c.within(panel), colours[c.Name]); err != nil {
				return err
			}
		}
		if panel.Lo < panel.Hi {
			p.Y.Min, p.Y.Max = panel.Lo, panel.Hi
		}
		setScale(&p.X, panel.LogX)
		setScale(&p.Y, panel.LogY)
		if !panel.LogX {
			p.X.Min = min(p.X.Min, 0)
		}
		if panel.XTicks != nil {
			p.X.Tick.Marker = labelled(panel.XTicks)
		}
		plots[i/columns][i%columns] = p
	}

	legend := newLegend()
	for i, name := range names {
		legend.Add(name, thumbnail(panels, i, colours[i]))
	}
	if len(styles) > 1 {
		for i, style := range styles {
			legend.Add(style, stroke(color.Gray{0x60}, i))
		}
	}
	side := legend.Rectangle(draw.Canvas{}).Size().X + legendGap
	width := vg.Length(columns)*panelWidth + side + 2*margin
	note := newPlot("", "", "").Title.TextStyle
	setFont(&note, 9)
	note.XAlign, note.YAlign = text.XLeft, text.YBottom
	foot := vg.Length(0)
	if f.Caption != "" {
		foot = note.Height(f.Caption) + vg.Points(8)
	}
	height := vg.Length(rows)*panelHeight + foot + 2*margin
	return write(w, width, height, func(c draw.Canvas) {
		c.FillText(note, c.Min, f.Caption)
		c = draw.Crop(c, 0, 0, foot, 0)
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

// setScale makes an axis linear or logarithmic, and gives one of a single value
// an extent.
func setScale(a *plot.Axis, log bool) {
	if !log {
		if a.Min == a.Max {
			by := max(math.Abs(a.Min)/2, 1e-6)
			a.Min, a.Max = a.Min-by, a.Max+by
		}
		return
	}
	if !(a.Min > 0 && a.Min <= a.Max) {
		a.Min, a.Max = 1, 10
	}
	if a.Max/a.Min < 1.5 {
		a.Min, a.Max = a.Min/1.25, a.Max*1.25
	}
	a.Scale, a.Tick.Marker = plot.LogScale{}, logTicks{}
}

// within leaves out what logarithmic axes cannot show.
func (c Curve) within(p Panel) Curve {
	shown := c
	shown.X, shown.Y = nil, nil
	for i, x := range c.X {
		if (x > 0 || !p.LogX) && (c.Y[i] > 0 || !p.LogY) {
			shown.X, shown.Y = append(shown.X, x), append(shown.Y, c.Y[i])
		}
	}
	return shown
}

func addCurve(p *plot.Plot, c Curve, colour color.Color) error {
	points := make(plotter.XYs, len(c.X))
	for i := range points {
		points[i] = plotter.XY{X: c.X[i], Y: c.Y[i]}
	}
	if len(points) == 0 {
		return nil
	}
	if len(points) == 1 || c.Mark != Line {
		dot, err := plotter.NewScatter(points)
		if err != nil {
			return err
		}
		dot.Color, dot.Shape, dot.Radius = colour, draw.CircleGlyph{}, vg.Points(2.5)
		if c.Mark == Pluses {
			dot.Shape, dot.Radius = plus{}, vg.Points(5)
		}
		p.Add(dot)
		if len(points) == 1 || c.Mark == Pluses {
			return nil
		}
	}
	line, err := plotter.NewLine(points)
	if err != nil {
		return err
	}
	line.LineStyle = stroke(colour, c.Style).LineStyle
	p.Add(line)
	return nil
}

// thumbnail shows the curves of a name in a legend.
func thumbnail(panels []Panel, name int, colour color.Color) plot.Thumbnailer {
	for _, p := range panels {
		for _, c := range p.Curves {
			if c.Name == name && c.Mark == Pluses {
				return &plotter.Scatter{GlyphStyle: draw.GlyphStyle{Color: colour, Shape: plus{}, Radius: vg.Points(5)}}
			}
		}
	}
	return stroke(colour, 0)
}

// stroke is a line without points, as legends show it.
func stroke(colour color.Color, style int) *plotter.Line {
	return &plotter.Line{LineStyle: draw.LineStyle{Color: colour, Width: vg.Points(1.3), Dashes: dashes[style]}}
}

// plus is a + of strokes as wide as those of curves.
type plus struct{}

func (plus) DrawGlyph(c *draw.Canvas, s draw.GlyphStyle, at vg.Point) {
	c.SetColor(s.Color)
	c.SetLineWidth(vg.Points(1.5))
	for _, d := range []vg.Point{{X: s.Radius}, {Y: s.Radius}} {
		var p vg.Path
		p.Move(at.Sub(d))
		p.Line(at.Add(d))
		c.Stroke(p)
	}
}
