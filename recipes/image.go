package recipes

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"vqspeech/model/image"
	"vqspeech/model/image/train"
	"vqspeech/recipes/images"
)

// Image is a recipe with the sections data, model, quantizer, decoder and
// train: it trains a model of images. What tells it from other recipes is the
// key model.kind, the net; the net decides the defaults of the other keys.
type Image struct {
	Data      ImageData             `yaml:"data"`
	Model     image.NetConfig       `yaml:"model"`
	Quantizer image.QuantizerConfig `yaml:"quantizer"`
	Decoder   image.DecoderConfig   `yaml:"decoder"`
	Train     train.Config          `yaml:"train"`
}

// ImageData says which splits of the prepared corpus play which part.
type ImageData struct {
	Train string `yaml:"train"` // trained on
	Valid string `yaml:"valid"` // decides the learning rate and which checkpoint is the best; may be empty
	Test  string `yaml:"test"`  // measured once, with the finished model; may be empty
	Gray  bool   `yaml:"gray"`  // colour images become their luma
}

// DefaultImage returns the published recipe of a net.
func DefaultImage(net image.NetKind) Image {
	c := image.DefaultConfig(net)
	return Image{
		Data:  ImageData{Train: "train", Valid: "valid", Test: "test"},
		Model: c.Net, Quantizer: c.Quantizer, Decoder: c.Decoder, Train: train.DefaultConfig(),
	}
}

// ParseImage is Parse for a recipe of images.
func ParseImage(name string, data []byte, overrides ...string) (Image, error) {
	net := netOf(data)
	for _, o := range overrides {
		if kind, ok := strings.CutPrefix(o, "model.kind="); ok {
			net = kind
		}
	}
	return parse(name, data, overrides, DefaultImage(image.NetKind(net)))
}

// netOf returns the value of model.kind, empty without one.
func netOf(data []byte) string {
	var r struct {
		Model struct{ Kind yaml.Node }
	}
	if len(data) > maxFileBytes {
		return ""
	}
	_ = yaml.Unmarshal(data, &r) // parse says what is wrong with it
	return r.Model.Kind.Value
}

// YAML returns the whole recipe, defaults included; ParseImage reads it back.
func (r Image) YAML() ([]byte, error) { return yaml.Marshal(r) }

// Config returns the configuration of the model that r trains.
func (r Image) Config() image.Config {
	return image.Config{Net: r.Model, Quantizer: r.Quantizer, Decoder: r.Decoder}
}

// Validate reports every field that is out of range, one error each.
func (r Image) Validate() error {
	return errors.Join(r.Config().Validate(), r.Train.Validate(), r.Data.Validate())
}

// Validate reports a missing or a doubly used split.
func (d ImageData) Validate() error {
	var errs []error
	if d.Train == "" {
		errs = append(errs, errors.New("data.train: must name a split"))
	}
	for _, pair := range [][2]string{{d.Train, d.Valid}, {d.Train, d.Test}, {d.Valid, d.Test}} {
		if pair[0] != "" && pair[0] == pair[1] {
			errs = append(errs, fmt.Errorf("data: train, valid and test must be different splits (got %q twice)", pair[0]))
		}
	}
	return errors.Join(errs...)
}

// Images is the number of images of a prepared corpus that have a part.
func (d ImageData) Images(c *images.Corpus) int {
	n := 0
	for _, split := range []string{d.Train, d.Valid, d.Test} {
		n += c.Info.Splits[split].Images
	}
	return n
}

// Options returns the training run of r on a prepared corpus, without a folder
// and without callbacks. It reads the splits into memory.
func (r Image) Options(c *images.Corpus) (train.Options, error) {
	o := train.Options{Model: r.Config(), Train: r.Train}
	text, err := r.YAML()
	if err != nil {
		return o, err
	}
	hash := c.SplitHash(r.Data.Train, r.Data.Valid, r.Data.Test)
	o.Metadata = metadata(c.Info.Corpus, hash, text)
	if o.Data, err = dataName(c.Info.Corpus, hash, r.Data); err != nil {
		return o, err
	}
	for _, part := range []struct {
		dst        *image.Set
		key, split string
	}{{&o.Training, "data.train", r.Data.Train}, {&o.Valid, "data.valid", r.Data.Valid}, {&o.Test, "data.test", r.Data.Test}} {
		if part.split == "" {
			continue
		}
		if *part.dst, err = r.Set(c, part.split); err != nil {
			return o, fmt.Errorf("%s: %w", part.key, err)
		}
	}
	return o, nil
}

// Set reads a split of a prepared corpus as the model of r takes it. Images of
// another size or other classes are an error.
func (r Image) Set(c *images.Corpus, split string) (image.Set, error) {
	if err := r.checkClasses(c); err != nil {
		return image.Set{}, err
	}
	set, err := c.Read(split)
	if err != nil {
		return image.Set{}, err
	}
	if side := r.Config().Side(); set.Height != side || set.Width != side { // before they are grey
		return image.Set{}, fmt.Errorf("%s: %s: images are %d×%d with %d channels, want %d×%d", c.Dir, split, set.Height, set.Width, set.Channels, side, side)
	}
	if r.Data.Gray {
		set = images.Gray(set)
	}
	if err := set.Check(r.Config()); err != nil {
		return image.Set{}, fmt.Errorf("%s: %s: %w", c.Dir, split, err)
	}
	return set, nil
}

// ImagesFor reads a split of a prepared corpus as a model with this configuration
// takes it: colours become grey for a model of grey values.
func ImagesFor(cfg image.Config, c *images.Corpus, split string) (image.Set, error) {
	r := Image{Model: cfg.Net, Quantizer: cfg.Quantizer, Decoder: cfg.Decoder}
	r.Data.Gray = cfg.Labels() || cfg.Net.Channels == 1
	return r.Set(c, split)
}

// checkClasses reports a decoder of levels for labels, or of other classes than
// the corpus has. Levels of light can stand for 256 classes.
func (r Image) checkClasses(c *images.Corpus) error {
	cfg, classes := r.Config(), c.Info.Classes
	if !cfg.Labels() && classes > 0 {
		return fmt.Errorf("%s: the values are labels of %d classes, want decoder.kind %s or %s", c.Dir, classes, image.CategoricalDecoder, image.VMFDecoder)
	}
	if classes == 0 {
		classes = 256
	}
	if cfg.Labels() && cfg.Net.Channels != classes {
		return fmt.Errorf("%s: %d classes, want model.channels %d (got %d)", c.Dir, classes, classes, cfg.Net.Channels)
	}
	return nil
}
