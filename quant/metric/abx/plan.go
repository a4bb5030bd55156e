package abx

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"sort"

	"vqspeech/internal/simd"
)

// A plan says which distances are needed and which scores they make. It is made
// in one order from sorted names, so that draws and averages do not depend on
// the order of items in memory or on threads.
type plan struct {
	phones []string // sorted; indices below
	tasks  []task
	index  []int // segment → its number in the space, -1 if it is in no triplet
	count  int   // of those that are
}

// A task is two speakers of one context, or one speaker twice (within).
type task struct {
	context int
	s, t    voice
}

// pairs is the number of its distances.
func (k *task) pairs() int { return k.s.len() * k.t.len() }

// A voice is what one speaker said in one context.
type voice struct {
	speaker int
	groups  []group // sorted by phone
	// chosen[g] tells, for group g as A, whether the other speaker of the task was
	// drawn as X.
	chosen []bool
}

// A group is the segments of one phone, context and speaker.
type group struct {
	phone int
	items []int // segments, then their numbers in the space
}

// len is the number of items in all groups.
func (v *voice) len() (n int) {
	for _, g := range v.groups {
		n += len(g.items)
	}
	return n
}

// find returns the group of a phone, or -1.
func (v *voice) find(phone int) int {
	i, ok := slices.BinarySearchFunc(v.groups, phone, func(g group, p int) int { return cmp.Compare(g.phone, p) })
	if !ok {
		return -1
	}
	return i
}

func newPlan(segments []Segment, c Config) *plan {
	p := &plan{index: make([]int, len(segments))}
	var speakers, contexts []string
	p.phones, speakers, contexts = names(segments)
	number := func(of []string, name string) int { return sort.SearchStrings(of, name) }

	// [context][speaker][phone]segments
	tree := make([]map[int]map[int][]int, len(contexts))
	for i, s := range segments {
		k, speaker, phone := number(contexts, s.Context), number(speakers, s.Speaker), number(p.phones, s.Phone)
		if tree[k] == nil {
			tree[k] = map[int]map[int][]int{}
		}
		if tree[k][speaker] == nil {
			tree[k][speaker] = map[int][]int{}
		}
		tree[k][speaker][phone] = append(tree[k][speaker][phone], i)
	}
	rng := rand.New(rand.NewPCG(c.Seed, 2021))
	for k, bySpeaker := range tree {
		var voices []voice
		for _, speaker := range slices.Sorted(maps.Keys(bySpeaker)) {
			v := voice{speaker: speaker}
			for _, phone := range slices.Sorted(maps.Keys(bySpeaker[speaker])) {
				items := draw(rng, bySpeaker[speaker][phone], c.MaxGroup)
				v.groups = append(v.groups, group{phone, items})
			}
			voices = append(voices, v)
		}
		if c.Mode == Within {
			p.within(k, voices)
		} else {
			p.across(k, voices, rng, c.MaxX)
		}
	}
	p.number(len(segments))
	return p
}

// maxPairs bounds the distances that are in memory together: those of one task, or
// of tasks that run at the same time. Each takes 16 bytes.
const maxPairs = 1 << 27

// check reports a task whose distances are too many.
func (p *plan) check() error {
	for _, k := range p.tasks {
		n, m := k.s.len(), k.t.len()
		if n > maxPairs/max(m, 1) {
			return fmt.Errorf("abx: %d items of one context and speaker against %d, want at most %d pairs: a bound on groups draws fewer (MaxGroup, --max-group)", n, m, maxPairs)
		}
	}
	return nil
}

// names returns the sorted phones, speakers and contexts.
func names(segments []Segment) (phones, speakers, contexts []string) {
	distinct := func(of func(s *Segment) string) []string {
		seen := map[string]bool{}
		for i := range segments {
			seen[of(&segments[i])] = true
		}
		return slices.Sorted(maps.Keys(seen))
	}
	return distinct(func(s *Segment) string { return s.Phone }), distinct(func(s *Segment) string { return s.Speaker }),
		distinct(func(s *Segment) string { return s.Context })
}

