package celebamask

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io/fs"

	"vqspeech/internal/strict"
)

const (
	size = 512 // of a map or part (pixels)
	side = 64  // of what is made of it
	step = size / side

	maxMaskBytes = 2 << 20 // the largest possible grey PNG of this size has 0.26 MB, in colour 1 MB
)

// labels are the parts of a face in the order of their labels, from 1 on.
var labels = [18]string{
	"skin", "nose", "eye_g", "l_eye", "r_eye", "l_brow", "r_brow", "l_ear", "r_ear",
	"mouth", "u_lip", "l_lip", "hair", "hat", "ear_r", "neck_l", "neck", "cloth",
}

// readMap reads a whole label map: uint8 [64, 64, 1].
func readMap(path string, dst []uint8) error {
	img, err := decode(path)
	if err != nil {
		return err
	}
	var at func(x, y int) uint8
	switch img := img.(type) {
	case *image.Gray:
		at = func(x, y int) uint8 { return img.GrayAt(x, y).Y }
	case *image.Paletted:
		at = img.ColorIndexAt
	default:
		return errors.New("not grey of 8 bits, want a PNG file whose values are labels")
	}
	return eachPixel(dst, func(d *uint8, x, y int) error {
		*d = at(x, y)
		if int(*d) > len(labels) {
			return fmt.Errorf("label %d at row %d, column %d, want 0 to %d", *d, y, x, len(labels))
		}
		return nil
	})
}

// paint reads the parts of a face and paints one over the other: uint8
// [64, 64, 1]. path returns the file of a part. A face need not have all parts.
func paint(path func(part string) string, dst []uint8) error {
	clear(dst)
	found := false
	for i, part := range labels {
		img, err := decode(path(part))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", part, err)
		}
		found = true
		err = eachPixel(dst, func(d *uint8, x, y int) error {
			if r, g, b, _ := img.At(x, y).RGBA(); r|g|b != 0 {
				*d = uint8(i + 1)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if !found {
		return errors.New("none of its parts is there")
	}
	return nil
}

// eachPixel calls f for every pixel of a map and the pixel of the source that
// it is made of.
func eachPixel(dst []uint8, f func(d *uint8, x, y int) error) error {
	for i := range dst[:side*side] {
		if err := f(&dst[i], i%side*step+step/2, i/side*step+step/2); err != nil {
			return err
		}
	}
	return nil
}

// decode reads a PNG file of 512×512. The size is looked at before anything is
// decoded.
func decode(path string) (image.Image, error) {
	data, err := strict.ReadRegular(path, maxMaskBytes)
	if err != nil {
		return nil, err
	}
	cfg, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("invalid PNG file: %w", err)
	}
	if cfg.Width != size || cfg.Height != size {
		return nil, fmt.Errorf("label map of %d×%d, want %d×%d", cfg.Width, cfg.Height, size, size)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("invalid PNG file: %w", err)
	}
	return img, nil
}
