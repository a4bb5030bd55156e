package phones

import "math"

// Scores are the measures of package phones, each in [0, 1]; NaN for no frames,
// the accuracy if none was tested, the PNMI if all have one phone.
type Scores struct {
	Frames        int64
	Accuracy      float64
	Majority      float64
	PhonePurity   float64
	ClusterPurity float64
	PNMI          float64
}

// Sum returns the scores of all files.
func Sum(terms []Terms) Scores {
	sample := make([]int, len(terms))
	for i := range sample {
		sample[i] = i
	}
	return SumOf(terms, sample)
}

// SumOf returns the scores of a sample of the files, by their numbers, with maps,
// most frequent phone and codes, and probabilities of all files. Those of the
// sample would make every measure but the accuracy too high, as a sample drawn
// with replacement has fewer different frames; these are as good to first order
// (they are the measures' influence functions).
func SumOf(terms []Terms, sample []int) Scores {
	var s Terms
	for _, i := range sample {
		t := &terms[i]
		s.Frames += t.Frames
		s.Tested += t.Tested
		s.Right += t.Right
		s.Majority += t.Majority
		s.Mapped += t.Mapped
		s.Cluster += t.Cluster
		s.Information += t.Information
		s.Surprise += t.Surprise
	}
	share := func(n, of int64) float64 { return float64(n) / float64(of) }
	scores := Scores{
		Frames: s.Frames, Accuracy: share(s.Right, s.Tested), Majority: share(s.Majority, s.Frames),
		PhonePurity: share(s.Mapped, s.Frames), ClusterPurity: share(s.Cluster, s.Frames), PNMI: math.NaN(),
	}
	if s.Surprise > 0 {
		scores.PNMI = min(1, max(0, s.Information/s.Surprise)) // rounding may leave the range
	}
	return scores
}
