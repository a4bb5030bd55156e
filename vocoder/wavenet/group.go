package wavenet

import (
	"slices"
	"sync"
)

// Group lets utterances on goroutines of their own advance together, as those of
// [PushAll] do: each weight is read once for all of them. A goroutine may generate
// one utterance after the other; what an utterance gives is what it gives alone.
//
// Options say which group an utterance is in. A goroutine that pushes to it waits
// until all of the group do, and goes on when its own samples are drawn. So the goroutines must not wait for one
// another elsewhere, and each must call [Group.Leave] when it has no more to push.
type Group struct {
	generator *Generator
	mu        sync.Mutex
	changed   sync.Cond // members or pending has
	members   int       // goroutines that have not left
	pending   []*Stream // of those that wait for samples
}

// NewGroup returns a group of n goroutines that generate with g.
func (g *Generator) NewGroup(n int) *Group {
	group := &Group{generator: g, members: n}
	group.changed.L = &group.mu
	return group
}

// Leave says that the calling goroutine pushes no more.
func (g *Group) Leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.members--
	g.changed.Broadcast()
}

// advance draws the samples of s that are settled. Whoever completes the group
// draws for all, until some stream has no more.
func (g *Group) advance(s *Stream) []float32 {
	g.mu.Lock()
	defer g.mu.Unlock()
	s.out, s.waits = s.out[:0], true
	g.pending = append(g.pending, s)
	for s.waits {
		if len(g.pending) < g.members {
			g.changed.Wait()
			continue
		}
		g.draw()
		g.changed.Broadcast()
	}
	return s.out
}

// draw draws samples of all pending streams until one has no more, and takes
// those that have none off the list.
func (g *Group) draw() {
	n := len(g.pending)
	all := slices.Clone(g.pending)
	ws := g.generator.workspace(n)
	for len(g.pending) == n {
		g.pending = g.generator.draw(ws, g.pending)
	}
	g.generator.workspaces.Put(ws)
	for _, s := range all {
		s.waits = false
	}
	for _, s := range g.pending {
		s.waits = true
	}
}
