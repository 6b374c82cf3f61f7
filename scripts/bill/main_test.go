package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestA_licence_is_known_by_its_text(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"                                 Apache License\n                           Version 2.0, January 2004": "Apache-2.0",
		"Mozilla Public License Version 2.0\n==================================":                                "MPL-2.0",
		"Permission is hereby granted, free of charge, to any person obtaining\na copy of this software":        "MIT",
		"GNU GENERAL PUBLIC LICENSE\nVersion 3, 29 June 2007":                                                   "",
		"All rights reserved.": "",
		"":                     "",
	} {
		if got := licenseIn(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func TestAModuleWithoutALicenceIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := licenseOf(dir); err == nil {
		t.Error("a module without a licence is taken")
	}
	if err := os.WriteFile(filepath.Join(dir, "LICENSE.md"), []byte("GNU AFFERO GENERAL PUBLIC LICENSE"), 0o600); err != nil {
		t.Fatal(err)
	}
	if id, err := licenseOf(dir); err == nil {
		t.Errorf("it is taken as %s", id)
	}
}

func TestTheFunctionsAreMadeOfWhatMayBePassedOn(t *testing.T) {
	t.Chdir("../..")
	var out strings.Builder
	if err := run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), `"pkg:golang/cloud.google.com/go/firestore@v`) {
		t.Errorf("the bill is %s", out.String())
	}
}
