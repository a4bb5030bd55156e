package features

import "math"

// PeakLevel is the peak to which the Reference front end scales an utterance
// (sony/sqvae speech).
const PeakLevel = 0.999

// ampFloorDB is the guard that librosa puts under the logarithm, in dB re 1.0
// (amplitude 1e-5).
const ampFloorDB = -100

// A Level makes features of the raw level L (dB re 1.0):
//
//	feature = max(L + OffsetDB, -100, FloorDB)/TopDB + 1
type Level struct {
	OffsetDB, FloorDB, TopDB float32 // (dB)
}

// Apply sets dst to the features of db; the two have the same length and may
// be the same slice.
func (l Level) Apply(dst, db []float32) {
	floor := max(l.FloorDB, ampFloorDB)
	for i, v := range db {
		dst[i] = max(v+l.OffsetDB, floor)/l.TopDB + 1
	}
}

// Scale scales the samples [N] float32 that the raw level was measured of, in
// place, to the level of the features.
func (l Level) Scale(samples []float32) {
	if l.OffsetDB == 0 {
		return
	}
	gain := float32(math.Pow(10, float64(l.OffsetDB)/20))
	for i := range samples {
		samples[i] *= gain
	}
}

// StreamLevel returns the fixed level of the Stream front end.
func (c Config) StreamLevel() Level {
	return Level{FloorDB: float32(c.FloorDB), TopDB: float32(c.TopDB)}
}

// ReferenceLevel returns the level of the Reference front end for an utterance
// with the given peak (largest absolute sample) and maximum of the raw level
// (dB). Digital silence, which the published code divides by, keeps its level.
func (c Config) ReferenceLevel(peak, maxDB float32) Level {
	var offset float64
	if peak > 0 {
		offset = 20 * math.Log10(PeakLevel/float64(peak))
	}
	top := max(float64(maxDB)+offset, ampFloorDB)
	return Level{OffsetDB: float32(offset), FloorDB: float32(top - c.TopDB), TopDB: float32(c.TopDB)}
}

// Apply sets dst [T, M] to the features of the whole utterance db [T, M] (dB,
// raw level) under c.FrontEnd. peak is the largest absolute sample; Stream
// does not look at it. dst and db may be the same slice.
func (c Config) Apply(dst, db []float32, peak float32) {
	c.Level(db, peak).Apply(dst, db)
}

// Level returns the level of an utterance under c.FrontEnd from its raw level db
// [T, M] (dB) and its largest absolute sample.
func (c Config) Level(db []float32, peak float32) Level {
	if c.FrontEnd == Stream {
		return c.StreamLevel()
	}
	top := float32(RawFloorDB)
	for _, v := range db {
		top = max(top, v)
	}
	return c.ReferenceLevel(peak, top)
}
