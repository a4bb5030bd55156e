package cli

import (
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

// notPrepared says how a prepared folder is made where there is none.
func notPrepared(err error) error {
	if err == nil {
		return nil
	}
	return hintError{pathFirst(err), "vqspeech prepare makes such a folder"}
}
