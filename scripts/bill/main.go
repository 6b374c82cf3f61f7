// Command bill writes what the functions are made of, as a bill of materials in the form of CycloneDX 1.5 (https://cyclonedx.org), and fails
// where a module has a licence under which Tandem may not be passed on. It is for scripts/audit.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// module is a module that a function needs, as go list tells it.
type module struct {
	Path, Version, Dir, Sum string
	Main                    bool
	Replace                 *module
}

// component is a module in a bill of materials.
type component struct {
	Type     string    `json:"type"`
	Name     string    `json:"name"`
	Version  string    `json:"version"`
	PURL     string    `json:"purl"`
	Licenses []license `json:"licenses"`
}

type license struct {
	License struct {
		ID string `json:"id"`
	} `json:"license"`
}

func run(ctx context.Context, out io.Writer) error {
	modules, err := deployed(ctx)
	if err != nil {
		return err
	}
	bill := struct {
		Format     string      `json:"bomFormat"`
		Spec       string      `json:"specVersion"`
		Version    int         `json:"version"`
		Components []component `json:"components"`
	}{Format: "CycloneDX", Spec: "1.5", Version: 1}
	var failures []error
	for _, m := range modules {
		id, err := licenseOf(m.Dir)
		if err != nil {
			failures = append(failures, fmt.Errorf("%s %s: %w", m.Path, m.Version, err))
			continue
		}
		c := component{Type: "library", Name: m.Path, Version: m.Version, PURL: "pkg:golang/" + m.Path + "@" + m.Version, Licenses: make([]license, 1)}
		c.Licenses[0].License.ID = id
		bill.Components = append(bill.Components, c)
	}
	if err := errors.Join(failures...); err != nil {
		return err
	}
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(bill)
}

// deployed are the modules that the functions are built from, by their paths, each once.
func deployed(ctx context.Context) ([]module, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", "-json=Module", "./functions/...")
	cmd.Stderr = os.Stderr
	said, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list modules: %w", err)
	}
	var all []module
	for d := json.NewDecoder(bytes.NewReader(said)); ; {
		var p struct{ Module *module }
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("list modules: %w", err)
		}
		if p.Module == nil || p.Module.Main {
			continue
		}
		if p.Module.Replace != nil {
			p.Module.Dir = p.Module.Replace.Dir
		}
		all = append(all, *p.Module)
	}
	slices.SortFunc(all, func(a, b module) int { return strings.Compare(a.Path, b.Path) })
	return slices.CompactFunc(all, func(a, b module) bool { return a.Path == b.Path }), nil
}

// permitted are the licences under which a module may be part of Tandem, with a sentence that only their text has. The first that fits
// counts: the others are parts of longer ones.
var permitted = []struct{ id, says string }{
	{"Apache-2.0", "apache license version 2.0"},
	{"MPL-2.0", "mozilla public license version 2.0"},
	{"BSD-3-Clause", "neither the name of"},
	{"BSD-2-Clause", "redistributions in binary form must reproduce the above copyright"},
	{"MIT", "permission is hereby granted, free of charge, to any person obtaining a copy"},
	{"ISC", "permission to use, copy, modify, and/or distribute this software for any purpose"},
}

// licenseOf reads the licence of a module's directory.
func licenseOf(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", fmt.Errorf("read its directory (run go mod download): %w", err)
	}
	for _, e := range entries {
		name := strings.ToUpper(e.Name())
		if e.IsDir() || !strings.HasPrefix(name, "LICENSE") && !strings.HasPrefix(name, "LICENCE") && !strings.HasPrefix(name, "COPYING") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return "", err
		}
		if id := licenseIn(string(text)); id != "" {
			return id, nil
		}
	}
	return "", errors.New("no licence under which it may be part of Tandem")
}

// licenseIn names the licence of a text; empty where it is none of the permitted ones.
func licenseIn(text string) string {
	words := strings.Join(strings.Fields(strings.NewReplacer("*", " ", ",", ", ").Replace(strings.ToLower(text))), " ")
	words = strings.ReplaceAll(words, "license, version", "license version")
	for _, p := range permitted {
		if strings.Contains(words, p.says) {
			return p.id
		}
	}
	return ""
}
