package training

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/gofrs/flock"
)

// lockFile is empty; the system forgets the lock on it when its process ends.
const lockFile = ".lock"

// hold keeps every other run out of a run folder, of this process too, until release
// is called. A folder that another one holds is an error. A file system that knows no
// locks is used without.
func hold(dir string) (release func(), err error) {
	lock := flock.New(filepath.Join(dir, lockFile))
	held, err := lock.TryLock()
	switch {
	case errors.Is(err, errors.ErrUnsupported):
	case err != nil:
		return nil, err
	case !held:
		return nil, fmt.Errorf("%s: another training run is at work there: let it end or choose another folder", dir)
	}
	return func() { lock.Close() }, nil
}
