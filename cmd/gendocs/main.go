// Command gendocs writes the man pages of vqspeech, one a verb, to a folder:
//
//	go run ./cmd/gendocs man
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra/doc"

	"vqspeech/cmd/vqspeech/cli"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gendocs DIR")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "gendocs:", err)
		os.Exit(1)
	}
}

func write(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	epoch := time.Unix(0, 0).UTC() // the pages do not change with the day
	header := doc.GenManHeader{Section: "1", Source: "vqspeech", Manual: "vqspeech", Date: &epoch}
	root := cli.Command()
	root.DisableAutoGenTag = true
	return doc.GenManTree(root, &header, dir)
}