// draw returns at most n of items, in their order; all of them if n is 0.
func draw(rng *rand.Rand, items []int, n int) []int {
	if n == 0 || len(items) <= n {
		return items
	}
	items = slices.Clone(items)
	for i := range n {
		j := i + rng.IntN(len(items)-i)
		items[i], items[j] = items[j], items[i]
	}
	slices.Sort(items[:n])
	return items[:n]
}

// within adds the task of every speaker who has two phones, one of them twice.
func (p *plan) within(context int, voices []voice) {
	for _, v := range voices {
		v.chosen = make([]bool, len(v.groups))
		any := false
		for g := range v.groups {
			v.chosen[g] = len(v.groups[g].items) > 1
			any = any || v.chosen[g]
		}
		if any && len(v.groups) > 1 {
			p.tasks = append(p.tasks, task{context, v, v})
		}
	}
}

// across adds the task of every two speakers of whom one has two phones and the
// other, drawn as X, one of them.
func (p *plan) across(context int, voices []voice, rng *rand.Rand, maxX int) {
	chosen := map[[3]int]bool{} // of voice A, its group, voice X
	for a, v := range voices {
		if len(v.groups) < 2 {
			continue
		}
		for g := range v.groups {
			var others []int
			for x := range voices {
				if x != a && voices[x].find(v.groups[g].phone) >= 0 {
					others = append(others, x)
				}
			}
			for _, x := range draw(rng, others, maxX) {
				chosen[[3]int{a, g, x}] = true
			}
		}
	}
	pairs := map[[2]int]bool{}
	for k := range chosen {
		pairs[[2]int{min(k[0], k[2]), max(k[0], k[2])}] = true
	}
	sorted := slices.SortedFunc(maps.Keys(pairs), func(a, b [2]int) int { return slices.Compare(a[:], b[:]) })
	for _, pair := range sorted {
		side := func(a, x int) voice {
			v := voices[a]
			v.chosen = make([]bool, len(v.groups))
			for g := range v.groups {
				v.chosen[g] = chosen[[3]int{a, g, x}]
			}
			return v
		}
		p.tasks = append(p.tasks, task{context, side(pair[0], pair[1]), side(pair[1], pair[0])})
	}
}

// number gives the segments of all tasks their numbers.
func (p *plan) number(segments int) {
	for i := range p.index {
		p.index[i] = -1
	}
	mark := func(v *voice) {
		for _, g := range v.groups {
			for _, i := range g.items {
				p.index[i] = 0
			}
		}
	}
	for k := range p.tasks {
		mark(&p.tasks[k].s)
		mark(&p.tasks[k].t)
	}
	for i := range segments {
		if p.index[i] == 0 {
			p.index[i] = p.count
			p.count++
		}
	}
}

// used returns the number of segments that tasks have.
func (p *plan) used() int { return p.count }

// usedSegments returns them in the order of their numbers.
func (p *plan) usedSegments(segments []Segment) []*Segment {
	used := make([]*Segment, 0, p.count)
	for i := range segments {
		if p.index[i] >= 0 {
			used = append(used, &segments[i])
		}
	}
	return used
}

// run scores all tasks, the small ones several at a time.
func (p *plan) run(s *space, c Config) []cell {
	byTask := make([][]cell, len(p.tasks))
	score := func(i int) {
		t := &scorer{space: s, index: p.index, config: c}
		if c.Mode == Within {
			byTask[i] = t.within(p.tasks[i])
		} else {
			byTask[i] = t.across(p.tasks[i])
		}
	}
	var small []int
	for i, k := range p.tasks {
		if k.pairs() > maxPairs/runtime.GOMAXPROCS(0) {
			score(i)
		} else {
			small = append(small, i)
		}
	}
	simd.Parallel(len(small), 1, func(lo, hi int) {
		for _, i := range small[lo:hi] {
			score(i)
		}
	})
	return slices.Concat(byTask...)
}
