package app

import (
	_ "embed"
	"runtime/debug"
	"strings"
)

// bundled is the version of a deployed bundle, which scripts/bundle writes. The platform builds a bundle outside of any
// repository, so the binary does not know its revision.
//
//go:embed version.txt
var bundled string

// Version is the version that a bundle was made of, else the module's version, or the revision it was built from.
func Version() string {
	if v := strings.TrimSpace(bundled); v != "" {
		return v
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return s.Value[:12]
		}
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	return "unknown"
}
