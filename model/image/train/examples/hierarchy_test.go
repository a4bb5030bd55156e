package examples

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	G "gorgonia.org/gorgonia"

	"vqspeech/internal/graph"
	"vqspeech/internal/graph/graphtest"
	"vqspeech/internal/synthetic"
	"vqspeech/model/image"
	"vqspeech/quant/vq"
)

// Sizes of the hierarchy.
const (
	hierarchyBatch = 8
	topSide        = 8 // of the grid of upper codes
	bottomSide     = 16
	topCodes       = 64
	bottomCodes    = 2
)

// hierarchy is a VQ-VAE-2 in small (Razavi et al. 2019, Figure 2a): features of
// 16×16 are the lower level, and those of 8×8 made of them the upper one; the
// lower quantiser sees the decoded upper codes and its own features; the decoder
// sees both.
type hierarchy struct {
	*learner
	pixels      []float32 // [B, 64, 64, 3]
	top, bottom vq.Output
	swap        []int32 // [B, 8, 8], upper codes of another choice
	swapped     *G.Node // image of swap and the lower codes
	output      *G.Node // [B, 64, 64, 3]
	recon       *G.Node
	books       [2][]float32
	ema         [2]*vq.EMA
}

func newHierarchy(t *testing.T) *hierarchy {
	const width, d = 16, 8
	h := &hierarchy{learner: newLearner(t, 4e-3, 1)}
	var x *G.Node
	h.pixels, x = h.floats("pixels", hierarchyBatch, 64, 64, 3)
	lower := graph.ReLU(h.conv("half", x, width, 4, 2, 1))       // [B, 32, 32, width]
	lower = graph.ReLU(h.conv("quarter", lower, width, 4, 2, 1)) // [B, 16, 16, width]
	upper := graph.ReLU(h.conv("eighth", lower, width, 4, 2, 1)) // [B, 8, 8, width]
	upper = h.linear("top latent", graph.ReLU(h.conv("around", upper, width, 3, 1, 1)), d)

	var topBook, bottomBook *G.Node
	h.books[0], topBook = h.floats("top codebook", topCodes, d)
	h.books[1], bottomBook = h.floats("bottom codebook", bottomCodes, d)
	for i, size := range []int{topCodes, bottomCodes} {
		for j := range h.books[i] {
			h.books[i][j] = float32(h.rng.NormFloat64())
		}
		h.ema[i] = vq.NewEMA(h.books[i], size, 0.99, 1e-5, true)
	}
	h.top = vq.Quantize(upper, topBook, false)

	// The layers after the upper codes, which run on two choices of them.
	kernel := h.double("decoded top", d, width)
	joined := h.double("top of the image", d, width)
	wide, wideBias := h.weights("bottom of the image", d, width)
	decodedW, decodedBias := h.weights("bottom latent of decoded top", width, d)
	detail := h.linear("bottom latent", lower, d)
	h.bottom = vq.Quantize(graph.Sum(detail, graph.Linear(graph.ReLU(kernel(h.top.Quantized)), decodedW, decodedBias)), bottomBook, false)
	up1, up2 := h.double("up", width, width), h.double("image", width, 3)
	decode := func(top, bottom *G.Node) *G.Node {
		y := graph.ReLU(graph.Sum(joined(top), graph.Linear(bottom, wide, wideBias))) // of both concatenated
		return graph.Sigmoid(up2(graph.ReLU(up1(y))))
	}
	h.output = decode(h.top.Quantized, h.bottom.Quantized)
	h.recon = graph.MSE(h.output, x)
	var swap *G.Node
	h.swap, swap = h.ints("swap", hierarchyBatch, topSide, topSide)
	h.swapped = decode(graph.Embedding(topBook, swap), graph.Embedding(bottomBook, h.bottom.Codes))
	h.minimize(graph.Sum(graph.Scale(h.recon, 10), graph.Scale(graph.Sum(h.top.Commitment, h.bottom.Commitment), 0.25)))
	return h
}

// TestHierarchy swaps the upper codes of images of shapes, while the lower ones
// stay: the layout must follow the upper ones.
func TestHierarchy(t *testing.T) {
	skipSlow(t)
	h := newHierarchy(t)
	const n, steps = 256, 250
	images, rng := synthetic.Shapes(n, 1), rand.New(rand.NewPCG(1, 2))
	const size = 64 * 64 * 3
	fill := func(from func(i int) int) {
		for i := range hierarchyBatch {
			k := from(i)
			image.Pixels(h.pixels[i*size:(i+1)*size], images[k*size:(k+1)*size])
		}
	}
	for step := range steps {
		fill(func(int) int { return rng.IntN(n) })
		h.step()
		for i, out := range []vq.Output{h.top, h.bottom} {
			codes, latents := graphtest.Ints(out.Codes), graphtest.Floats(out.Latent)
			h.ema[i].Update(h.books[i], latents, codes)
			if step < steps/2 && step%20 == 19 {
				uses := make([]int, len(h.ema[i].Count))
				for _, c := range codes {
					uses[c]++
				}
				vq.Reset(h.books[i], latents, uses, 1, h.ema[i], rng)
			}
		}
	}
	fill(func(i int) int { return i })
	h.run()
	for i, want := range [][]int{{hierarchyBatch, topSide, topSide}, {hierarchyBatch, bottomSide, bottomSide}} {
		if got := []vq.Output{h.top, h.bottom}[i].Codes.Shape(); !slices.Equal([]int(got), want) {
			t.Errorf("codes of level %d have the shape %v, want %v", i, got, want)
		}
	}
	plain, top := slices.Clone(graphtest.Floats(h.output)), slices.Clone(graphtest.Ints(h.top.Codes))

	// Every image gets the upper codes of the next one.
	const grid = topSide * topSide
	copy(h.swap, append(slices.Clone(top[grid:]), top[:grid]...))
	h.run()
	swapped := graphtest.Floats(h.swapped)
	var own, other float64
	for i := range hierarchyBatch {
		next := (i + 1) % hierarchyBatch
		own += layoutDistance(swapped[i*size:(i+1)*size], plain[i*size:(i+1)*size])
		other += layoutDistance(swapped[i*size:(i+1)*size], plain[next*size:(next+1)*size])
	}
	t.Logf("an image with the upper codes of another is %.3f off its own layout, %.3f off the other's", own/hierarchyBatch, other/hierarchyBatch)
	if !(other < own) {
		t.Error("the layout is not in the upper codes")
	}
}

// layoutDistance is the Euclidean distance per value of two images [64, 64, 3]
// averaged over cells of 16×16 pixels.
func layoutDistance(a, b []float32) float64 {
	const cell = 16
	var means [3 * (64 / cell) * (64 / cell)]float64
	for i := range a {
		x, y, c := i/3%64, i/3/64, i%3
		means[(y/cell*(64/cell)+x/cell)*3+c] += float64(a[i]-b[i]) / (cell * cell)
	}
	sum := 0.0
	for _, m := range means {
		sum += m * m
	}
	return math.Sqrt(sum / float64(len(means)))
}
