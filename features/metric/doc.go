// Package metric measures an estimate of speech against its reference, and tells
// whose voice it is.
//
// # Recordings
//
// Every measure of them takes (reference, estimate []float32, rate int): mono samples
// [S] of both and their common sample rate (Hz).
//
//	call        result                                     over      works at
//	LogMelMSE   mel MSE (dB²), published features          elements  16 kHz
//	MCD         mel-cepstral distortion (dB), mcd-mfcc13   frames    16 kHz
//	AlignedMCD  the same along the cheapest alignment      steps     16 kHz
//	F0Errors    pitch and voicing errors                   frames    16 kHz
//	STOI        short-time objective intelligibility       segments  10 kHz
//	SISDR       scale-invariant SDR (dB)                   samples   rate
//
// Other rates are converted by vqspeech/audio/resample. Nothing but AlignedMCD
// looks for a delay between the two.
//
// A measure fails, rather than return a figure, on recordings that are empty or
// hold a sample that is not finite, on a reference of nothing but zeros, and
// (save for AlignedMCD) on lengths that differ by more than [MaxDifference];
// within it the shorter counts.
//
// # Speakers
//
// [NewVoice] takes from a recording what speakers are told apart by,
// [TrainSpeakers] learns speakers from the voices of their recordings, and
// [SpeakerClassifier.LogLikelihoods] says how likely each is to have spoken
// another: whether a conversion sounds like its target.
//
// # Corpora
//
// [MelMSE], [Mean] and [F0Error] are sums that pool utterances, so that every
// frame weighs alike; STOI and SI-SDR are averaged over utterances.
package metric
