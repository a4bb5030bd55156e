package model

// Decoding windows (units). The mel decoder is bidirectional, so a long
// sequence is decoded in windows at fixed positions: each yields windowUnits
// and sees up to contextUnits more on either side. The last window yields all
// that is left, at most windowUnits + contextUnits: so long a sequence is
// decoded at once, as by DecodeAll.
const (
	windowUnits  = 200 // 4 s at 50 Hz
	contextUnits = 50  // 1 s
)

// Decoder turns the units of one utterance, in pieces of any size, into log-mel
// features with bounded memory. The result does not depend on the sizes of the
// pieces.
type Decoder struct {
	model   *Model
	speaker int

	codes  []uint16 // from unit start on
	start  int      // index of codes[0]
	next   int      // first unit not yet decoded, a multiple of windowUnits
	frames int64    // mel frames returned so far
	last   []float32
}

// NewDecoder starts an utterance with a speaker row.
func (m *Model) NewDecoder(speaker int) *Decoder { return &Decoder{model: m, speaker: speaker} }

// Push appends units and returns the mel frames [n, M] (features) that are
// settled.
func (d *Decoder) Push(codes []uint16) []float32 {
	var out []float32
	for len(codes) > 0 {
		n := min(len(codes), windowUnits)
		d.codes = append(d.codes, codes[:n]...)
		codes = codes[n:]
		for d.start+len(d.codes) > d.next+windowUnits+contextUnits {
			out = append(out, d.window(windowUnits)...)
		}
	}
	return out
}

// Flush ends the utterance and returns its last mel frames. samples is the
// length of the waveform (at the model's rate), which fixes the number of
// frames T = 1 + ⌊samples/hop⌋ over all calls; -1 means unknown, and T = 2L+2
// then. Frame 0 and the one or two frames after 2L are not coded: they repeat
// their neighbour. A length that does not belong to L units counts as the
// nearest that does.
func (d *Decoder) Flush(samples int64) []float32 {
	var out []float32
	if rest := d.start + len(d.codes) - d.next; rest > 0 {
		out = d.window(rest)
	}
	total := d.frames + 1
	if samples >= 0 {
		frames := 1 + samples/int64(d.model.Config.Features.HopLength)
		total = min(max(frames, total), total+1)
	}
	for ; d.frames < total && d.last != nil; d.frames++ {
		out = append(out, d.last...)
	}
	return out
}

// window decodes n units from next on and returns their frames.
func (d *Decoder) window(n int) []float32 {
	end := min(d.next+n+contextUnits, d.start+len(d.codes))
	from := max(d.next-contextUnits, 0)
	mel := d.model.DecodeAll(d.codes[from-d.start:end-d.start], d.speaker)
	m := d.model.Config.Features.NMels
	per := Downsampling * m
	mel = mel[(d.next-from)*per : (d.next+n-from)*per]
	d.next += n
	if drop := d.next - contextUnits - d.start; drop > 0 {
		drop = min(drop, len(d.codes))
		d.codes = append(d.codes[:0], d.codes[drop:]...)
		d.start += drop
	}
	if d.frames == 0 {
		mel = append(append([]float32{}, mel[:m]...), mel...)
	}
	d.frames += int64(len(mel) / m)
	d.last = append(d.last[:0], mel[len(mel)-m:]...)
	return mel
}

// decodedUnits returns how many units the windows of a sequence of n units have
// together: those that two windows see count twice.
func decodedUnits(n int) int {
	total, next := 0, 0
	for ; n-next > windowUnits+contextUnits; next += windowUnits {
		total += min(next, contextUnits) + windowUnits + contextUnits
	}
	return total + min(next, contextUnits) + n - next
}

// DecodeAll decodes a whole sequence at once, as the published evaluation does.
//
//	codes [L], each < K, speaker row → mel [2L, M] features, mel frames 1..2L of the utterance
//
// It panics on a code or a speaker row that the model does not have.
func (m *Model) DecodeAll(codes []uint16, speaker int) []float32 {
	vectors := make([]float32, len(codes)*m.Codebook.Dim)
	m.Codebook.Lookup(vectors, codes)
	return m.decoder.Decode(vectors, speaker)
}

// EncodeMel encodes a whole feature sequence at once.
//
//	mel [T, M] features → codes [⌊T/2⌋-1]
func (m *Model) EncodeMel(mel []float32) []uint16 { return m.assign(m.encoder.Encode(mel)) }
