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

// TestInterrupt stops encode while it waits for standard input, which no
// context can end, and wants nothing to be left behind.
func TestInterrupt(t *testing.T) {
	dir := t.TempDir()
	model, wav := filepath.Join(dir, "m.safetensors"), filepath.Join(dir, "a.wav")
	if err := makeModel([]string{model, "1", "stream"}); err != nil {
		t.Fatal(err)
	}
	if err := audio.Save(wav, &audio.Clip{SampleRate: 16000, Samples: make([]float32, 160000)}); err != nil {
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
		Path: exe, Dir: out, Stderr: &stderr,
		Args: []string{"vqspeech", "encode", "-", "-o", "a.vqs", "--model", model}, // the name makes the test binary the program
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
	for len(list(t, out)) == 0 { // until the output is begun
		if time.Now().After(deadline) {
			t.Fatalf("no output after 20 s: %s", &stderr)
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
