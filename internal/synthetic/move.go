package synthetic

// Sizes of Move (pixels).
const (
	MoveSide   = 84 // of a frame
	MoveSquare = 12 // of the square
	MoveStep   = 4  // of an action
)

// Moves are the actions of Move: what they add to the column and row of the
// square.
var Moves = [4][2]int{{MoveStep, 0}, {-MoveStep, 0}, {0, MoveStep}, {0, -MoveStep}}

// Clip is a clip of Move.
type Clip struct {
	Frames  []uint8 // [T, 84, 84]
	Actions []int32 // [T-1], into Moves: what happens between two frames
	X, Y    []int   // [T], column and row of the square's upper left pixel
}

// Move returns clips of frames in which a bright square moves over a textured
// floor, the same in all of them, by one of four random actions at a time. None
// leads out of the frame.
func Move(clips, frames int, seed uint64) []Clip {
	floor, rng := floor(), random(seed, kindMove)
	const cells = (MoveSide-MoveSquare)/MoveStep + 1
	set := make([]Clip, clips)
	for i := range set {
		x, y := MoveStep*rng.IntN(cells), MoveStep*rng.IntN(cells)
		c := Clip{}
		for t := range frames {
			c.X, c.Y = append(c.X, x), append(c.Y, y)
			c.Frames = append(c.Frames, floor...)
			frame := c.Frames[t*MoveSide*MoveSide:]
			for j := range MoveSquare * MoveSquare {
				frame[(y+j/MoveSquare)*MoveSide+x+j%MoveSquare] = 240
			}
			if t+1 == frames {
				break
			}
			action := rng.IntN(len(Moves))
			for !inside(x+Moves[action][0]) || !inside(y+Moves[action][1]) {
				action = rng.IntN(len(Moves))
			}
			x, y = x+Moves[action][0], y+Moves[action][1]
			c.Actions = append(c.Actions, int32(action))
		}
		set[i] = c
	}
	return set
}

func inside(at int) bool { return at >= 0 && at+MoveSquare <= MoveSide }

// floor is a dark grain of 2×2 pixels.
func floor() []uint8 {
	rng, grains := random(0, kindFloor), [MoveSide / 2][MoveSide / 2]uint8{}
	for y := range grains {
		for x := range grains[y] {
			grains[y][x] = uint8(20 + rng.IntN(60))
		}
	}
	pixels := make([]uint8, 0, MoveSide*MoveSide)
	for i := range MoveSide * MoveSide {
		pixels = append(pixels, grains[i/MoveSide/2][i%MoveSide/2])
	}
	return pixels
}
