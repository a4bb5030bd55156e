// Package envelope gives a waveform the spectral envelope of features.
//
// A network that draws samples keeps an envelope only on average: what it draws
// is rough over time and frequency. The envelope that was asked for is known
// exactly, so the waveform's own log-mel is measured, and the difference, smooth
// over bands and frames and bounded, becomes a filter that changes with time. The
// fine structure between bands, and the phases, stay the waveform's.
//
//	samples, mel [T, M] → log-mel of the samples → gains [T, bins] → samples
package envelope

import (
	"math"

	"vqspeech/features"
	"vqspeech/internal/fields"
)

// Options bound and smooth the correction.
type Options struct {
	Most   float64 `yaml:"most" json:"most"`     // largest gain or loss (dB); 0 leaves the waveform as it is
	Bands  int     `yaml:"bands" json:"bands"`   // bands on either side over which gains are averaged, so that harmonics stay
	Frames int     `yaml:"frames" json:"frames"` // the same for frames
	Passes int     `yaml:"passes" json:"passes"` // corrections one after the other: each leaves a part, as windows overlap
}

// Validate reports every field that is out of range, one error each.
func (o Options) Validate() error {
	check := fields.Of("envelope")
	check.That(o.Most >= 0 && o.Most <= 60, "most", "between 0 and 60 dB", o.Most)
	check.Between("bands", o.Bands, 0, 512)
	check.Between("frames", o.Frames, 0, 512)
	check.Between("passes", o.Passes, 0, 16)
	return check.Err()
}

// A Shaper corrects one utterance as it comes. Samples and features are those of
// a pre-emphasised signal, as the mel front ends see it. It must not be used by
// two goroutines at a time.
type Shaper []*pass

// New returns a Shaper for features under cfg. It fails only on an invalid
// Config or Options.
func New(cfg features.Config, o Options) (Shaper, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	var s Shaper
	for range o.Passes {
		p, err := newPass(cfg, o)
		if err != nil {
			return nil, err
		}
		s = append(s, p)
	}
	return s, nil
}

// Want takes the features [T, M] of the next frames. They come before their
// samples.
func (s Shaper) Want(mel []float32) {
	for _, p := range s {
		p.want(mel)
	}
}

// Push takes the next samples and returns those that are settled, valid until
// the next call.
func (s Shaper) Push(y []float32) []float32 {
	for _, p := range s {
		y = p.push(y)
	}
	return y
}

// Flush ends the utterance and returns its last samples. The next Push starts
// another.
func (s Shaper) Flush() []float32 {
	var y []float32
	for _, p := range s {
		y = append(append([]float32(nil), p.push(y)...), p.flush()...)
	}
	return y
}

// pass is one correction.
type pass struct {
	o       Options
	cfg     features.Config
	floor   float32 // level (dB) below which nothing is corrected
	level   features.Level
	measure *features.Extractor
	dft     *features.DFT
	window  []float64 // [W]
	sum     []float64 // [hop] squares of the windows over a sample, by its place in a hop
	bands   []float64 // centre of each band (bins of the DFT)

	target []float32 // levels asked for, [., M] from frame base on
	gains  []float32 // of single frames (dB), [., M] from frame base on
	base   int       // first frame still needed
	wanted int       // frames of target so far
	got    int       // frames of gains so far

	y     []float64 // samples from index start on
	start int
	n     int // samples so far
	next  int // first frame that has not been filtered

	acc      []float64 // overlapping outputs from index done on
	done     int       // samples returned
	frame    []float64
	spectrum []complex128
	out      []float32
}

func newPass(cfg features.Config, o Options) (*pass, error) {
	n := 4
	for n < cfg.WinLength {
		n *= 2
	}
	s := &pass{
		o: o, cfg: cfg, level: cfg.StreamLevel(), dft: features.NewDFT(n), window: features.Window(cfg.WinLength),
		sum: make([]float64, cfg.HopLength), frame: make([]float64, n),
	}
	s.floor = max(s.level.FloorDB, features.RawFloorDB) + 6
	own := cfg
	own.PreEmphasis = 0 // the samples have had theirs
	var err error
	if s.measure, err = features.NewExtractor(own); err != nil {
		return nil, err
	}
	// Where windows hardly overlap, the sum is next to nothing between two of them.
	for i, w := range s.window {
		s.sum[i%cfg.HopLength] += w * w
	}
	for _, hz := range features.BandCentres(cfg) {
		s.bands = append(s.bands, hz*float64(n)/float64(cfg.SampleRate))
	}
	s.spectrum = make([]complex128, s.dft.Bins())
	return s, nil
}

func (s *pass) want(mel []float32) {
	for _, v := range mel {
		s.target = append(s.target, (v-1)*s.level.TopDB)
	}
	s.wanted += len(mel) / s.cfg.NMels
}

