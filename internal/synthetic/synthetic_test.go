package synthetic

import (
	"bytes"
	"math"
	"slices"
	"testing"
)

// TestSeeds draws images twice from one seed and once from another.
func TestSeeds(t *testing.T) {
	for name, draw := range map[string]func(seed uint64) []uint8{
		"shapes":  func(seed uint64) []uint8 { return Shapes(3, seed) },
		"masks":   func(seed uint64) []uint8 { return Masks(3, 19, seed) },
		"strokes": func(seed uint64) []uint8 { return Strokes(3, seed) },
		"move":    func(seed uint64) []uint8 { return Move(1, 4, seed)[0].Frames },
	} {
		one := draw(1)
		if !bytes.Equal(one, draw(1)) || bytes.Equal(one, draw(2)) {
			t.Errorf("%s do not follow the seed", name)
		}
		size := map[string]int{"shapes": 3 * 64 * 64 * 3, "masks": 3 * 64 * 64, "strokes": 3 * 28 * 28, "move": 4 * 84 * 84}[name]
		if len(one) != size {
			t.Errorf("%s have %d values, want %d", name, len(one), size)
		}
	}
}

// TestMasksHaveRareClasses counts pixels.
func TestMasksHaveRareClasses(t *testing.T) {
	counts := make([]int, 256)
	for _, label := range Masks(400, 19, 1) {
		counts[label]++
	}
	if slices.Max(counts[19:]) > 0 || slices.Min(counts[:19]) == 0 {
		t.Errorf("labels %v, want some of each below 19 and no other", counts[:24])
	}
	if !(counts[0] > counts[1] && counts[1] > 3*counts[18]) {
		t.Errorf("class 0 has %d pixels, 1 %d, 18 %d", counts[0], counts[1], counts[18])
	}
}

// TestMoveFollowsActions looks for the square where the actions lead.
func TestMoveFollowsActions(t *testing.T) {
	for _, c := range Move(5, 30, 3) {
		x, y := c.X[0], c.Y[0]
		for i, frame := range slices.Collect(slices.Chunk(c.Frames, MoveSide*MoveSide)) {
			bright := 0
			for j, v := range frame {
				if v == 240 {
					bright++
					if dx, dy := j%MoveSide-x, j/MoveSide-y; dx < 0 || dy < 0 || dx >= MoveSquare || dy >= MoveSquare {
						t.Fatalf("frame %d: a pixel of the square at %d, %d, which is at %d, %d", i, j%MoveSide, j/MoveSide, x, y)
					}
				}
			}
			if bright != MoveSquare*MoveSquare || c.X[i] != x || c.Y[i] != y {
				t.Fatalf("frame %d: %d pixels of the square, said to be at %d, %d, want %d, %d", i, bright, c.X[i], c.Y[i], x, y)
			}
			if i < len(c.Actions) {
				x, y = x+Moves[c.Actions[i]][0], y+Moves[c.Actions[i]][1]
			}
		}
	}
}

// TestMixtureIsSeparated checks that every point is near its own mean.
func TestMixtureIsSeparated(t *testing.T) {
	points, from := Mixture(4000, 1)
	seen := map[int]int{}
	for i, k := range from {
		seen[k]++
		d := math.Hypot(float64(points[2*i])-float64(k%4)+1.5, float64(points[2*i+1])-float64(k/4)+1.5)
		if d > 0.4 {
			t.Errorf("point %d is %g off its mean", i, d)
		}
	}
	if len(seen) != MixtureSize {
		t.Errorf("points of %d Gaussians", len(seen))
	}
}
