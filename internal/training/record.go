package training

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// Record is one line of metrics.jsonl.
type Record struct {
	Step   int
	Values map[string]float64 // by path, as in valid/mse_db2
}

// ParseRecord reads one line of metrics.jsonl. What is not a number, or an
// object with numbers in it, is passed over.
func ParseRecord(line []byte) (Record, error) {
	var top map[string]any
	if err := json.Unmarshal(line, &top); err != nil {
		return Record{}, err
	}
	step, ok := top["step"].(float64)
	if !ok || step < 0 || step > 1<<53 || step != float64(int(step)) {
		return Record{}, fmt.Errorf("step is %v, want a number of steps", top["step"])
	}
	delete(top, "step")
	r := Record{int(step), map[string]float64{}}
	r.add("", top)
	return r, nil
}

func (r Record) add(prefix string, object map[string]any) {
	for key, value := range object {
		switch value := value.(type) {
		case float64:
			r.Values[prefix+key] = value
		case map[string]any:
			r.add(prefix+key+"/", value)
		}
	}
}

// maxLineBytes bounds a line of metrics.jsonl; real ones have a few hundred.
const maxLineBytes = 1 << 20

// ReadMetrics reads a metrics.jsonl. A last line without its end, which a run
// in progress may be writing, is left out.
func ReadMetrics(path string) ([]Record, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	records, err := readRecords(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return records, nil
}

func readRecords(r io.Reader) ([]Record, error) {
	var records []Record
	lines := bufio.NewReaderSize(r, maxLineBytes)
	for n := 1; ; n++ {
		line, err := lines.ReadSlice('\n')
		switch {
		case err == io.EOF:
			return records, nil
		case errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("line %d: longer than %d bytes", n, maxLineBytes)
		case err != nil:
			return nil, err
		}
		record, err := ParseRecord(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		records = append(records, record)
	}
}
