package synthetic

// MixtureSize is the number of Gaussians of Mixture.
const MixtureSize = 16

// Mixture returns points of 16 Gaussians of standard deviation 0.05 on a grid of
// 4×4 means one apart, centred at the origin, and which of them each is from.
//
//	points [n, 2], from [n]
func Mixture(n int, seed uint64) (points []float32, from []int) {
	rng := random(seed, kindMixture)
	for range n {
		k := rng.IntN(MixtureSize)
		from = append(from, k)
		points = append(points,
			float32(float64(k%4)-1.5+0.05*rng.NormFloat64()),
			float32(float64(k/4)-1.5+0.05*rng.NormFloat64()))
	}
	return points, from
}
