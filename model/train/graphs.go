package train

// Graphs are the graphs of one training for several batch sizes: the last batch
// of an epoch may be smaller than the others.
type Graphs[G interface{ Close() error }] struct {
	Build func(batch int) (G, error)
	built map[int]G
}

// For returns the graph for a batch size, which it builds when it is first asked
// for.
func (s *Graphs[G]) For(batch int) (G, error) {
	if g, ok := s.built[batch]; ok {
		return g, nil
	}
	g, err := s.Build(batch)
	if err != nil {
		return g, err
	}
	if s.built == nil {
		s.built = map[int]G{}
	}
	s.built[batch] = g
	return g, nil
}

// Close releases the machines of all graphs.
func (s *Graphs[G]) Close() {
	for _, g := range s.built {
		g.Close()
	}
}
