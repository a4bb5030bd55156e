// Package deps pins modules while the tree is being written.
package deps

import (
	_ "github.com/apache/arrow/go/arrow"
	_ "github.com/chewxy/hm"
	_ "github.com/go-audio/audio"
	_ "github.com/go-audio/wav"
	_ "github.com/golang/protobuf/proto"
	_ "github.com/google/go-cmp/cmp"
	_ "github.com/mewkiz/flac"
	_ "github.com/mjibson/go-dsp/fft"
	_ "github.com/rogpeppe/go-internal/testscript"
	_ "github.com/schollz/progressbar/v3"
	_ "github.com/spf13/cobra"
	_ "github.com/spf13/cobra/doc"
	_ "go.yaml.in/yaml/v3"
	_ "go4.org/unsafe/assume-no-moving-gc"
	_ "golang.org/x/sys/cpu"
	_ "golang.org/x/term"
	_ "golang.org/x/xerrors"
	_ "gonum.org/v1/gonum/mat"
	_ "gorgonia.org/gorgonia"
	_ "gorgonia.org/tensor"
	_ "pgregory.net/rapid"
)
