package synthetic

import "math"

// StrokesSide is the height and width of Strokes (pixels).
const StrokesSide = 28

// Strokes returns white poly-lines of two to four pieces on black with soft
// edges, which stand in for written digits.
//
//	[n, 28, 28]
func Strokes(n int, seed uint64) []uint8 {
	rng := random(seed, kindStrokes)
	images := make([]uint8, 0, n*StrokesSide*StrokesSide)
	for range n {
		points := make([][2]float64, 3+rng.IntN(3))
		for i := range points {
			points[i] = [2]float64{4 + 20*rng.Float64(), 4 + 20*rng.Float64()}
		}
		for i := range StrokesSide * StrokesSide {
			x, y := float64(i%StrokesSide)+0.5, float64(i/StrokesSide)+0.5
			nearest := math.Inf(1)
			for j, p := range points[1:] {
				nearest = min(nearest, distance(x, y, points[j], p))
			}
			images = append(images, uint8(255*min(1, max(0, 2-nearest)))) // fades from 1 to 2 pixels off the line
		}
	}
	return images
}

// distance is that of a point from the piece of line from p to q.
func distance(x, y float64, p, q [2]float64) float64 {
	dx, dy := q[0]-p[0], q[1]-p[1]
	along := ((x-p[0])*dx + (y-p[1])*dy) / max(dx*dx+dy*dy, 1e-9)
	along = min(1, max(0, along))
	return math.Hypot(x-p[0]-along*dx, y-p[1]-along*dy)
}
