package cli

import (
	"os"
	"slices"

	"vqspeech/quant/metric/abx"
)

// itemsHelp is the part of the help that measures with an item file share.
const itemsHelp = `

The item file (.item) has a header line that begins with # and a line per item:
  #file onset offset #phone prev-phone next-phone speaker
with the name of the recording without suffix and times in seconds.`

// readItems reads an item file, and from the source the files that its items are
// in, by their names. Lines that are no items and files without frames go to fail
// with how many items they cost; such files have an error.
func readItems(path string, source *frameSource, fail func(file string, err error, items int)) ([]abx.Item, map[string]*frameFile, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, named(path, err)
	}
	defer file.Close()
	items, bad, err := abx.ReadItems(file)
	if err != nil {
		return nil, nil, named(path, err)
	}
	for _, err := range bad {
		fail(path, named(path, err), 1)
	}
	count := map[string]int{} // items of a file
	var names []string
	for _, item := range items {
		if count[item.File]++; count[item.File] == 1 {
			names = append(names, item.File)
		}
	}
	slices.Sort(names)
	loaded, err := source.load(names)
	if err != nil {
		return nil, nil, err
	}
	files := map[string]*frameFile{}
	for i := range loaded {
		f := &loaded[i]
		files[names[i]] = f
		if f.err != nil {
			fail(f.path, f.err, count[names[i]])
		}
	}
	return items, files, nil
}
