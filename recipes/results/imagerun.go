package results

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"vqspeech/model/checkpoint"
	"vqspeech/model/image"
	imagetrain "vqspeech/model/image/train"
	"vqspeech/recipes"
)

// ImageRun is the final result of the run of an image model.
type ImageRun struct {
	Dir       string
	Config    imagetrain.RunConfig
	Test      image.Evaluation
	Step      int            // that the tested model is of; 0: not recorded
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
	meta, err := r.ended(r.Image.MaxSteps())
	if err != nil {
		return nil, err
	}
	result := &ImageRun{Dir: r.Dir, Config: *r.Image}
	result.Test, err = imagetrain.ReadTest(r.Dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s: unfinished: it has no %s", r.Dir, imagetrain.TestFile)
	}
	if err != nil {
		return nil, err
	}
	result.Step, _ = strconv.Atoi(meta[checkpoint.StepKey])
	if result.FID, err = fidsOf(r.Dir); err != nil {
		return nil, err
	}
	result.Corpus, result.SplitHash, result.Recipe = meta[recipes.CorpusKey], meta[recipes.SplitHashKey], meta[recipes.RecipeKey]
	return result, nil
}
