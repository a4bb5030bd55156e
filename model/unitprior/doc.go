// Package unitprior holds a prior over the units of a speech model: a recurrent
// network that gives every unit of an utterance a distribution that depends on the
// units before it, trained after the model (van den Oord et al. 2017, who have a
// WaveNet in its place). It tells what the units cost an ideal entropy coder that
// knows their past, and units drawn from it decode to speech without words.
//
//	Model.Sample → units → model.Model.DecodeAll → features
//
// The alphabet has one symbol more than the codebook: the end, which is also what
// comes before the first unit. The package needs no gorgonia; training is in
// model/train/prior.
//
// Letters of shapes: B sequences of a batch, T units, E embedding, H recurrent
// units, K codebook size.
package unitprior
