package corpus

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"vqspeech/audio"
	"vqspeech/features"
	"vqspeech/internal/atomicfile"
	"vqspeech/internal/npy"
	"vqspeech/internal/strict"
)

// compute reads the audio file of an item and returns its manifest line, its
// raw-level log-mel, mel [T, M] float32 (dB re 1.0), and its samples if they are
// to be kept.
func (p *preparation) compute(it Item) (u Utterance, mel, kept []float32, err error) {
	path := filepath.Join(p.src.Root, filepath.FromSlash(it.Path))
	info, err := strict.Stat(path)
	if err != nil {
		return u, nil, nil, strict.Cause(err)
	}
	stream, err := audio.Open(path)
	if err != nil {
		return u, nil, nil, strict.Cause(err)
	}
	defer stream.Close()
	x, err := features.NewExtractor(p.cfg)
	if err != nil {
		return u, nil, nil, err
	}
	if rate := stream.SampleRate(); p.src.SampleRate != 0 && rate != p.src.SampleRate {
		return u, nil, nil, fmt.Errorf("recording at %d Hz, want %d Hz as the corpus", rate, p.src.SampleRate)
	}
	segment, err := audio.Segment(stream, it.Segment)
	if err != nil {
		return u, nil, nil, err
	}
	r, err := audio.Resampled(segment, p.cfg.SampleRate)
	if err != nil {
		return u, nil, nil, err
	}
	var samples int64
	buf := make([]float32, 1<<16)
	for {
		n, err := r.Read(buf)
		samples += int64(n)
		mel = append(mel, x.Push(buf[:n])...)
		if p.audio {
			kept = append(kept, buf[:n]...)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return u, nil, nil, strict.Cause(err)
		}
	}
	if samples == 0 {
		return u, nil, nil, errors.New("no samples, want at least 1")
	}
	mel = append(mel, x.Flush()...)
	if err := x.Err(); err != nil {
		return u, nil, nil, err
	}
	top := float32(features.RawFloorDB)
	for _, v := range mel {
		top = max(top, v)
	}
	return Utterance{
		ID: it.ID, Path: it.Path, Speaker: it.Speaker, Sex: it.Sex, Split: it.Split,
		Start: it.Segment.Start, Duration: it.Segment.Duration,
		Bytes:   info.Size(),
		Samples: samples, SampleRate: p.cfg.SampleRate, Seconds: float64(samples) / float64(p.cfg.SampleRate),
		Frames: len(mel) / p.cfg.NMels, Peak: x.Peak(), MaxDB: top, Mel: melPath(it.ID),
	}, mel, kept, nil
}

// writeMel writes mel [T, M] to path and returns the size of the file.
func writeMel(path string, mel []float32, m int) (bytes int64, err error) {
	err = atomicfile.Write(path, func(w io.Writer) error {
		c := &counter{w: w}
		err := npy.Write(c, []int{len(mel) / m, m}, mel)
		bytes = c.n
		return err
	})
	return bytes, err
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// readMel reads mel [frames, m] from path.
func readMel(path string, frames, m int) ([]float32, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	shape, mel, err := npy.Read[float32](f)
	if err != nil {
		return nil, err
	}
	if len(shape) != 2 || shape[0] != frames || shape[1] != m {
		return nil, fmt.Errorf("shape is %v, want [%d %d] as in the manifest", shape, frames, m)
	}
	return mel, nil
}
