package atomicfile

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/gofrs/flock"
)

// lockFile is empty; the system forgets the lock on it when its process ends.
const lockFile = ".lock"

// Hold keeps every other holder of a folder out, in this process too, until release is
// called. A folder that another one holds is an error, which names the work that is
// done there. A file system that knows no locks is used without.
func Hold(dir, work string) (release func(), err error) {
	lock := flock.New(filepath.Join(dir, lockFile))
	held, err := lock.TryLock()
	switch {
	case errors.Is(err, errors.ErrUnsupported):
	case err != nil:
		return nil, err
	case !held:
		return nil, fmt.Errorf("%s: another %s is at work there: let it end or choose another folder", dir, work)
	}
	return func() { lock.Close() }, nil
}
