package train

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"vqspeech/model"
)

// Environment of the child process of TestKillAndResume.
const (
	childDir  = "VQSPEECH_TEST_TRAIN_DIR"
	childKind = "VQSPEECH_TEST_TRAIN_KIND"
)

func killOptions(t testing.TB, kind model.QuantizerKind) Options {
	o := options(t, kind)
	o.Train.MaxSteps, o.Train.CheckpointEvery, o.Train.EvalEvery = 40, 2, 3
	return o
}

// TestChild is the run that TestKillAndResume kills; alone it does nothing.
func TestChild(t *testing.T) {
	dir := os.Getenv(childDir)
	if dir == "" {
		return
	}
	o := killOptions(t, model.QuantizerKind(os.Getenv(childKind)))
	o.Dir, o.Resume = dir, true
	o.Progress = func(p Progress) {
		fmt.Printf("step %d\n", p.Step)
		if p.Step == p.MaxSteps-1 {
			time.Sleep(time.Minute) // be killed, whatever the pace
		}
	}
	mustRun(t, o)
}

// TestKillAndResume kills a run again and again at random moments and lets it
// end: its files are those of a run that nobody disturbed.
func TestKillAndResume(t *testing.T) {
	for _, kind := range []model.QuantizerKind{model.Gaussian4, model.VQEMA} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			whole := killOptions(t, kind)
			mustRun(t, whole)
			want := digests(t, whole.Dir)

			o := killOptions(t, kind)
			at := 0
			for range 3 {
				at = killAfter(t, o.Dir, kind, min(at+1+rand.IntN(12), o.Train.MaxSteps-1))
				t.Logf("killed after step %d of %d", at, o.Train.MaxSteps)
			}
			if _, err := os.Stat(filepath.Join(o.Dir, ModelFile)); err == nil {
				t.Fatal("a child ran to its end")
			}
			o.Resume = true
			mustRun(t, o)
			digests(t, o.Dir).compare(t, "killed", want)
			checkSteps(t, o)
		})
	}
}

// killAfter runs a child and kills it some time after it reports step at, and
// returns the last step it reported.
func killAfter(t *testing.T, dir string, kind model.QuantizerKind, at int) (last int) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestChild$")
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir(), childDir+"="+dir, childKind+"="+string(kind))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	killed := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if n, err := fmt.Sscanf(lines.Text(), "step %d", &last); n != 1 || err != nil || last < at || killed {
			continue
		}
		time.Sleep(time.Duration(rand.IntN(8000)) * time.Microsecond) // anywhere in a step or a checkpoint
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		killed = true
	}
	if err := cmd.Wait(); !killed || err == nil {
		t.Fatalf("the child ended by itself: %v", err)
	}
	return last
}
