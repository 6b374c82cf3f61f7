package contact

// similarity is the Jaro-Winkler similarity of two words, by characters: 1 for equal, 0 for nothing in common.
func similarity(a, b string) float64 {
	x, y := []rune(a), []rune(b)
	if len(x) == 0 || len(y) == 0 {
		return 0
	}
	j := jaro(x, y)
	prefix := 0
	for prefix < min(4, len(x), len(y)) && x[prefix] == y[prefix] {
		prefix++
	}
	return j + float64(prefix)*0.1*(1-j)
}

func jaro(x, y []rune) float64 {
	window := max(max(len(x), len(y))/2-1, 0)
	matchedX, matchedY := make([]bool, len(x)), make([]bool, len(y))
	matches := 0
	for i := range x {
		for j := max(0, i-window); j < min(len(y), i+window+1); j++ {
			if !matchedY[j] && x[i] == y[j] {
				matchedX[i], matchedY[j] = true, true
				matches++
				break
			}
		}
	}
	if matches == 0 {
		return 0
	}
	swapped, j := 0, 0
	for i := range x {
		if !matchedX[i] {
			continue
		}
		for !matchedY[j] {
			j++
		}
		if x[i] != y[j] {
			swapped++
		}
		j++
	}
	m := float64(matches)
	return (m/float64(len(x)) + m/float64(len(y)) + (m-float64(swapped)/2)/m) / 3
}
