package cli

import (
	"fmt"

	"vqspeech/recipes/corpus"
	"vqspeech/recipes/images"
)

// openCorpus opens a prepared folder of recordings.
func openCorpus(dir string) (*corpus.Corpus, error) {
	c, err := corpus.Open(dir)
	return c, notPrepared(err)
}

// openImageCorpus opens a prepared folder of images.
func openImageCorpus(dir string) (*images.Corpus, error) {
	c, err := images.Open(dir)
	return c, notPrepared(err)
}

// anotherFolder fails for a prepared folder, of recordings or images, which is not
// the place for what a verb writes.
func anotherFolder(dir string, recordings, pictures bool) error {
	if _, err := corpus.Open(dir); recordings && err == nil {
		return fmt.Errorf("%s: the folder holds a corpus of recordings; use another folder", dir)
	}
	if _, err := images.Open(dir); pictures && err == nil {
		return fmt.Errorf("%s: the folder holds a corpus of images; use another folder", dir)
	}
	return nil
}

// notPrepared says how a prepared folder is made where there is none.
func notPrepared(err error) error {
	if err == nil {
		return nil
	}
	return hintError{pathFirst(err), "vqspeech prepare makes such a folder"}
}
