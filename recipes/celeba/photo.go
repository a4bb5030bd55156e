package celeba

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"

	"vqspeech/internal/strict"
)

// Sizes of a photograph, of the crop in its middle, and of what is made of it
// (pixels).
const (
	width, height = 178, 218
	crop          = 140
	left, top     = (width - crop) / 2, (height - crop) / 2 // 19, 39
	side          = 64

	maxPhotoBytes = 1 << 20 // those of CelebA have 10 KB
)

// read makes an image of the file at path: uint8 [64, 64, 3].
func read(path string, dst []uint8) error {
	data, err := strict.ReadRegular(path, maxPhotoBytes)
	if err != nil {
		return err
	}
	rgb, err := decode(data)
	if err != nil {
		return err
	}
	middle := make([]uint8, 0, crop*crop*3)
	for y := top; y < top+crop; y++ {
		middle = append(middle, rgb[(y*width+left)*3:(y*width+left+crop)*3]...)
	}
	resize(dst, middle, crop, side)
	return nil
}

// decode reads a JPEG file of a photograph: uint8 [218, 178, 3], red, green and
// blue. The size is looked at before anything is decoded.
func decode(data []byte) ([]uint8, error) {
	if !bytes.HasPrefix(data, []byte{0xff, 0xd8}) {
		return nil, fmt.Errorf("not a JPEG file")
	}
	cfg, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("invalid JPEG file: %w", err)
	}
	if cfg.Width != width || cfg.Height != height {
		return nil, fmt.Errorf("photograph of %d×%d, want %d×%d", cfg.Width, cfg.Height, width, height)
	}
	if cfg.ColorModel != color.YCbCrModel {
		return nil, fmt.Errorf("a JPEG file without the three colour components of a photograph")
	}
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("invalid JPEG file: %w", err)
	}
	ycc, ok := img.(*image.YCbCr)
	if !ok { // three components that are red, green and blue
		out := make([]uint8, 0, width*height*3)
		for y := range height {
			for x := range width {
				r, g, b, _ := img.At(x, y).RGBA()
				out = append(out, uint8(r>>8), uint8(g>>8), uint8(b>>8))
			}
		}
		return out, nil
	}
	return toRGB(ycc), nil
}

// toRGB converts as libjpeg does with its default settings, which is what
// published figures of CelebA are made with: image/jpeg repeats the samples of
// subsampled colour where libjpeg interpolates them.
func toRGB(img *image.YCbCr) []uint8 {
	cb, cr := full(img, img.Cb), full(img, img.Cr)
	out := make([]uint8, 0, width*height*3)
	for y := range height {
		for x := range width {
			l := int32(img.Y[y*img.YStride+x])
			b, r := int32(cb[y*width+x])-128, int32(cr[y*width+x])-128
			// 1.402, 0.34414, 0.71414 and 1.772 with 16 fractional bits
			out = append(out,
				clamp(l+(91881*r+1<<15)>>16),
				clamp(l+(-22554*b-46802*r+1<<15)>>16),
				clamp(l+(116130*b+1<<15)>>16))
		}
	}
	return out
}

func clamp(v int32) uint8 { return uint8(min(max(v, 0), 255)) }

// full brings a colour plane to the size of the photograph: [218, 178] uint8.
func full(img *image.YCbCr, plane []uint8) []uint8 {
	h, w, stride := height, width, img.CStride
	switch img.SubsampleRatio {
	case image.YCbCrSubsampleRatio420:
		h, w = height/2, width/2
	case image.YCbCrSubsampleRatio422:
		w = width / 2
	default: // 4:4:4, and what cameras and libjpeg do not write
		out := make([]uint8, 0, width*height)
		for y := range height {
			for x := range width {
				i := img.COffset(x, y)
				out = append(out, plane[i])
			}
		}
		return out
	}
	// Each sample is 3 parts of the nearest and 1 part of the next nearest,
	// along each halved axis; the rounding alternates (libjpeg, "fancy").
	out := make([]uint8, width*height)
	column := make([]int32, w)
	for y := range height {
		near, next, unit := y, y, int32(1)
		if h != height {
			near, unit = y/2, 4
			next = min(max(near-1+2*(y%2), 0), h-1)
		}
		for x := range column {
			column[x] = int32(plane[near*stride+x])
			if unit == 4 {
				column[x] = 3*column[x] + int32(plane[next*stride+x])
			}
		}
		round := [2]int32{1, 2}
		if unit == 4 {
			round = [2]int32{8, 7}
		}
		for x := range w {
			before, after := column[max(x-1, 0)], column[min(x+1, w-1)]
			out[y*width+2*x] = uint8((3*column[x] + before + round[0]) / (4 * unit))
			out[y*width+2*x+1] = uint8((3*column[x] + after + round[1]) / (4 * unit))
		}
	}
	return out
}
