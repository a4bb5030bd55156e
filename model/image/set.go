package image

import (
	"fmt"
	"math/rand/v2"
)

// Set is a number of images of one size, or of maps of class labels.
type Set struct {
	Images                     []uint8 // [N, H, W, C], 0..255, or class labels
	N, Height, Width, Channels int
}

// Size returns the number of values of one image: H*W*C.
func (s Set) Size() int { return s.Height * s.Width * s.Channels }

// Image returns image i, [H, W, C].
func (s Set) Image(i int) []uint8 { return s.Images[i*s.Size() : (i+1)*s.Size()] }

// Slice returns the images from to to-1, without copying them.
func (s Set) Slice(from, to int) Set {
	s.Images, s.N = s.Images[from*s.Size():to*s.Size()], to-from
	return s
}

// Check reports why cfg cannot read s: another size or number of channels, or a
// label that is no class.
func (s Set) Check(cfg Config) error {
	side, c := cfg.Side(), cfg.Net.Channels
	if cfg.Labels() {
		c = 1
	}
	if s.Height != side || s.Width != side || s.Channels != c {
		return fmt.Errorf("image: images are %d×%d with %d channels, want %d×%d with %d", s.Height, s.Width, s.Channels, side, side, c)
	}
	if s.N < 0 || len(s.Images) != s.N*s.Size() {
		return fmt.Errorf("image: %d values for %d images of %d", len(s.Images), s.N, s.Size())
	}
	if cfg.Labels() {
		for i, v := range s.Images {
			if int(v) >= cfg.Net.Channels {
				return fmt.Errorf("image: image %d has the label %d, want less than %d", i/s.Size(), v, cfg.Net.Channels)
			}
		}
	}
	return nil
}

// Partners returns s in another order, in which no image stands at its own place:
// one random cycle through all (Sattolo 1986). A set of one image has no other.
func (s Set) Partners(rng *rand.Rand) Set {
	order := make([]int, s.N)
	for i := range order {
		order[i] = i
	}
	for i := s.N - 1; i > 0; i-- {
		j := rng.IntN(i)
		order[i], order[j] = order[j], order[i]
	}
	images := make([]uint8, 0, len(s.Images))
	for _, i := range order {
		images = append(images, s.Image(i)...)
	}
	s.Images = images
	return s
}
