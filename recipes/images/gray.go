package images

import "vqspeech/model/image"

// Gray returns the luma of colour images, 0.2989 R + 0.587 G + 0.114 B rounded:
// [N, H, W, 1]. Sets of other than three channels are returned as they are.
func Gray(s image.Set) image.Set {
	if s.Channels != 3 {
		return s
	}
	luma := make([]uint8, len(s.Images)/3)
	for i := range luma {
		r, g, b := int(s.Images[3*i]), int(s.Images[3*i+1]), int(s.Images[3*i+2])
		luma[i] = uint8((2989*r + 5870*g + 1140*b + 5000) / 10000)
	}
	s.Images, s.Channels = luma, 1
	return s
}
