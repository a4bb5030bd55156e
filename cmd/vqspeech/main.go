// Command vqspeech turns speech into discrete units, units into speech, one
// voice into another, and trains and judges the models that do so.
package main

import (
	"os"

	"vqspeech/cmd/vqspeech/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:])) }
