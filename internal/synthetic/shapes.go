package synthetic

import (
	"math"
	"math/rand/v2"
)

// ShapesSide is the height and width of Shapes and Masks (pixels).
const ShapesSide = 64

// Shapes returns images of one to three ellipses, rectangles and thick lines of
// random colours on a plain floor of another.
//
//	[n, 64, 64, 3]
func Shapes(n int, seed uint64) []uint8 {
	rng := random(seed, kindShapes)
	images := make([]uint8, 0, n*ShapesSide*ShapesSide*3)
	color := func() [3]uint8 {
		return [3]uint8{uint8(rng.IntN(256)), uint8(rng.IntN(256)), uint8(rng.IntN(256))}
	}
	for range n {
		at, colors := layers(rng, 1+rng.IntN(3)), [4][3]uint8{color(), color(), color(), color()}
		for i := range ShapesSide * ShapesSide {
			c := colors[at(i%ShapesSide, i/ShapesSide)]
			images = append(images, c[:]...)
		}
	}
	return images
}

// Masks returns the same kind of pictures as maps of class labels: floor 0,
// shapes of a class below classes each, of which the higher ones are rare.
//
//	[n, 64, 64], each less than classes
func Masks(n, classes int, seed uint64) []uint8 {
	rng := random(seed, kindMasks)
	masks := make([]uint8, 0, n*ShapesSide*ShapesSide)
	for range n {
		at, labels := layers(rng, 3), [4]uint8{}
		for i := range labels[1:] {
			u := rng.Float64()
			labels[i+1] = uint8(1 + int(u*u*float64(classes-1)))
		}
		for i := range ShapesSide * ShapesSide {
			masks = append(masks, labels[at(i%ShapesSide, i/ShapesSide)])
		}
	}
	return masks
}

// layers draws n shapes and returns which is on top at a pixel: 1..n, 0 for the
// floor.
func layers(rng *rand.Rand, n int) func(x, y int) int {
	shapes := make([]func(x, y float64) bool, n)
	for i := range shapes {
		cx, cy := 64*rng.Float64(), 64*rng.Float64()
		a, b := 6+14*rng.Float64(), 6+14*rng.Float64()
		sin, cos := math.Sincos(math.Pi * rng.Float64())
		kind := rng.IntN(3)
		shapes[i] = func(x, y float64) bool {
			u, v := cos*(x-cx)+sin*(y-cy), cos*(y-cy)-sin*(x-cx)
			switch kind {
			case 0: // ellipse
				return u*u/(a*a)+v*v/(b*b) < 1
			case 1: // rectangle
				return math.Abs(u) < a && math.Abs(v) < b
			}
			return math.Abs(u) < 2*a && math.Abs(v) < 2 // line
		}
	}
	return func(x, y int) int {
		for i := n - 1; i >= 0; i-- {
			if shapes[i](float64(x)+0.5, float64(y)+0.5) {
				return i + 1
			}
		}
		return 0
	}
}
