module vqspeech

go 1.26.0

require (
	github.com/chewxy/hm v1.0.0 // types of gorgonia operations
	github.com/go-audio/audio v1.0.0 // sample buffers of go-audio/wav
	github.com/go-audio/wav v1.1.0 // WAV, behind the guard of audio/wav
	github.com/gofrs/flock v0.13.0 // one training or prepare at a time in a folder, on every system
	github.com/google/go-cmp v0.7.0 // tests: differences
	github.com/mewkiz/flac v1.0.14 // FLAC, the maintained pure Go decoder
	github.com/mjibson/go-dsp v0.0.0-20180508042940-11479a337f12 // window and transform of the features
	github.com/rogpeppe/go-internal v1.14.1 // tests: command line scripts (testscript)
	github.com/schollz/progressbar/v3 v3.19.1 // progress on a terminal
	github.com/spf13/cobra v1.10.2 // the command line, its completion and man pages
	go.yaml.in/yaml/v3 v3.0.4 // recipes; the maintained continuation of gopkg.in/yaml.v3
	golang.org/x/sys v0.49.0 // processor features
	golang.org/x/term v0.47.0 // is this a terminal
	gonum.org/v1/gonum v0.17.0 // pseudo-inverse of the mel basis; BLAS interface of gorgonia; oracle of tests
	gonum.org/v1/plot v0.17.0 // axes, ticks, legends and fonts of the pictures of plot
	google.golang.org/protobuf v1.36.12 // TensorBoard event files: the wire format alone
	gorgonia.org/gorgonia v0.9.18 // training: graph, differentiation, tape machine
	gorgonia.org/tensor v0.9.24 // values of gorgonia
	pgregory.net/rapid v1.3.0 // tests: laws on random input
)

require (
	codeberg.org/go-fonts/liberation v0.5.0 // indirect
	codeberg.org/go-latex/latex v0.2.0 // indirect
	codeberg.org/go-pdf/fpdf v0.11.1 // indirect
	git.sr.ht/~sbinet/gg v0.7.0 // indirect
	github.com/ajstarks/svgo v0.0.0-20211024235047-1546f124cd8b // indirect
	github.com/apache/arrow/go/arrow v0.0.0-20211112161151-bc219186db40 // indirect; never raise: later ones break gorgonia.org/tensor
	github.com/awalterschulze/gographviz v2.0.3+incompatible // indirect
	github.com/chewxy/math32 v1.10.1 // indirect
	github.com/cpuguy83/go-md2man/v2 v2.0.6 // indirect
	github.com/go-audio/riff v1.0.0 // indirect
	github.com/gogo/protobuf v1.3.2 // indirect
	github.com/golang/freetype v0.0.0-20170609003504-e2365dfdc4a0 // indirect
	github.com/golang/protobuf v1.5.4 // indirect
	github.com/google/flatbuffers v2.0.6+incompatible // indirect
	github.com/google/uuid v1.3.0 // indirect
	github.com/icza/bitio v1.1.0 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/leesper/go_rng v0.0.0-20190531154944-a612b043e353 // indirect
	github.com/mewkiz/pkg v0.0.0-20250417130911-3f050ff8c56d // indirect
	github.com/mewpkg/term v0.0.0-20241026122259-37a80af23985 // indirect
	github.com/mitchellh/colorstring v0.0.0-20190213212951-d06e56a500db // indirect
	github.com/pkg/errors v0.9.1 // indirect
	github.com/rivo/uniseg v0.4.7 // indirect
	github.com/russross/blackfriday/v2 v2.1.0 // indirect
	github.com/spf13/pflag v1.0.9 // indirect
	github.com/xtgo/set v1.0.0 // indirect
	go4.org/unsafe/assume-no-moving-gc v0.0.0-20231121144256-b99613f794b6 // indirect; raised on purpose: an older one panics on Go >= 1.21
	golang.org/x/image v0.30.0 // indirect
	golang.org/x/text v0.28.0 // indirect
	golang.org/x/tools v0.36.0 // indirect
	golang.org/x/xerrors v0.0.0-20240903120638-7835f813f4da // indirect
	gorgonia.org/cu v0.9.4 // indirect
	gorgonia.org/dawson v1.2.0 // indirect
	gorgonia.org/vecf32 v0.9.0 // indirect
	gorgonia.org/vecf64 v0.9.0 // indirect
)
