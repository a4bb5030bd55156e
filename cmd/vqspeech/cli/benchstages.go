package cli

import (
	"bytes"
	"context"
	"crypto/md5"
	"fmt"
	"io"
	"math"
	"math/rand/v2"

	"github.com/mewkiz/flac"
	"github.com/mewkiz/flac/frame"
	"github.com/mewkiz/flac/meta"

	"vqspeech/audio"
	"vqspeech/audio/wav"
	"vqspeech/features"
	"vqspeech/model"
	"vqspeech/quant/units"
	"vqspeech/vocoder"
)

// benchStages prepares the inputs of every stage of bench from a voice of the
// given length.
func benchStages(m *model.Model, seconds int) ([]stage, error) {
	cfg := m.Config.Features
	clip := voice(seconds, cfg.SampleRate)
	high := voice(seconds, 3*cfg.SampleRate)
	var wavFile bytes.Buffer
	if err := wav.Encode(&wavFile, clip.Samples, clip.SampleRate); err != nil {
		return nil, err
	}
	flacFile, err := encodeFLAC(clip)
	if err != nil {
		return nil, err
	}
	mel, err := features.LogMel(clip, cfg)
	if err != nil {
		return nil, err
	}
	latents, logVar := m.Latents(mel)
	codes := m.Assign(latents, logVar)
	decoded := decodeUnits(m, codes, len(clip.Samples))
	h := unitsHeader(m)
	h.Samples = int64(len(clip.Samples))
	var unitsFile bytes.Buffer
	if err := units.Encode(&unitsFile, h, codes); err != nil {
		return nil, err
	}
	extractor, err := features.NewExtractor(cfg)
	if err != nil {
		return nil, err
	}
	voices, err := vocoders(vocoderOptions{}, m)
	if err != nil {
		return nil, err
	}
	voc, err := voices.alone(m.DefaultSpeaker())
	if err != nil {
		return nil, err
	}
	level := cfg.StreamLevel() // that of the reference front end costs the same
	work := m.Work(len(mel) / cfg.NMels)
	samples := make([]float32, len(clip.Samples)) // what is read
	return []stage{
		{name: "wav", run: func() error { return readAudio(samples, wavFile.Bytes()) }},
		{name: "flac", run: func() error { return readAudio(samples, flacFile) }},
		{name: "resample", run: func() error {
			src, err := audio.Resampled(high.Source(), cfg.SampleRate)
			if err != nil {
				return err
			}
			_, err = audio.ReadFull(src, samples)
			return err
		}},
		{name: "features", run: func() error {
			for _, db := range [][]float32{extractor.Push(clip.Samples), extractor.Flush()} {
				level.Apply(db, db)
			}
			return extractor.Err()
		}},
		{name: "encoder", multiplyAdds: work.Encoder, run: func() error {
			m.Latents(mel)
			return nil
		}},
		{name: "quantizer", multiplyAdds: work.Quantizer, run: func() error {
			m.Assign(latents, logVar)
			return nil
		}},
		{name: "decoder", multiplyAdds: work.Decoder, run: func() error {
			decodeUnits(m, codes, len(clip.Samples))
			return nil
		}},
		{name: "vocoder", run: func() error {
			if _, err := voc.Push(vocoder.Conditioning{Codes: codes, Mel: decoded}); err != nil {
				return err
			}
			_, err := voc.Flush()
			return err
		}},
		{name: "encode", run: func() error {
			if err := readAudio(samples, wavFile.Bytes()); err != nil {
				return err
			}
			w, err := units.NewWriter(io.Discard, h)
			if err != nil {
				return err
			}
			n, err := m.EncodeClip(&audio.Clip{Samples: samples, SampleRate: cfg.SampleRate}, w.Write)
			if err != nil {
				return err
			}
			return w.Close(n)
		}},
		{name: "decode", run: func() error { return synthesiseNowhere(m, voices.alone, unitsFile.Bytes()) }},
	}, nil
}

// readAudio reads a whole file of exactly len(samples) samples.
func readAudio(samples []float32, file []byte) error {
	s, err := audio.NewStream(bytes.NewReader(file))
	if err != nil {
		return err
	}
	if _, err := audio.ReadFull(s, samples); err != nil {
		return err
	}
	var more [1]float32
	if _, err := s.Read(more[:]); err != io.EOF { // where FLAC compares the checksum
		return fmt.Errorf("end of the audio: %v, want %v", err, io.EOF)
	}
	return nil
}

