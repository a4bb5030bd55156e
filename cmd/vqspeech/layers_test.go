package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// floors orders the folders of the module from the ground up: a package may
// import its own folder and lower floors, never upwards.
var floors = map[string]int{
	"internal": 0, "audio": 1, "features": 2, "quant": 2, "model": 3, "vocoder": 4, "recipes": 5, "cmd": 6, "bench": 6,
}

// trainers, and the folders below them, may import gorgonia.
var trainers = []string{
	"internal/graph", "model/train", "model/image/train", "model/image/prior/train", "model/image/classifier", "quant/sq", "quant/vq", "vocoder/wavenet/train",
}

// library is what encode, decode and convert need; gorgonia must not be below
// it.
var library = []string{
	"audio", "features", "features/metric", "features/metric/wer", "model", "model/nn", "model/image", "model/image/metric", "model/image/prior", "model/unitprior", "model/embedded", "model/pytorch", "quant", "quant/units", "quant/metric", "quant/metric/abx", "quant/metric/phones",
	"vocoder", "vocoder/envelope", "vocoder/griffinlim", "vocoder/lpc", "vocoder/wavenet", "vocoder/wavenet/embedded",
}

func goList(t *testing.T, args ...string) []string {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list"}, args...)...).Output()
	if err != nil {
		t.Fatalf("go list %s: %v", strings.Join(args, " "), err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

func floor(pkg string) (top string, n int, ok bool) {
	top, _, _ = strings.Cut(pkg, "/")
	n, ok = floors[top]
	return top, n, ok
}

func trains(pkg string) bool {
	return slices.ContainsFunc(trainers, func(t string) bool { return pkg == t || strings.HasPrefix(pkg, t+"/") })
}

func TestImportsRunDownwards(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Fatal("this test needs the go command")
	}
	for _, line := range goList(t, "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "vqspeech/...") {
		fields := strings.Fields(line)
		pkg := strings.TrimPrefix(fields[0], "vqspeech/")
		top, n, ok := floor(pkg)
		if !ok {
			t.Errorf("package %s is on no floor: add its folder to the list", pkg)
			continue
		}
		for _, imp := range fields[1:] {
			if strings.HasPrefix(imp, "gorgonia.org/") && !trains(pkg) {
				t.Errorf("%s imports %s", pkg, imp)
			}
			other, inside := strings.CutPrefix(imp, "vqspeech/")
			if !inside {
				continue
			}
			if otherTop, m, _ := floor(other); otherTop != top && m >= n {
				t.Errorf("%s imports %s: imports run downwards", pkg, other)
			}
		}
	}
}

func TestLibraryWithoutGorgonia(t *testing.T) {
	for _, pkg := range library {
		for _, dep := range goList(t, "-deps", "vqspeech/"+pkg) {
			if strings.HasPrefix(dep, "gorgonia.org/") {
				t.Errorf("%s needs %s", pkg, dep)
			}
		}
	}
}
