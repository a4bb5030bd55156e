// Package model holds a speech model and the way through it: waveform → units
// (Encoder), units → log-mel features (Decoder). It needs no gorgonia; training
// is in model/train.
//
// Shapes use one set of letters everywhere: B batch, S samples, T mel frames,
// L code frames, N latents (B·L), M mel bands, C channels, D code dimension,
// K codebook size, P speakers. Tensors are float32, row-major, outermost axis
// first; sequences are time major: mel [T, M].
//
// One unit stands for two mel frames: an utterance of S samples has
// T = 1 + ⌊S/hop⌋ frames and L = ⌊T/2⌋ - 1 units; unit k controls mel frames
// 2k+1 and 2k+2.
package model
