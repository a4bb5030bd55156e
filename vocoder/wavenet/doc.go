// Package wavenet is an autoregressive waveform decoder: a stack of gated
// dilated causal convolutions over mu-law codes (WaveNet, van den Oord et al.
// 2016), conditioned on latents and on a speaker as in the autoencoders of van
// den Oord et al. 2017 and Chorowski et al. 2019. In the place of the stack there
// can be a recurrent layer (WaveRNN, Kalchbrenner et al. 2018; bshall/ZeroSpeech):
// everything around this core is the same.
//
//	latents [L, d], speaker → codes [L*U] → samples [L*U]
//
// [Config] fixes the network and lists its tensors; [Preset] has three sizes.
// [New] packs trained weights into a [Generator], [NewInt8] after rounding them
// to bytes. It draws one sample after the other from cached layer inputs
// (fast-wavenet, Le Paine et al. 2016): every utterance is a [Stream], and any
// number of streams can advance together, so that each weight is read once for
// all of them ([PushAll] on one goroutine, [Group] on many). What a stream gives depends on its latents, speaker and seed, not
// on how the latents were cut into pieces nor on the streams beside it.
//
// Package train, below this one, trains the network.
//
// # The network
//
// Axes: B batch, L latents, U samples per latent, T = L*U samples, d width of a
// latent, R residual, D gate, S skip and C conditioning channels, G width of a
// speaker vector, M layers, P layers per cycle.
//
//	c = upsample(conv3(latents))                          [B, T, C]
//	x = embedding(code[t-1]), code[-1] = 128               [B, T, R]
//	for l = 0 … M-1
//	    h = conv(x, dilation 2^(l mod P)) + V_l c + U_l g  [B, T, 2D]
//	    z = tanh(h[:D]) * sigmoid(h[D:])                   [B, T, D]
//	    skip = skip + W_l z                                [B, T, S]
//	    x = x + X_l z                                      [B, T, R]
//	logits = head2(relu(head1(relu(skip))))                [B, T, 256]
//
// The prediction of sample t sees the codes before t and all latents.
//
// With [Config.GRU] the core is a layer of H gated recurrent units, whose gates
// see speaker and conditioning vector beside the input:
//
//	h[t] = GRU([x, c, g], h[t-1]), h[-1] = 0               [B, T, H]
//	logits = head2(relu(head1(h)))                         [B, T, 256]
//
// The files: dilated.go and recurrent.go are the two cores, core.go what they
// have in common, condition.go makes c, step.go the head and the draws.
//
// # The default vocoder
//
// With [Config.Prediction] the codes are those of the residual of linear
// prediction (package lpc), and the latents are log-mel features and the pitch.
// A [Voice] is such a network in a file, and [Vocoder] runs it on features alone:
//
//	mel [T, M] → pitch (pitcher.go) → latents [T, M+2] → Stream (residual.go)
//	  → pre-emphasised samples → package envelope → de-emphasis → samples [T*HopLength]
//
// Without Prediction the latents are the code vectors of units, as in the papers,
// and [UnitVocoder] runs the network on units alone.
package wavenet
