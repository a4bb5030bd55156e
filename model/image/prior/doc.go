// Package prior holds a prior over the codes of an image model: a gated PixelCNN
// (van den Oord et al. 2016), which gives every code of a grid a distribution
// that depends on the codes above it and to its left. Codes drawn from it decode
// to new images.
//
//	Model.Sample → codes → image.Model.Decode → set
//
// The network has two stacks of the same depth. The vertical one sees all rows
// above a position; the horizontal one sees the row to the left of it, and is
// told of the rows above by the vertical one. Together they see everything
// before a position in raster order and nothing after it, without the blind spot
// of masked square kernels. The package needs no gorgonia; training is in
// model/image/prior/train.
//
// Letters of shapes: N grids, B grids of a batch, H and W rows and columns of a
// grid, F channels of a stack, K codebook size. Everything is channels last.
package prior
