package results

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"vqspeech/internal/atomicfile"
	"vqspeech/internal/strict"
	imagetrain "vqspeech/model/image/train"
	"vqspeech/model/train"
)

// FIDFile holds the FIDs of a run of an image model, in its folder. A run does not
// compute them, as the features are made elsewhere: RecordFID writes them.
const FIDFile = "fid.json"

// FIDKinds are the images that FIDs are of, test images on the other side: the
// columns of table 2.
var FIDKinds = []string{"reconstruction", "samples", "neighbor-3", "neighbor-5", "neighbor-10", "interp"}

// FID is a Fréchet distance of Inception's features.
type FID struct {
	FID   float64 `json:"fid"`
	RowsA int     `json:"rows_a"`
	RowsB int     `json:"rows_b"`
}

// fidFile is the content of FIDFile.
type fidFile struct {
	Model string         `json:"model_sha256"` // what the images came from
	FIDs  map[string]FID `json:"fids"`         // by kind
}

// RecordFID writes the FID of images of one kind into the folder of the run whose
// model made them. FIDs of an earlier model of the run are dropped.
func RecordFID(dir, kind string, fid FID) error {
	if !slices.Contains(FIDKinds, kind) {
		return fmt.Errorf("no FID of %q, want one of %s", kind, strings.Join(FIDKinds, ", "))
	}
	if _, err := imagetrain.ReadRunConfig(dir); err != nil {
		return err
	}
	model, err := modelSum(dir)
	if err != nil {
		return err
	}
	f, err := readFIDs(dir)
	if err != nil {
		return err
	}
	if f.Model != model || f.FIDs == nil {
		f = fidFile{model, map[string]FID{}}
	}
	f.FIDs[kind] = fid
	return atomicfile.WriteJSON(filepath.Join(dir, FIDFile), f)
}

// fidsOf returns the FIDs of the model of a run, none if there is no file. Those of
// another model are an error.
func fidsOf(dir string) (map[string]FID, error) {
	f, err := readFIDs(dir)
	if err != nil || len(f.FIDs) == 0 {
		return nil, err
	}
	model, err := modelSum(dir)
	if err == nil && f.Model != model {
		err = fmt.Errorf("%s: the figures are of another model than %s, record them again or remove the file", filepath.Join(dir, FIDFile), train.ModelFile)
	}
	return f.FIDs, err
}

// readFIDs returns what is recorded, nothing if there is no file.
func readFIDs(dir string) (f fidFile, err error) {
	path := filepath.Join(dir, FIDFile)
	data, err := strict.ReadFile(path, 1<<20)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err == nil {
		if f, err = parseFIDs(data); err != nil {
			err = fmt.Errorf("%s: %w", path, err)
		}
	}
	return f, err
}

func parseFIDs(data []byte) (f fidFile, err error) {
	if err := strict.JSON(data, &f); err != nil {
		return f, err
	}
	for kind, v := range f.FIDs {
		if !slices.Contains(FIDKinds, kind) {
			return f, fmt.Errorf("no FID of %q, want one of %s", kind, strings.Join(FIDKinds, ", "))
		}
		if v.FID < 0 || v.RowsA < 2 || v.RowsB < 2 {
			return f, fmt.Errorf("%s: %g of %d and %d rows, want at least 0 of at least 2", kind, v.FID, v.RowsA, v.RowsB)
		}
	}
	return f, nil
}

// modelSum returns the SHA-256 of the finished model of a run.
func modelSum(dir string) (string, error) {
	f, err := os.Open(filepath.Join(dir, train.ModelFile))
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}

// fidKey is the key of a score.
func fidKey(kind string) string { return "fid_" + strings.ReplaceAll(kind, "-", "_") }

// fids averages the FIDs that all runs of the row have.
func (r *ImageRow) fids() (notes []string) {
	for _, kind := range FIDKinds {
		with := 0
		var sizes []string
		for _, run := range r.Runs {
			if f, ok := run.FID[kind]; ok {
				with++
				if s := fmt.Sprintf("%d and %d", f.RowsA, f.RowsB); !slices.Contains(sizes, s) {
					sizes = append(sizes, s)
				}
			}
		}
		switch {
		case with == 0:
		case with < len(r.Runs):
			notes = append(notes, fmt.Sprintf("%s: FID (%s) of %d of %d runs, none is shown", r.name(), kind, with, len(r.Runs)))
		case len(sizes) > 1:
			notes = append(notes, fmt.Sprintf("%s: FID (%s) of %s images, none is shown", r.name(), kind, strings.Join(sizes, ", of ")))
		default:
			r.Scores[fidKey(kind)] = score(r.Runs, func(run ImageResult) float64 { return run.FID[kind].FID })
		}
	}
	return notes
}

// fidSizes notes FIDs of unlike numbers of images, with which FID falls.
func (g *ImageGroup) fidSizes() (notes []string) {
	for _, kind := range FIDKinds {
		var rows []ImageRow
		for _, r := range g.Rows {
			if _, ok := r.Scores[fidKey(kind)]; ok {
				rows = append(rows, r)
			}
		}
		notes = append(notes, differences(rows, "the number of images of FID ("+kind+")", func(r ImageRow) string {
			f := r.Runs[0].FID[kind]
			return fmt.Sprintf("%d against %d", f.RowsB, f.RowsA)
		})...)
	}
	return notes
}
