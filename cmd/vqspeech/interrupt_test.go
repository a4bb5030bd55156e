//go:build unix

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"vqspeech/audio"
)

// TestInterrupt stops a verb while it waits for standard input, which no context
// can end, and wants nothing to be left behind.
func TestInterrupt(t *testing.T) {
	t.Run("one", func(t *testing.T) { interrupt(t, 1, "encode", "-", "-o", "a.vqs", "--model", "MODEL") })
	// Each of them waits for the others.
	t.Run("several", func(t *testing.T) { interrupt(t, 3, "convert", "WAV", "-", "WAV.wav", "--to", "118", "-o", "./") })
}

// interrupt interrupts the program once it has begun so many outputs. MODEL and
// WAV stand for files.
func interrupt(t *testing.T, outputs int, args ...string) {
	dir := t.TempDir()
	model, wav := filepath.Join(dir, "m.safetensors"), filepath.Join(dir, "a.wav")
	if err := makeModel([]string{model, "1", "stream"}); err != nil {
		t.Fatal(err)
	}
	if err := audio.Save(wav, &audio.Clip{SampleRate: 16000, Samples: make([]float32, 160000)}); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(wav, wav+".wav"); err != nil {
		t.Fatal(err)
	}
	recording, err := os.ReadFile(wav)
	if err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	if err := os.Mkdir(out, 0o777); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := &exec.Cmd{
		Path: exe, Dir: out, Stderr: &stderr, Env: append(os.Environ(), "GOMAXPROCS=1"), // one group
		Args: []string{"vqspeech"}, // the name makes the test binary the program
	}
	for _, arg := range args {
		cmd.Args = append(cmd.Args, strings.NewReplacer("MODEL", model, "WAV", wav).Replace(arg))
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	if _, err := stdin.Write(recording[:len(recording)/2]); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for len(list(t, out)) < outputs { // until they are begun
		if time.Now().After(deadline) {
			t.Fatalf("no %d outputs after 20 s: %s", outputs, &stderr)
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("exit status %d, want 1", code)
	}
	if got := stderr.String(); got != "vqspeech: error: interrupted\n" {
		t.Errorf("printed %q", got)
	}
	if left := list(t, out); len(left) > 0 {
		t.Errorf("left behind: %s", strings.Join(left, ", "))
	}
}

func list(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
