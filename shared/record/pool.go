package record

// Pool gives out entries of a set, each once: to what fits them best first. However many there are, each is looked at once for every
// way to fit.
type Pool struct{ taken []bool }

// NewPool is a pool of so many entries.
func NewPool(entries int) *Pool { return &Pool{taken: make([]bool, entries)} }

// By gives out entries by what they are like, the first of several that are alike first. An entry that is like nothing is not given out.
func (p *Pool) By(like func(entry int) string) func(like string) (entry int, ok bool) {
	alike := map[string][]int{}
	for i, taken := range p.taken {
		if l := like(i); !taken && l != "" {
			alike[l] = append(alike[l], i)
		}
	}
	return func(like string) (int, bool) {
		for len(alike[like]) > 0 {
			i := alike[like][0]
			alike[like] = alike[like][1:]
			if !p.taken[i] {
				p.taken[i] = true
				return i, true
			}
		}
		return 0, false
	}
}

// Left are the entries that were not given out, in their order.
func (p *Pool) Left() []int {
	var out []int
	for i, taken := range p.taken {
		if !taken {
			out = append(out, i)
		}
	}
	return out
}
