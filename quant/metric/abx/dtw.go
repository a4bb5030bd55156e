package abx

// An aligner aligns two sequences in memory that it keeps.
type aligner struct {
	frame   []float64 // distances of one frame of x and all of y
	cost    []float64 // of the paths that end in the row above
	lengths []pathLengths
	row     []int32 // of the edit distance
}

// pathLengths are the steps of the path that is traced back from a cell, with x
// and with y as the rows.
type pathLengths struct{ rowsX, rowsY int32 }

// warp returns the cost of the cheapest alignment of sequences of n and m frames
// (dynamic time warping: cost = distance + the least of above, diagonal and left;
// no slopes are forbidden) and the lengths of its path. distances sets dst [m] to
// the distances of frame i of x.
//
// The path is traced back as ABXpy and libri-light do: diagonal if no other is
// less, else left if above is not less, else above. On ties the last rule depends
// on which sequence gives the rows, so both lengths are carried along; they need
// no more than the row above.
func (a *aligner) warp(n, m int, distances func(dst []float64, i int)) (cost float64, length pathLengths) {
	if cap(a.cost) < m {
		a.frame, a.cost, a.lengths = make([]float64, m), make([]float64, m), make([]pathLengths, m)
	}
	frame, costs, lengths := a.frame[:m], a.cost[:m], a.lengths[:m]
	distances(frame, 0)
	sum := 0.0
	for j, d := range frame {
		sum += d
		costs[j], lengths[j] = sum, pathLengths{int32(j + 1), int32(j + 1)}
	}
	for i := 1; i < n; i++ {
		distances(frame, i)
		diagonal, diagonalLength := costs[0], lengths[0]
		left := diagonal + frame[0]
		leftLength := pathLengths{int32(i + 1), int32(i + 1)}
		costs[0], lengths[0] = left, leftLength
		for j := 1; j < m; j++ {
			above, aboveLength := costs[j], lengths[j]
			best, from := diagonal, diagonalLength
			if left < best || above < best {
				switch {
				case left < above:
					best, from = left, leftLength
				case above < left:
					best, from = above, aboveLength
				default:
					best, from = left, pathLengths{leftLength.rowsX, aboveLength.rowsY}
				}
			}
			diagonal, diagonalLength = above, aboveLength
			left = best + frame[j]
			leftLength = pathLengths{from.rowsX + 1, from.rowsY + 1}
			costs[j], lengths[j] = left, leftLength
		}
	}
	return costs[m-1], lengths[m-1]
}

// edit returns the Levenshtein distance of two sequences of symbols.
func (a *aligner) edit(x, y []int32) int {
	if cap(a.row) < len(y)+1 {
		a.row = make([]int32, len(y)+1)
	}
	row := a.row[:len(y)+1]
	for j := range row {
		row[j] = int32(j)
	}
	for i, s := range x {
		diagonal := row[0]
		left := int32(i + 1)
		row[0] = left
		for j, t := range y {
			cost := diagonal
			if s != t {
				cost++
			}
			diagonal = row[j+1]
			left = min(left+1, diagonal+1, cost)
			row[j+1] = left
		}
	}
	return int(row[len(y)])
}
