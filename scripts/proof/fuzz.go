package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// target is a fuzz target.
type target struct{ pkg, name string }

// targets are all fuzz targets of the module.
func targets(ctx context.Context) ([]target, error) {
	said, err := exec.CommandContext(ctx, "go", "test", "-list=^Fuzz", "./...").Output()
	if err != nil {
		return nil, fmt.Errorf("list fuzz targets: %w: %s", err, said)
	}
	var all []target
	var names []string
	for line := range strings.Lines(string(said)) {
		switch fields := strings.Fields(line); {
		case len(fields) > 1 && fields[0] == "ok":
			for _, name := range names {
				all = append(all, target{fields[1], name})
			}
			names = nil
		case len(fields) == 1:
			names = append(names, fields[0])
		}
	}
	if len(all) == 0 {
		return nil, errors.New("list fuzz targets: there are none")
	}
	return all, nil
}

var execs = regexp.MustCompile(`execs: (\d+)`)

// fuzzAll fuzzes each target for so long, and returns how many inputs were tried. What a target finds is beside it, in testdata/fuzz.
func fuzzAll(ctx context.Context, each time.Duration, out io.Writer) (inputs int, err error) {
	all, err := targets(ctx)
	if err != nil {
		return 0, err
	}
	var failures []error
	for _, t := range all {
		said, err := exec.CommandContext(ctx, "go", "test", "-run=^$", "-fuzz=^"+t.name+"$", "-fuzztime="+each.String(), "-fuzzminimizetime=1s", t.pkg).CombinedOutput()
		tried := 0
		if found := execs.FindAllSubmatch(said, -1); len(found) > 0 {
			tried, _ = strconv.Atoi(string(found[len(found)-1][1]))
		}
		inputs += tried
		if err != nil {
			failures = append(failures, fmt.Errorf("%s of %s: %w", t.name, t.pkg, err))
			fmt.Fprintf(out, "%s\n", said)
			continue
		}
		fmt.Fprintf(out, "fuzzed %s: %d inputs\n", t.name, tried)
	}
	return inputs, errors.Join(failures...)
}
