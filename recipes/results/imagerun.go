package results

import (
	"fmt"
	"os"
	"path/filepath"

	"vqspeech/internal/safetensors"
	"vqspeech/model/image"
	imagetrain "vqspeech/model/image/train"
	"vqspeech/model/train"
	"vqspeech/recipes"
)

// ImageRun is the final result of the run of an image model.
type ImageRun struct {
	Dir       string
	Config    imagetrain.RunConfig
	Test      image.Evaluation
	FID       map[string]FID // by kind; those that were recorded
	Corpus    string         // empty: not recorded
	SplitHash string         // the same
	Recipe    string         // YAML; the same
}

// FinishedImage returns the result of a run of an image model. One that is not
// finished, or was not tested, is an error that names the folder.
func (r *Run) FinishedImage() (*ImageRun, error) {
	if r.Image == nil {
		_, err := imagetrain.ReadRunConfig(r.Dir)
		return nil, err
	}
	if r.Image.Test == 0 {
		return nil, fmt.Errorf("%s: the run has no test images", r.Dir)
	}
	if err := r.ended(r.Image.MaxSteps(), train.ModelFile); err != nil {
		return nil, err
	}
	if err := r.ended(r.Image.MaxSteps(), imagetrain.TestFile); err != nil {
		return nil, err
	}
	result := &ImageRun{Dir: r.Dir, Config: *r.Image}
	var err error
	if result.Test, err = imagetrain.ReadTest(r.Dir); err != nil {
		return nil, err
	}
	if result.FID, err = fidsOf(r.Dir); err != nil {
		return nil, err
	}
	meta, err := metadata(filepath.Join(r.Dir, train.ModelFile))
	if err != nil {
		return nil, err
	}
	result.Corpus, result.SplitHash, result.Recipe = meta[recipes.CorpusKey], meta[recipes.SplitHashKey], meta[recipes.RecipeKey]
	return result, nil
}

// metadata reads that of a model file.
func metadata(path string) (map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	file, err := safetensors.Read(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return file.Metadata, nil
}
