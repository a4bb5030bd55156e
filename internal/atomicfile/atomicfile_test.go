package atomicfile

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// onlyFiles fails if dir holds anything but the named files.
func onlyFiles(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("folder holds %q, want %q", got, want)
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestCommit(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out.bin")
	if err := os.WriteFile(path, []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	f, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Abort()
	if _, err := io.WriteString(f, "....content"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(f, "new "); err != nil {
		t.Fatal(err)
	}
	if got := content(t, path); got != "old" {
		t.Errorf("before Commit the target holds %q, want its old content", got)
	}
	if temp, _ := filepath.Glob(filepath.Join(dir, ".out.bin.tmp-*")); len(temp) != 1 {
		t.Errorf("temporary files %q, want one", temp)
	}
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	f.Abort()
	if got := content(t, path); got != "new content" {
		t.Errorf("after Commit the target holds %q", got)
	}
	onlyFiles(t, dir, "out.bin")
	if info, _ := os.Stat(path); runtime.GOOS != "windows" && info.Mode().Perm() != 0o640 {
		t.Errorf("permissions %v, want those of the old file", info.Mode().Perm())
	}
	if _, err := f.Write([]byte("x")); err == nil {
		t.Error("Write after Commit succeeded")
	}
	if f.Commit() == nil {
		t.Error("second Commit succeeded")
	}
}

func TestAbort(t *testing.T) {
	dir := t.TempDir()
	f, err := Create(filepath.Join(dir, "out.bin"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("half")); err != nil {
		t.Fatal(err)
	}
	f.Abort()
	f.Abort()
	if f.Commit() == nil {
		t.Error("Commit after Abort succeeded")
	}
	onlyFiles(t, dir)
}

func TestWriteErrorRemovesTemp(t *testing.T) {
	dir := t.TempDir()
	f, err := Create(filepath.Join(dir, "out.bin"))
	if err != nil {
		t.Fatal(err)
	}
	f.f.Close() // any failing write will do
	if _, err := f.Write([]byte("x")); err == nil {
		t.Fatal("Write to a closed file succeeded")
	}
	onlyFiles(t, dir)
	if f.Commit() == nil {
		t.Error("Commit after a failed Write succeeded")
	}
}

func TestCreateErrors(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(dir, "no")
	for _, c := range []struct{ path, want string }{
		{filepath.Join(missing, "out"), "folder " + missing + " does not exist"},
		{filepath.Join(file, "out"), file + " is not a folder"},
		{dir, "is a folder"},
	} {
		_, err := Create(c.path)
		if err == nil || err.Error() != c.want {
			t.Errorf("Create(%q): error %v, want %q", c.path, err, c.want)
		}
	}
	onlyFiles(t, dir, "file")
}

func TestLongName(t *testing.T) {
	dir := t.TempDir()
	name := strings.Repeat("é", 120) + ".vqs"
	f, err := Create(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	onlyFiles(t, dir, name)
}

func TestSymlinkStays(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	if err := os.WriteFile(target, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	checkSymlinkStays(t, target, target, link)
}

// TestSymlinkToNoFile writes through links to a file that is yet to be made.
func TestSymlinkToNoFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "big"), 0o777); err != nil {
		t.Fatal(err)
	}
	checkSymlinkStays(t, filepath.Join("big", "a"), filepath.Join(dir, "big", "a"), filepath.Join(dir, "b"))
	loop := filepath.Join(dir, "loop")
	if err := os.Symlink("loop", loop); err != nil {
		t.Logf("no symbolic links here: %v", err)
		return
	}
	if _, err := Create(loop); err == nil {
		t.Error("a link to itself is no error")
	}
}

// checkSymlinkStays writes through a link that says to, which is target.
func checkSymlinkStays(t *testing.T, to, target, link string) {
	t.Helper()
	if err := os.Symlink(to, link); err != nil {
		t.Logf("no symbolic links here: %v", err)
		return
	}
	f, err := Create(link)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("new")); err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Error("the link was replaced")
	}
	if got := content(t, target); got != "new" {
		t.Errorf("target holds %q, want new", got)
	}
}

func TestDevice(t *testing.T) {
	f, err := Create(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	f.Abort()
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Errorf("%s was replaced: %v", os.DevNull, err)
	}
}

func TestSweep(t *testing.T) {
	dir := t.TempDir()
	f, err := Create(filepath.Join(dir, "out.bin"))
	if err != nil {
		t.Fatal(err)
	}
	f.f.Close() // as a process that is killed
	for _, name := range []string{".hidden", "a.tmp-1", "out.txt"} {
		if err := WriteFile(filepath.Join(dir, name), []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, ".folder.tmp-0"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := Sweep(dir); err != nil {
		t.Fatal(err)
	}
	onlyFiles(t, dir, ".folder.tmp-0", ".hidden", "a.tmp-1", "out.txt")
	if err := Sweep(filepath.Join(dir, "none")); err == nil {
		t.Error("a missing folder is swept")
	}
}