func (s *pass) push(y []float32) []float32 {
	s.compare(s.measure.Push(y))
	for _, v := range y {
		s.y = append(s.y, float64(v))
	}
	s.n += len(y)
	s.out = s.out[:0]
	for s.next+s.o.Frames < s.got && s.next*s.cfg.HopLength+len(s.window)/2 <= s.n {
		s.filter()
	}
	s.settle((s.next)*s.cfg.HopLength - len(s.window)/2)
	return s.out
}

func (s *pass) flush() []float32 {
	s.compare(s.measure.Flush())
	s.out = s.out[:0]
	n := s.n
	for s.next*s.cfg.HopLength-len(s.window)/2 < n {
		s.filter()
	}
	s.settle(n)
	s.target, s.gains, s.y, s.acc = s.target[:0], s.gains[:0], s.y[:0], s.acc[:0]
	s.base, s.wanted, s.got, s.start, s.n, s.next, s.done = 0, 0, 0, 0, 0, 0, 0
	return s.out
}

// compare turns the levels of further frames into gains.
func (s *pass) compare(db []float32) {
	m := s.cfg.NMels
	for len(db) > 0 {
		row := db[:m]
		db = db[m:]
		want := row
		if at := s.got - s.base; s.got < s.wanted {
			want = s.target[at*m : (at+1)*m]
		}
		most := float32(s.o.Most)
		for i, v := range row {
			s.gains = append(s.gains, min(max(max(want[i], s.floor)-max(v, s.floor), -most), most))
		}
		s.got++
	}
}

// filter filters frame next, of samples that may lie outside the utterance and
// are zero there.
func (s *pass) filter() {
	w, hop := len(s.window), s.cfg.HopLength
	from := s.next*hop - w/2
	clear(s.frame)
	for i := range w {
		if at := from + i; at >= 0 && at < s.n {
			s.frame[i] = s.y[at-s.start] * s.window[i]
		}
	}
	s.dft.Forward(s.spectrum, s.frame[:w], w)
	s.apply(s.smooth())
	s.dft.Inverse(s.frame, s.spectrum, len(s.frame))
	for i := range w {
		at := from + i
		if at < s.done {
			continue
		}
		for len(s.acc) <= at-s.done {
			s.acc = append(s.acc, 0)
		}
		s.acc[at-s.done] += s.frame[i] * s.window[i]
	}
	s.next++
	if drop := (s.next*hop - w/2) - s.start; drop > 0 && drop <= len(s.y) {
		s.y = s.y[:copy(s.y, s.y[drop:])]
		s.start += drop
	}
	if drop := s.next - s.o.Frames - s.base; drop > 0 {
		m := s.cfg.NMels
		s.gains = s.gains[:copy(s.gains, s.gains[min(drop*m, len(s.gains)):])]
		s.target = s.target[:copy(s.target, s.target[min(drop*m, len(s.target)):])]
		s.base += drop
	}
}

// smooth returns the gains of frame next (dB per band), averaged over its
// neighbours.
func (s *pass) smooth() []float64 {
	m := s.cfg.NMels
	out := make([]float64, m)
	first, last := max(s.next-s.o.Frames, s.base), min(s.next+s.o.Frames, s.got-1)
	if first > last {
		return out
	}
	row := make([]float64, m)
	for t := first; t <= last; t++ {
		for i, v := range s.gains[(t-s.base)*m : (t-s.base+1)*m] {
			row[i] += float64(v) / float64(last-first+1)
		}
	}
	for i := range out {
		lo, hi := max(i-s.o.Bands, 0), min(i+s.o.Bands, m-1)
		for j := lo; j <= hi; j++ {
			out[i] += row[j] / float64(hi-lo+1)
		}
	}
	return out
}

// apply multiplies the spectrum by gains that lie on straight lines (dB) between
// the centres of the bands.
func (s *pass) apply(db []float64) {
	band := 0
	for k := range s.spectrum {
		for band+1 < len(s.bands) && s.bands[band+1] < float64(k) {
			band++
		}
		v := db[band]
		if f := float64(k); f > s.bands[band] && band+1 < len(s.bands) {
			v += (db[band+1] - v) * (f - s.bands[band]) / (s.bands[band+1] - s.bands[band])
		}
		g := math.Pow(10, v/20)
		s.spectrum[k] *= complex(g, 0)
	}
}

// settle returns the samples before index end.
func (s *pass) settle(end int) {
	n := end - s.done
	if n <= 0 {
		return
	}
	for len(s.acc) < n {
		s.acc = append(s.acc, 0)
	}
	for i, v := range s.acc[:n] {
		// The window of a frame begins half a window before its centre.
		place := (s.done + i + len(s.window)/2) % s.cfg.HopLength
		s.out = append(s.out, float32(v/max(s.sum[place], 1e-3)))
	}
	s.acc = s.acc[:copy(s.acc, s.acc[n:])]
	s.done = end
}
