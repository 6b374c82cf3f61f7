// Command generate writes the names of time zones from the Unicode CLDR, as the npm packages cldr-core and cldr-bcp47 hold it.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"go/format"
	"log"
	"maps"
	"os"
	"slices"
	"strings"
)

func main() {
	windowsFile := flag.String("windows", "", "windowsZones.json of cldr-core")
	namesFile := flag.String("names", "", "timezone.json of cldr-bcp47")
	to := flag.String("to", "", "the file to write")
	flag.Parse()
	source, err := generate(*windowsFile, *namesFile)
	if err == nil {
		err = os.WriteFile(*to, source, 0o644)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func generate(windowsFile, namesFile string) ([]byte, error) {
	former, err := readFormer(namesFile)
	if err != nil {
		return nil, err
	}
	windows, version, err := readWindows(windowsFile, former)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "// Code generated from the Unicode CLDR %s; DO NOT EDIT.\n\npackage zone\n\n", version)
	write(&b, "windows", "are the zones of the ids of Windows, in lower case (windowsZones, territory 001).", windows)
	write(&b, "former", "are the names of today by the former ones (BCP 47, timezone).", former)
	return format.Source(b.Bytes())
}

func write(b *bytes.Buffer, name, says string, table map[string]string) {
	fmt.Fprintf(b, "// %s %s\nvar %s = map[string]string{\n", name, says, name)
	for _, key := range slices.Sorted(maps.Keys(table)) {
		fmt.Fprintf(b, "%q: %q,\n", key, table[key])
	}
	b.WriteString("}\n\n")
}

// readFormer reads the aliases of every zone that has one.
func readFormer(file string) (map[string]string, error) {
	var doc struct {
		Keyword struct {
			U struct {
				TZ map[string]json.RawMessage `json:"tz"`
			} `json:"u"`
		} `json:"keyword"`
	}
	if err := read(file, &doc); err != nil {
		return nil, err
	}
	former := map[string]string{}
	for _, raw := range doc.Keyword.U.TZ {
		var zone struct {
			Alias string `json:"_alias"`
			IANA  string `json:"_iana"`
		}
		if json.Unmarshal(raw, &zone) != nil || zone.Alias == "" {
			continue
		}
		names := strings.Fields(zone.Alias)
		if zone.IANA == "" {
			zone.IANA = names[0]
		}
		for _, name := range names {
			if name != zone.IANA {
				former[name] = zone.IANA
			}
		}
	}
	return former, nil
}

func readWindows(file string, former map[string]string) (zones map[string]string, version string, err error) {
	var doc struct {
		Supplemental struct {
			Version struct {
				CLDR string `json:"_cldrVersion"`
			} `json:"version"`
			WindowsZones struct {
				MapTimezones []struct {
					MapZone struct {
						Windows   string `json:"_other"`
						Zone      string `json:"_type"`
						Territory string `json:"_territory"`
					} `json:"mapZone"`
				} `json:"mapTimezones"`
			} `json:"windowsZones"`
		} `json:"supplemental"`
	}
	if err := read(file, &doc); err != nil {
		return nil, "", err
	}
	zones = map[string]string{}
	for _, m := range doc.Supplemental.WindowsZones.MapTimezones {
		if m.MapZone.Territory != "001" {
			continue
		}
		name := m.MapZone.Zone
		if now, ok := former[name]; ok {
			name = now
		}
		zones[strings.ToLower(m.MapZone.Windows)] = name
	}
	return zones, doc.Supplemental.Version.CLDR, nil
}

func read(file string, doc any) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, doc)
}
