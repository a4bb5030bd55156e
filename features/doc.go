// Package features turns speech into log-mel spectrograms and back to linear
// magnitudes.
//
// # The path
//
//	samples [S]  → pre-emphasis → reflect padding → Hann window → |DFT|
//	             → mel filter bank → dB → level → mel [T, M]
//
// T = 1 + S/HopLength (integer division); frame t is centred on sample
// t*HopLength. The numbers are those of librosa 0.7.2 with the constants of
// sony/sqvae (speech) and bshall/ZeroSpeech: Slaney mel scale and area
// normalisation, periodic window, magnitude (power 1).
//
// # Two levels
//
// Everything up to dB is the same for both front ends and is called the raw
// level: 20 log10 of the mel amplitude, in dB re 1.0, guarded at RawFloorDB.
// A [Level] makes features of it; one unit is Config.TopDB (dB).
//
//   - [Reference] scales the waveform to a peak of 0.999, which is an offset in
//     dB because every step before the logarithm is linear, and floors the
//     result TopDB under its own maximum. It needs the whole utterance.
//   - [Stream] has a fixed offset and floor. Features of a prefix are a prefix
//     of the features, up to the last WinLength/2 samples.
//
// The transform is a product with the bins that the filter bank needs, in float32
// with sums in float64: its error is below 4e-7 of the largest magnitude of a
// frame, and features differ from those of an FFT in float64 by less than 1e-4.
//
// [LogMel] serves whole clips, [Extractor] any number of samples at a time.
// Both give the same bits whatever the chunk size or GOMAXPROCS.
//
// Inside the program a spectrogram is mel [T, M] float32, one row a frame.
package features