// decodeUnits returns the features of a whole utterance in the windows of
// decode.
func decodeUnits(m *model.Model, codes []uint16, samples int) []float32 {
	d := m.NewDecoder(0)
	return append(d.Push(codes), d.Flush(int64(samples))...)
}

// synthesiseNowhere is decode without its files.
func synthesiseNowhere(m *model.Model, voice voicing, unitsFile []byte) error {
	r, err := units.NewReader(bytes.NewReader(unitsFile))
	if err != nil {
		return err
	}
	v, err := voice(m.DefaultSpeaker())
	if err != nil {
		return err
	}
	w, err := wav.NewWriter(io.Discard, m.Config.Features.SampleRate)
	if err != nil {
		return err
	}
	s := &synth{
		model: m, decoder: m.NewDecoder(0), vocoder: v, name: "(nowhere)", wav: nowhere{w}, forget: func() {}, limit: math.MaxInt64,
	}
	return s.play(context.Background(), r)
}

// nowhere is a recording that leaves nothing to remove.
type nowhere struct{ *wav.Writer }

func (nowhere) Abort() {}

// encodeFLAC compresses a clip to 16 bits as encoders do by default for speech,
// in blocks of 4096 samples with a checksum of the whole, but with fixed
// prediction: the encoder has no search for coefficients.
func encodeFLAC(c *audio.Clip) ([]byte, error) {
	const block = 4096
	pcm := make([]int32, len(c.Samples))
	sum := md5.New()
	for i, x := range c.Samples {
		pcm[i] = int32(math.RoundToEven(float64(x) * (1 << 15)))
		sum.Write([]byte{byte(pcm[i]), byte(pcm[i] >> 8)})
	}
	var file bytes.Buffer
	info := &meta.StreamInfo{
		BlockSizeMin: block, BlockSizeMax: block, SampleRate: uint32(c.SampleRate), NChannels: 1, BitsPerSample: 16,
		NSamples: uint64(len(pcm)), MD5sum: [md5.Size]byte(sum.Sum(nil)),
	}
	enc, err := flac.NewEncoder(&file, info)
	if err != nil {
		return nil, err
	}
	for len(pcm) > 0 {
		n := min(len(pcm), block)
		// PredVerbatim lets the encoder choose the predictor.
		sub := &frame.Subframe{SubHeader: frame.SubHeader{Pred: frame.PredVerbatim}, Samples: pcm[:n], NSamples: n}
		if err := enc.WriteFrame(&frame.Frame{
			Header:    frame.Header{HasFixedBlockSize: true, BlockSize: uint16(n), Channels: frame.ChannelsMono, BitsPerSample: 16},
			Subframes: []*frame.Subframe{sub},
		}); err != nil {
			return nil, err
		}
		pcm = pcm[n:]
	}
	return file.Bytes(), enc.Close()
}

// voice returns harmonics of a gliding pitch under a moving formant, with
// syllables and breath noise: as hard to code as speech, the same on every
// machine.
func voice(seconds, rate int) *audio.Clip {
	rng := rand.New(rand.NewPCG(1, 1))
	c := &audio.Clip{Samples: make([]float32, seconds*rate), SampleRate: rate}
	phase := 0.0
	for i := range c.Samples {
		t := float64(i) / float64(rate)
		pitch := 130 + 40*math.Sin(2*math.Pi*0.7*t)
		formant := 900 + 500*math.Sin(2*math.Pi*1.3*t)
		phase += 2 * math.Pi * pitch / float64(rate)
		// sin(h·phase) by its recurrence in h.
		twice, last, v := 2*math.Cos(phase), 0.0, 0.0
		for h, s := 1, math.Sin(phase); float64(h)*pitch < 0.45*float64(rate); h++ {
			v += s / (1 + math.Abs(float64(h)*pitch-formant)/200)
			s, last = twice*s-last, s
		}
		syllables := math.Sqrt(max(0, math.Sin(2*math.Pi*2.1*t)))
		x := 0.05*v*syllables + 0.003*rng.NormFloat64()
		c.Samples[i] = float32(max(-0.99, min(x, 0.99)))
	}
	return c
}
