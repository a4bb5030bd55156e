package model

// Work is the arithmetic of one utterance, in multiply-adds of matrix products.
// What is done element by element is small beside it and not counted.
type Work struct{ Encoder, Quantizer, Decoder int64 }

// Work returns the arithmetic of an utterance of t mel frames. That of the
// decoder is what Decoder does, the overlap of its windows included.
func (m *Model) Work(t int) Work {
	l := max(t/Downsampling-1, 0)
	variances := 1 // gaussian-1
	if c := m.Config; c.Quantizer.Kind != Gaussian1 {
		variances = l * (c.LatentChannels() - c.Quantizer.CodebookDim)
	}
	return Work{
		Encoder:   m.encoder.MultiplyAdds(t),
		Quantizer: m.Codebook.MultiplyAdds(l, variances),
		Decoder:   m.decoder.MultiplyAdds(decodedUnits(l)),
	}
}
